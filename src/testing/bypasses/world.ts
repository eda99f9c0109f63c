import { createHash } from 'node:crypto';
import type { UserActor } from '../../kernel/actor.js';
import { newId } from '../../kernel/id.js';
import { proposePolicy, requestPromotion } from '../../features/approvals/index.js';
import { initialPolicy } from '../../features/approvals/policy-in-force.js';
import { createUseCase } from '../../features/usecases/index.js';
import type { PostedMessage } from '../../integrations/slack.fake.js';
import { decide, givenCard, givenEvidence, type Given } from '../given-change.js';
import { openSlackTest, type SlackTest } from '../given-slack.js';
import { protocolAt, type Protocol } from '../mlflow-door.js';
import { connect } from '../shape/database-shape.js';

/** The one model that everybody tries to move, and everything with which they try. */
export interface World extends SlackTest {
  readonly given: Given;
  readonly name: string;
  /** Version 1, for which champion and the stage Production stand. */
  readonly first: string;
  /** Version 2: READY, and approved for nothing. */
  readonly second: string;
  /** What version 1 was registered from. */
  readonly loggedModel: string;
  readonly otherUseCase: string;
  /** The engineer at both doors, with a token over HTTP. */
  readonly graphql: GraphqlDoor;
  readonly mlflow: Protocol;
  /** Sends bytes to the upload route. */
  readonly upload: (path: string, content: string) => Promise<Answer>;
  /** An open request about champion and version 2, asked for by the engineer, and its message in Slack. */
  readonly asked: { readonly id: string; readonly message: PostedMessage };
  readonly accounts: { readonly engineer: string; readonly validator: string };
}

/** How an attempt ended. */
export interface Answer {
  readonly refused: boolean;
  /** The rule that the refusal names, or its code where it names none. */
  readonly why: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Sends a mutation with its one input, as a person of this role. */
export type GraphqlDoor = (field: string, type: string, input: object, role?: string) => Promise<Answer>;

interface GraphqlBody {
  readonly errors?: readonly {
    readonly extensions?: { readonly code?: string; readonly details?: Record<string, unknown> };
  }[];
}

const answered = (code: string | undefined, details: Record<string, unknown> = {}): Answer => {
  const { rule } = details;
  return { refused: code !== undefined, why: typeof rule === 'string' ? rule : code, details };
};

const graphqlAt = ({ url, tokenOf }: SlackTest['door']): GraphqlDoor => {
  return async (field, type, input, role = 'engineer') => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOf(role)}` },
      body: JSON.stringify({
        query: `mutation ($input: ${type}!) { ${field}(input: $input) { __typename } }`,
        variables: { input },
      }),
    });
    const { errors = [] } = (await response.json()) as GraphqlBody;
    const [error] = errors;
    return answered(error && (error.extensions?.code ?? 'INTERNAL'), error?.extensions?.details);
  };
};

/** What the protocol answered, as all doors are compared. */
export const spoken = async (call: ReturnType<Protocol['send']>): Promise<Answer> => {
  const { status, code, details } = await call;
  return answered(status < 400 ? undefined : (code ?? String(status)), details);
};

const uploadTo =
  (t: SlackTest, token: string) =>
  async (path: string, content: string): Promise<Answer> => {
    const response = await fetch(`${t.door.url}/v1/model-versions/${path}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: content,
    });
    if (response.ok) return answered(undefined);
    const { error } = (await response.json()) as {
      error: { code: string; details: Record<string, unknown> };
    };
    return answered(error.code, error.details);
  };

const policy = (): Record<string, unknown> => {
  const { document } = initialPolicy('enforced');
  const [rule] = document.rules;
  return {
    ...document,
    protectedAliases: ['champion', 'prod*'],
    slackApproval: ['LOW', 'MEDIUM'],
    rules: [rule, { ...rule, name: 'production', alias: 'prod*' }],
  };
};

const approve = async (t: SlackTest, people: Pick<Given, 'validator' | 'compliance'>, id: string) => {
  await decide(t.app, people.validator, id);
  await decide(t.app, people.compliance, id);
};

/** Logs a folder through the protocol and registers it, so that the versions have files. */
const register = async (api: Protocol, name: string, text: string): Promise<string> => {
  const logged = await api.post('logged-models', { experiment_id: '0', name: 'model' });
  const { model_id: id } = (logged.body['model'] as { info: { model_id: string } }).info;
  const description = `flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n# ${text}`;
  await api.put(`0/models/${id}/artifacts/MLmodel`, description);
  await api.send('PATCH', `logged-models/${id}`, { status: 'LOGGED_MODEL_READY' });
  await api.post('model-versions/create', { name, source: `models:/${id}`, model_id: id });
  return id;
};

const rowsOf = async <Row extends object>(t: SlackTest, text: string, values: unknown[] = []) => {
  const client = await connect(t.app.databaseUrl);
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
};

const givenPeople = async ({ app }: SlackTest) => ({
  engineer: await app.actor('engineer'),
  validator: await app.actor('validator'),
  compliance: await app.actor('compliance'),
  owner: await app.actor('owner'),
});

const givenUse = async (t: SlackTest, owner: UserActor, slug: string): Promise<string> => {
  const about = { slug, name: slug, purpose: 'Routing', peopleAffected: 'Applicants', riskTier: 'MEDIUM' };
  return (await t.app.run(createUseCase, owner, { ...about, riskTier: 'MEDIUM' })).id;
};

