import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import type { CheckFacts } from '../checks/index.js';
import type { EvidenceKind } from '../evaluations/index.js';
import { foldName, type VersionState } from '../registry/index.js';
import type { RiskTier } from '../usecases/index.js';
import type { Asked } from './demands.js';
import type { EvidenceEntry } from './manifest.js';

/** What moves: an alias of a model, to a version, for a use. */
export interface AliasTarget {
  readonly versionId: string;
  readonly alias: string;
  readonly useCaseId: string;
}

/** A version as a manifest names it. */
export interface NamedVersion {
  readonly id: string;
  readonly version: number;
  readonly digest: string | null;
}

/** What stands in the registry about a move, read in one statement. */
export interface AliasFacts {
  readonly modelId: string;
  readonly modelName: string;
  readonly modelKind: string;
  /** The alias as the model writes it already, else as it was asked for. */
  readonly alias: string;
  readonly to: NamedVersion;
  readonly state: VersionState;
  readonly stateMessage: string;
  readonly deleted: boolean;
  readonly from: NamedVersion | null;
  readonly fromUseCaseId: string | null;
  /** The use that the alias would leave for this one; null when it stands for none, or for the same. */
  readonly leftUse: { readonly useCase: string; readonly tier: RiskTier } | null;
  readonly useCase: {
    readonly id: string;
    readonly slug: string;
    readonly name: string;
    readonly purpose: string;
    readonly riskTier: RiskTier;
    readonly ownerId: string;
  };
}

const query = `
  select m.id as "modelId", m.name as "modelName", m.kind as "modelKind",
         coalesce(a.name, $4) as alias,
         jsonb_build_object('id', v.id, 'version', v.version, 'digest', v.digest) as "to",
         v.state, v.state_message as "stateMessage", (v.deleted_at is not null or m.deleted_at is not null) as deleted,
         case when f.id is null then null
              else jsonb_build_object('id', f.id, 'version', f.version, 'digest', f.digest) end as "from",
         a.use_case_id as "fromUseCaseId",
         case when l.id is null then null
              else jsonb_build_object('useCase', l.slug, 'tier', l.risk_tier) end as "leftUse",
         jsonb_build_object('id', u.id, 'slug', u.slug, 'name', u.name, 'purpose', u.purpose, 'riskTier', u.risk_tier,
                            'ownerId', u.owner_id) as "useCase"
    from model_version v
    join registered_model m on m.id = v.model_id
    join use_case u on u.id = $3
    left join model_alias a on a.model_id = m.id and a.folded = $2
    left join model_version f on f.id = a.version_id
    left join use_case l on l.id = a.use_case_id and l.id <> u.id
   where v.id = $1`;

/** The facts of a move; NOT_FOUND when the version or the use case is not in this workspace. */
export const aliasFactsOf = async (db: ReadDb, target: AliasTarget): Promise<AliasFacts> => {
  const { versionId, alias, useCaseId } = target;
  const [row] = await db.sql<AliasFacts>(
    query,
    [versionId, foldName(alias), useCaseId, alias],
    'approvals.aliasFacts',
  );
  if (!row) throw notFound('The version or the use case');
  return row;
};

/** Who owned a use case at any time since then, by its trail. */
export const ownersSince = async (db: ReadDb, useCaseId: string, since: Date): Promise<string[]> => {
  const rows = await db.sql<{ id: string }>(
    `select distinct owner.id
       from audit_event e
       cross join lateral (select convert_from(e.canonical, 'UTF8')::jsonb #> '{changes,ownerId}' as change) body
       cross join lateral (values (body.change ->> 'from'), (body.change ->> 'to')) as owner (id)
      where e.workspace_id = app_workspace() and e.subject_kind = 'useCase' and e.subject_id = $1
        and e.outcome = 'done' and e.at >= $2 and owner.id is not null`,
    [useCaseId, since],
  );
  return rows.map((row) => row.id);
};

/**
 * The newest evidence of each kind, and what is required and missing. Only what rules enforce is required; evidence
 * that is past its date, or about other bytes than those of the version, is stale, whatever its verdict was.
 */
export const evidenceEntries = (
  facts: CheckFacts,
  asked: readonly Asked<EvidenceKind>[],
): ReadonlyMap<EvidenceKind, EvidenceEntry> => {
  const required = new Set(asked.filter((one) => one.mode === 'ENFORCE').map((one) => one.item));
  const missing = asked.map(({ item }): [EvidenceKind, EvidenceEntry] => [
    item,
    { id: null, verdict: 'MISSING', resultSha256: null, required: required.has(item) },
  ]);
  const known = [...facts.evidence].map(([kind, one]): [EvidenceKind, EvidenceEntry] => [
    kind,
    {
      id: one.id,
      verdict: one.verdict,
      resultSha256: one.resultSha256,
      provenance: one.provenance,
      required: required.has(kind),
    },
  ]);
  return new Map([...missing, ...known]);
};

/** Findings about the version, its model or the use whose date has passed. */
export const overdueFindings = (
  db: ReadDb,
  facts: Pick<AliasFacts, 'modelId' | 'to' | 'useCase'>,
  now: Date,
): Promise<{ readonly id: string; readonly title: string; readonly dueAt: Date }[]> =>
  db.sql(
    `select id, title, due_at as "dueAt" from finding
      where state = 'OPEN' and due_at <= $4
        and (subject_kind, subject_id) in (('modelVersion', $1::uuid), ('model', $2::uuid), ('useCase', $3::uuid))
      order by due_at limit 20`,
    [facts.to.id, facts.modelId, facts.useCase.id, now],
    'approvals.overdueFindings',
  );
