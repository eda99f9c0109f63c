import { createHash } from 'node:crypto';
import type { Actor, UserActor } from '../kernel/actor.js';
import { newId } from '../kernel/id.js';
import { decideChange, requestPromotion, type Decided, type Verdict } from '../features/approvals/index.js';
import { updateCard } from '../features/cards/index.js';
import { createModel, createModelVersion, submitModelVersion } from '../features/registry/index.js';
import { createUseCase, type RiskTier } from '../features/usecases/index.js';
import { runStatement } from './databases.js';
import type { TestApp } from './test-app.js';

/** A model with one version that is ready, in a use case, with the people around it. */
export interface Given {
  readonly modelId: string;
  readonly versionId: string;
  readonly useCaseId: string;
  readonly engineer: UserActor;
  readonly validator: UserActor;
  readonly compliance: UserActor;
  readonly owner: UserActor;
}

let counter = 0;

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Another version of the model that passed intake. */
export const givenNextVersion = async (app: TestApp, engineer: Actor, modelId: string): Promise<string> => {
  const version = await app.run(createModelVersion, engineer, { modelId, metrics: {}, params: {} });
  await app.run(submitModelVersion, engineer, { versionId: version.id });
  return version.id;
};

/** Evidence as another system would have submitted it: written by the owner of the schema, under an entry of its own. */
export const givenEvidence = async (
  app: TestApp,
  given: Pick<Given, 'versionId' | 'useCaseId'>,
  verdicts: Readonly<Partial<Record<'PERFORMANCE' | 'FAIRNESS' | 'ATTRIBUTION', 'PASS' | 'FAIL'>>>,
  validMs = 90 * 86_400_000,
): Promise<void> => {
  const expires = new Date(app.clock.now().getTime() + validMs).toISOString();
  const rows = Object.entries(verdicts).map(([kind, verdict]) => {
    const id = newId();
    return `select '${id}'::uuid, v.workspace_id, v.id, v.digest, '${given.useCaseId}'::uuid, '${kind}', 'SUBMITTED', '{}'::jsonb,
      '${verdict}', '${hex(id)}', '${hex(`${kind} ${id}`)}', 'test', 1, '${expires}'::timestamptz - interval '90 days', '${expires}'::timestamptz
      from model_version v where v.id = '${given.versionId}'`;
  });
  await runStatement(
    app.databaseUrl,
    `select audited_repair('evidence of a test');
     insert into evidence (id, workspace_id, version_id, version_digest, use_case_id, kind, provenance, result, verdict,
       input_sha256, result_sha256, engine_version, seed, created_at, expires_at) ${rows.join(' union all ')}`,
  );
};

/** Fills the card as the default policy asks. */
export const givenCard = (app: TestApp, given: Given, value = 'as agreed'): Promise<{ id: string }> =>
  app.run(updateCard, given.engineer, {
    versionId: given.versionId,
    useCaseId: given.useCaseId,
    fields: ['intendedUse', 'limitations', 'humanOversight'].map((name) => ({ name, value })),
  });

/** Everything that the default policy asks for, besides the approvals. */
export const givenPromotable = async (
  app: TestApp,
  options: { bare?: boolean; riskTier?: RiskTier } = {},
): Promise<Given> => {
  counter += 1;
  const [engineer, validator, compliance, owner] = [
    await app.actor('engineer'),
    await app.actor('validator'),
    await app.actor('compliance'),
    await app.actor('owner'),
  ];
  const useCase = await app.run(createUseCase, owner, {
    slug: `use-${String(counter)}`,
    name: `Use ${String(counter)}`,
    purpose: 'Routing',
    peopleAffected: 'Applicants',
    riskTier: options.riskTier ?? 'HIGH',
  });
  const model = await app.run(createModel, engineer, {
    name: `routing-${String(counter)}`,
    kind: 'EXTERNAL',
  });
  const versionId = await givenNextVersion(app, engineer, model.id);
  const given = {
    modelId: model.id,
    versionId,
    useCaseId: useCase.id,
    engineer,
    validator,
    compliance,
    owner,
  };
  if (options.bare) return given;
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  return given;
};

/** Asks that champion moves to the version; returns the id of the request. */
export const givenRequest = async (
  app: TestApp,
  given: Given,
  versionId = given.versionId,
): Promise<string> => {
  const input = { versionId, alias: 'champion', useCaseId: given.useCaseId, reason: 'It is better' };
  return (await app.run(requestPromotion, given.engineer, input)).id;
};

/** Decides, with a reason. */
export const decide = (
  app: TestApp,
  actor: Actor,
  changeRequestId: string,
  verdict: Verdict = 'APPROVE',
): Promise<Decided> => app.run(decideChange, actor, { changeRequestId, verdict, reason: 'I looked at it' });

/** What champion of the model names. */
export const champion = async (app: TestApp, modelId: string): Promise<string | undefined> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const rows = await app.db.transact('app_reader', session, (db) =>
    db.sql<{ version_id: string }>(
      `select version_id from model_alias where model_id = $1 and name = 'champion'`,
      [modelId],
    ),
  );
  return rows[0]?.version_id;
};

/** Moves champion to the version with both approvals. */
export const givenChampion = async (app: TestApp, given: Given): Promise<string> => {
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  return id;
};