const ask = async (
  t: SlackTest,
  given: Given,
  alias: string,
  versionId = given.versionId,
): Promise<string> => {
  const { useCaseId, engineer } = given;
  return (await t.app.run(requestPromotion, engineer, { versionId, alias, useCaseId, reason: 'go' })).id;
};

const name = 'routing';

/** Two versions with files, the first of them approved as champion and in Production. */
const givenModel = async (t: SlackTest, api: Protocol) => {
  const people = await givenPeople(t);
  const proposal = await t.app.run(proposePolicy, people.engineer, { document: policy(), reason: 'names' });
  await approve(t, people, proposal.id);
  await api.post('registered-models/create', { name });
  const loggedModel = await register(api, name, 'one');
  await register(api, name, 'two');
  await t.drain();
  const rows = await rowsOf<{ id: string; model_id: string }>(
    t,
    'select id, model_id from model_version order by version',
  );
  const [first = { id: '', model_id: '' }, second = first] = rows;
  const useCaseId = await givenUse(t, people.owner, 'routing');
  const given: Given = { ...people, modelId: first.model_id, versionId: first.id, useCaseId };
  await givenCard(t.app, given);
  await givenEvidence(t.app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  for (const alias of ['champion', 'Production']) await approve(t, people, await ask(t, given, alias));
  await t.drain();
  return { given, first: first.id, second: second.id, loggedModel };
};

/** Opens it, with all three doors. */
export const openWorld = async (): Promise<World> => {
  const t = await openSlackTest({ people: { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } } });
  await t.app.actor('engineer');
  const token = await t.door.tokenOf('engineer');
  const mlflow = protocolAt(`${t.door.url}/mlflow`, token);
  const model = await givenModel(t, mlflow);
  const { given } = model;
  const accounts = { engineer: await t.linked(given.engineer), validator: await t.linked(given.validator) };
  const id = await ask(t, given, 'champion', model.second);
  await t.drain();
  const message = t.slack.posted.filter((one) => one.threadTs === null).at(-1);
  if (!message) throw new Error('The request was not announced');
  return {
    ...t,
    ...model,
    name,
    accounts,
    mlflow,
    otherUseCase: await givenUse(t, given.owner, 'another'),
    graphql: graphqlAt(t.door),
    upload: uploadTo(t, token),
    asked: { id, message },
  };
};

const standing = `
  select jsonb_build_object(
    'model', (select to_jsonb(m) - 'last_version' - 'updated_at' from registered_model m where id = $1),
    'versions', (select jsonb_agg(jsonb_build_array(id, digest, state, stage, deleted_at) order by id)
                   from model_version where id in ($2, $3)),
    'artifacts', (select jsonb_agg(jsonb_build_array(version_id, path, sha256) order by version_id, path)
                    from artifact where version_id in ($2, $3)),
    'names', (select jsonb_agg(to_jsonb(a) order by id) from model_alias a),
    'stages', (select jsonb_agg(jsonb_build_array(id, stage) order by id) from model_version where stage <> 'None'),
    'endpoints', (select count(*) from endpoint),
    'policies', (select count(*) from approval_policy),
    'tiers', (select jsonb_agg(jsonb_build_array(id, risk_tier) order by id) from use_case where id in ($4, $5)),
    'done', (select count(*) from change_request where state in ('APPROVED', 'EXECUTED')),
    'approvals', (select jsonb_agg(jsonb_build_array(id, voided_at) order by id) from approval),
    'attestations', (select count(*) from attestation), 'revoked', (select count(*) from attestation_revocation)) as state`;

const fetched = async ({ mlflow, name: model }: World): Promise<unknown> => {
  const alias = await mlflow.get('registered-models/alias', { name: model, alias: 'champion' });
  const stage = await mlflow.post('registered-models/get-latest-versions', {
    name: model,
    stages: ['Production'],
  });
  const version = alias.body['model_version'] as { version: string } | undefined;
  const staged = stage.body['model_versions'] as { version: string }[] | undefined;
  return { champion: version?.version, production: staged?.map((one) => one.version) };
};

const bytesOf = async ({ door, first }: World): Promise<string> => {
  const response = await fetch(`${door.url}/v1/model-versions/${first}/artifacts/MLmodel`, {
    headers: { authorization: `Bearer ${await door.tokenOf('engineer')}` },
  });
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex');
};

/** What the protected names resolve to, in the tables and as it is fetched through the doors, and what decides on it. */
export const resolved = async (world: World): Promise<unknown> => {
  const { given, first, second, otherUseCase } = world;
  const [row] = await rowsOf<{ state: unknown }>(world, standing, [
    given.modelId,
    first,
    second,
    given.useCaseId,
    otherUseCase,
  ]);
  return { fetched: await fetched(world), bytes: await bytesOf(world), tables: row?.state ?? null };
};

/** How many requests are open. */
export const openRequests = async (world: World): Promise<number> => {
  const [row] = await rowsOf<{ open: number }>(
    world,
    `select count(*)::int as open from change_request where state = 'OPEN'`,
  );
  return row?.open ?? 0;
};

/** Somebody in Slack sends what the interface never offers: a form with this in it, and whatever seal. */
export const forgedForm = (world: World, user: string, change: { seal?: string; id?: string } = {}) => {
  const { port, slack, asked, app } = world;
  const { ts, channel } = asked.message;
  const value = {
    workspaceId: app.workspaceId,
    changeRequestId: change.id ?? asked.id,
    manifestSha256: '0'.repeat(64),
    deed: 'approve',
    teamId: slack.teamId,
    ...{ user, channel, ts },
  };
  return { id: `V${newId()}`, privateMetadata: change.seal ?? port.seal('form', value) };
};
