import type { Actor } from '../kernel/actor.js';
import { connect } from './shape/database-shape.js';
import type { TestApp } from './test-app.js';

/** Everything that decides on what a name resolves to. */
export const standing = async (app: TestApp): Promise<unknown> => {
  const client = await connect(app.databaseUrl);
  try {
    const { rows } = await client.query<{ state: unknown }>(
      `select jsonb_build_object(
         'models', (select jsonb_agg(jsonb_build_array(id, name, deleted_at) order by id) from registered_model),
         'versions', (select jsonb_agg(jsonb_build_array(id, digest, state, deleted_at, stage) order by id) from model_version),
         'aliases', (select jsonb_agg(to_jsonb(a) order by id) from model_alias a),
         'endpoints', (select jsonb_agg(to_jsonb(e) order by id) from endpoint e),
         'policies', (select count(*) from approval_policy),
         'requests', (select jsonb_agg(jsonb_build_array(id, state) order by id) from change_request),
         'approvals', (select jsonb_agg(jsonb_build_array(id, voided_at) order by id) from approval)) as state`,
    );
    return rows[0]?.state;
  } finally {
    await client.end();
  }
};

/** How many refusals of a command to an actor the trail tells of. */
export const refusals = async (app: TestApp, command: string, actor: Actor): Promise<number> => {
  const client = await connect(app.databaseUrl);
  try {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int from audit_event where command = $1 and actor_id = $2 and outcome = 'refused'`,
      [command, actor.id],
    );
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
};

/** `alias.set` → the field `setAlias` and the type of its input. */
const fields: Readonly<Record<string, readonly [string, string]>> = {
  'alias.set': ['setAlias', 'AliasSetInput'],
  'alias.delete': ['deleteAlias', 'AliasDeleteInput'],
  'alias.rollback': ['rollbackAlias', 'AliasRollbackInput'],
  'model.create': ['createModel', 'ModelCreateInput'],
  'model.rename': ['renameModel', 'ModelRenameInput'],
  'model.delete': ['deleteModel', 'ModelDeleteInput'],
  'modelVersion.delete': ['deleteModelVersion', 'ModelVersionDeleteInput'],
  'endpoint.create': ['createEndpoint', 'EndpointCreateInput'],
  'policy.propose': ['proposePolicy', 'PolicyProposeInput'],
  'changeRequest.create': ['requestPromotion', 'ChangeRequestCreateInput'],
  'changeRequest.decide': ['decideChange', 'ChangeRequestDecideInput'],
  'changeRequest.execute': ['executeChange', 'ChangeRequestExecuteInput'],
  'changeRequest.withdraw': ['withdrawChange', 'ChangeRequestWithdrawInput'],
};

/** How a mutation was refused; no code when it was not. */
export interface Refusal {
  readonly code: string | undefined;
  readonly rule: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Runs a command through its mutation and tells how it was refused. */
export const attempt = async (
  app: TestApp,
  actor: Actor,
  command: string,
  input: object,
): Promise<Refusal> => {
  const [field = '', type = ''] = fields[command] ?? [];
  const document = `mutation ($input: ${type}!) { ${field}(input: $input) { id } }`;
  const { code, errors } = await app.graphql(actor, document, { input });
  const details = (errors[0]?.extensions?.['details'] ?? {}) as Record<string, unknown>;
  return { code, rule: details['rule'] as string | undefined, details };
};
