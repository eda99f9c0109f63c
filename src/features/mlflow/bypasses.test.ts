import { beforeAll, expect, test } from 'vitest';
import {
  champion,
  decide,
  givenPromotable,
  givenChampion,
  givenNextVersion,
  type Given,
} from '../../testing/given-change.js';
import { openTestDoor } from '../../testing/http-door.js';
import { protocolAt, type Protocol } from '../../testing/mlflow-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { changeStandings, proposePolicy } from '../approvals/index.js';
import { initialPolicy } from '../approvals/policy-in-force.js';

let app: TestApp;
let api: Protocol;
let given: Given;
let name = '';
/** The second version, which nobody approved. */
let second = '';

const rows = <Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => db.sql<Row>(text, values));
};

/** A policy that protects by pattern, stages among them. */
const protectMore = async (): Promise<void> => {
  const { document } = initialPolicy('enforced');
  const [rule] = document.rules;
  const proposed = {
    ...document,
    protectedAliases: ['champion', 'prod*'],
    rules: [rule, { ...rule, name: 'production', alias: 'prod*' }],
  };
  const [engineer, validator, compliance] = [given.engineer, given.validator, given.compliance];
  const { id } = await app.run(proposePolicy, engineer, { document: proposed, reason: 'Stages too' });
  await decide(app, validator, id);
  await decide(app, compliance, id);
};

beforeAll(async () => {
  app = await testApp();
  given = await givenPromotable(app);
  await protectMore();
  await givenChampion(app, given);
  second = await givenNextVersion(app, given.engineer, given.modelId);
  const [model] = await rows<{ name: string }>('select name from registered_model where id = $1', [
    given.modelId,
  ]);
  name = model?.name ?? '';
  const door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  api = protocolAt(`${door.url}/mlflow`, await door.tokenOf('engineer'));
});

const resolves = async (): Promise<unknown> => {
  const alias = await api.get('registered-models/alias', { name, alias: 'champion' });
  const version = alias.body['model_version'] as { version?: string } | undefined;
  return { alias: version?.version, champion: await champion(app, given.modelId) };
};

const alias =
  (to: string, as = 'champion') =>
  () =>
    api.post('registered-models/alias', { name, alias: as, version: to });
const alike = ['ROUTING-1', 'routing-1 ', 'rоuting-1', 'routing\u20111', 'ｒouting-1'];

test.each(alike)('a model called «%s» cannot stand beside the one that it looks like', async (other) => {
  const created = await api.post('registered-models/create', { name: other });
  expect([400, 404]).toContain(created.status);
  const version = await api.post('model-versions/create', { name: other, source: 's3://elsewhere/model' });
  expect(version.status).toBeGreaterThanOrEqual(400);
  expect(
    await rows('select 1 from registered_model where deleted_at is null and name <> $1', [name]),
  ).toEqual([]);
});

test('a copy under another name is not what the protected name resolves to', async () => {
  const before = await resolves();
  await api.post('registered-models/create', { name: 'copied' });
  const copied = await api.post('model-versions/create', { name: 'copied', source: `models:/${name}/2` });
  // It stands elsewhere and has no files, so there is nothing to copy.
  expect(copied.status).toBe(409);
  expect((await api.get('registered-models/alias', { name: 'copied', alias: 'champion' })).status).toBe(400);
  expect(await resolves()).toEqual(before);
});

test('a name that was deleted and made again inherits neither alias nor approval', async () => {
  const create = async (): Promise<void> => {
    await api.post('registered-models/create', { name: 'again' });
    await api.post('model-versions/create', { name: 'again', source: 's3://elsewhere/model' });
    await api.post('registered-models/alias', { name: 'again', alias: 'canary', version: '1' });
  };
  await create();
  expect((await api.send('DELETE', 'registered-models/delete', { name: 'again' })).status).toBe(200);
  await api.post('registered-models/create', { name: 'again' });
  const { body } = await api.get('registered-models/get', { name: 'again' });
  expect(body['registered_model']).toMatchObject({ aliases: [], tags: [], latest_versions: [] });
});

test('repeated refusals point to the one request, which another version does not replace', async () => {
  const first = await alias('2')();
  const again = await alias('2')();
  const third = await givenNextVersion(app, given.engineer, given.modelId);
  const other = await alias('3')();

  const number = (first.details?.['changeRequest'] as { number: number }).number;
  for (const { details, message } of [first, again, other]) {
    expect(details).toMatchObject({ changeRequest: { number } });
    expect(message).toContain(`/changes/${String(number)}`);
  }
  expect(other.message).toContain('another version');
  const open = await rows<{ version: string }>(
    `select version_id as version from change_request where state = 'OPEN' and alias = 'champion'`,
  );
  expect(open).toEqual([{ version: second }]);
  expect(third).not.toBe(second);
});

test('the request that a refusal opened is a request like any other', async () => {
  await alias('2')();
  const [change] = await rows<{ id: string }>(
    `select id from change_request where state = 'OPEN' and alias = 'champion'`,
  );
  const [standing] = await app.ask(changeStandings, given.validator, { ids: [change?.id ?? ''] });
  expect(standing).toMatchObject({ ready: false });
});

test('who may not move aliases is told so, and asks for nothing', async () => {
  const before = await rows('select count(*) from change_request');
  await app.actor('auditor');
  const door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  const reader = protocolAt(`${door.url}/mlflow`, await door.tokenOf('auditor'));
  for (const as of ['champion', 'canary']) {
    const { status, code } = await reader.post('registered-models/alias', { name, alias: as, version: '2' });
    expect({ status, code }).toEqual({ status: 403, code: 'PERMISSION_DENIED' });
  }
  expect(await rows('select count(*) from change_request')).toEqual(before);
});
