import { Client } from 'pg';

/** How much there is. */
export interface Size {
  readonly models: number;
  readonly versions: number;
  readonly evidence: number;
  readonly requests: number;
}

/** Who the rows belong to. */
export interface Scope {
  readonly workspaceId: string;
  readonly useCaseId: string;
  readonly engineerId: string;
  readonly validatorId: string;
  readonly complianceId: string;
}

/** Figures and limits as an evaluation leaves them: eight of each. */
const result = JSON.stringify({
  schema: 'countersign.evidence/1',
  figures: Array.from({ length: 8 }, (_, index) => ({
    name: index === 0 ? 'accuracy' : index === 1 ? 'areaUnderCurve' : `figure-${String(index)}`,
    label: `Figure ${String(index)}`,
    value: 0.85,
    low: 0.84,
    high: 0.86,
    n: 9768,
    reason: null,
  })),
  checks: Array.from({ length: 8 }, (_, index) => ({
    figure: `figure-${String(index)}`,
    label: `Figure ${String(index)}`,
    value: 0.85,
    comparison: 'AT_LEAST',
    limit: 0.8,
    mode: 'ENFORCE',
    verdict: 'PASS',
    why: 'Because a benchmark needs a sentence of the usual length here.',
  })),
});

const card = JSON.stringify(
  Object.fromEntries(
    [
      'intendedUse',
      'outOfScopeUse',
      'peopleAffected',
      'limitations',
      'ethicalConsiderations',
      'humanOversight',
    ].map((name) => [
      name,
      { value: `What the benchmark says of ${name}.`, source: 'ATTESTED', evidence: null },
    ]),
  ),
);

const registry = `
insert into registered_model (id, workspace_id, name, folded, kind, description, created_by, created_at)
select gen_random_uuid(), $1, 'model-' || n, 'model-' || n, 'EXTERNAL', '', $2, now() from generate_series(1, $3) n`;

const versions = `
insert into model_version (id, workspace_id, model_id, version, state, state_message, description, submitted_at, digest,
                           metrics, params, lineage, created_by, created_at)
select gen_random_uuid(), $1, m.id, n, 'READY', '', '', now(), encode(sha256((m.id::text || n)::bytea), 'hex'), '{}', '{}',
       jsonb_build_object('run', null, 'codeCommit', repeat('a', 40), 'parentVersionId', null, 'datasets',
         jsonb_build_array(jsonb_build_object('name', 'train', 'sha256', repeat('b', 64), 'role', 'train'))),
       $2, now()
  from registered_model m cross join generate_series(1, $3) n`;

const evidence = `
insert into evidence (id, workspace_id, version_id, version_digest, use_case_id, kind, provenance, result, verdict,
                      input_sha256, result_sha256, engine_version, seed, created_at, expires_at)
select uuidv7(), $1, v.id, v.digest, $2, (array['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION'])[1 + n % 3], 'SUBMITTED',
       $3::jsonb, 'PASS', repeat('c', 64), encode(sha256((v.id::text || n)::bytea), 'hex'), 'bench', 1, now(),
       now() + interval '90 days'
  from generate_series(1, $4) n cross join model_version v`;

const cards = `
insert into model_card (id, workspace_id, version_id, use_case_id, fields, revision, created_at, updated_at)
select gen_random_uuid(), $1, id, $2, $3::jsonb, 1, now(), now() from model_version`;

/** Three deeds for each version, as registering, uploading and attesting leave them. */
const trail = `
insert into audit_event (id, workspace_id, command_id, command, outcome, actor_kind, actor_id, subject_kind, subject_id,
                         at, canonical, leaf_hash)
select uuidv7(), $1, gen_random_uuid(), 'bench.' || s.kind, 'done', 'user', $2, s.kind, s.id, now(), b.body, sha256(b.body)
  from (select 'modelVersion' as kind, id::text as id from model_version
        union all select 'modelVersion', id::text from model_version
        union all select 'card', id::text from model_card
        union all select 'model', id::text from registered_model) s
 cross join lateral (select convert_to(json_build_object('actor', json_build_object('id', $2::text, 'token', null),
   'changes', json_build_object(), 'facts', json_build_object('reason', repeat('x', 300)))::text, 'utf8') as body) b`;

const requests = `
insert into change_request (id, workspace_id, number, kind, title, reason, state, target_key, model_id, version_id, alias,
                            use_case_id, manifest, manifest_sha256, requested_by, created_at, expires_at, approved_at,
                            closed_by, closed_at, executed_at)
select uuidv7(), $1, row_number() over (), 'ALIAS', 'Move champion', 'bench', 'EXECUTED', 'alias:' || v.id, v.model_id,
       v.id, 'champion', $2, $3::jsonb, repeat('d', 64), $4, now() - interval '2 hours', now() + interval '1 day', now(),
       $4, now(), now()
  from (select * from model_version order by id limit $5) v`;

const approvals = `
insert into approval (id, workspace_id, change_request_id, verdict, role, by, reason, manifest_sha256, created_at)
select uuidv7(), $1, c.id, 'APPROVE', d.role, d.by, 'bench', repeat('d', 64), now() - interval '1 hour'
  from change_request c
  cross join (values ('validator', $2::uuid), ('compliance', $3::uuid)) as d (role, by)`;

const aliases = `
insert into model_alias (id, workspace_id, model_id, name, folded, version_id, use_case_id, change_request_id, moved_at, moved_by)
select distinct on (c.model_id) gen_random_uuid(), $1, c.model_id, 'champion', 'champion', c.version_id, c.use_case_id, c.id,
       now(), $2 from change_request c order by c.model_id, c.id`;

const manifest = JSON.stringify({
  schema: 'countersign.change-manifest/1',
  kind: 'ALIAS',
  entries: {
    model: 'm',
    alias: 'champion',
    environment: 'production',
    'useCase.riskTier': 'HIGH',
    'useCase.purpose': 'Route the verification of stated incomes',
    'useCase.owner': 'o',
    'version.from': null,
    'version.to': { id: 'v', version: 1, digest: 'd' },
    ...Object.fromEntries(
      ['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION'].map((kind) => [
        `evidence.${kind}`,
        { id: kind, verdict: 'PASS', resultSha256: 'r', provenance: 'SUBMITTED', required: true },
      ]),
    ),
    ...Object.fromEntries(
      ['intendedUse', 'limitations', 'humanOversight'].map((name) => [
        `card.${name}`,
        { value: `What the benchmark says of ${name}.`, source: 'ATTESTED' },
      ]),
    ),
    policy: { revision: 0, sha256: 'p' },
    rules: ['champion'],
  },
});

/** Fills a workspace as the owner of the schema; triggers sleep, since what is measured is reading. */
export const fill = async (url: string, scope: Scope, size: Size): Promise<void> => {
  const { workspaceId, useCaseId, engineerId } = scope;
  const perModel = Math.ceil(size.versions / size.models);
  const perVersion = Math.ceil(size.evidence / size.versions);
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('set session_replication_role = replica');
    await client.query(registry, [workspaceId, engineerId, size.models]);
    await client.query(versions, [workspaceId, engineerId, perModel]);
    await client.query(evidence, [workspaceId, useCaseId, result, perVersion]);
    await client.query(cards, [workspaceId, useCaseId, card]);
    await client.query(trail, [workspaceId, engineerId]);
    await client.query(requests, [workspaceId, useCaseId, manifest, engineerId, size.requests]);
    await client.query(approvals, [workspaceId, scope.validatorId, scope.complianceId]);
    await client.query(aliases, [workspaceId, engineerId]);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
};
