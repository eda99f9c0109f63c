import { request as httpRequest } from 'node:http';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openMlflowServer } from '../../integrations/mlflow-server.js';
import { atEnd } from '../../testing/at-end.js';
import { decide, givenCard, givenEvidence, type Given } from '../../testing/given-change.js';
import { givenUseCase } from '../../testing/given-version.js';
import { openTestDoor, type TestDoor } from '../../testing/http-door.js';
import { protocolAt, type Protocol } from '../../testing/mlflow-door.js';
import { openFakeMlflow, type FakeMlflow } from '../../testing/mlflow-fake.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
let door: TestDoor;
let fake: FakeMlflow;
let api: Protocol;
let token = '';

const rows = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => db.sql<Row>(text, values));
};

const description = 'flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n';

/** A version there with one file that intake accepts. */
const givenThere = (name: string, more = {}): void => {
  const version = fake.addVersion(name, more);
  fake.files.set(`${version.source.replace('mlflow-artifacts:/', '')}/MLmodel`, `${description}# ${name}`);
};

const register = async (name: string): Promise<void> => {
  await api.post('registered-models/create', { name });
  const source = `mlflow-artifacts:/1/models/m-${name}/artifacts`;
  fake.files.set(`1/models/m-${name}/artifacts/MLmodel`, `${description}# ${name}`);
  const { status } = await api.post('model-versions/create', { name, source });
  expect(status).toBe(200);
  await app.drainJobs();
};

const aliasThere = (name: string, alias = 'champion'): string | undefined =>
  fake.models.get(name)?.aliases.get(alias);

const promote = (name: string, version = '1') =>
  api.post('registered-models/alias', { name, alias: 'champion', version });

/** Champion of a model as people approved it, there too. */
const approve = async (name: string): Promise<void> => {
  const useCaseId = await givenUseCase(app);
  const [version] = await rows<{ versionId: string; modelId: string }>(
    `select v.id as "versionId", m.id as "modelId" from model_version v join registered_model m on m.id = v.model_id
      where m.name = $1 and v.version = 1`,
    [name],
  );
  const given: Given = {
    modelId: version?.modelId ?? '',
    versionId: version?.versionId ?? '',
    useCaseId,
    engineer: await app.actor('engineer'),
    validator: await app.actor('validator'),
    compliance: await app.actor('compliance'),
    owner: await app.actor('owner'),
  };
  await api.post('model-versions/set-tag', {
    name,
    version: '1',
    key: 'countersign.use_case',
    value: useCaseId,
  });
  const refused = await promote(name);
  expect(refused, refused.message).toMatchObject({ status: 403, details: { changeRequest: {} } });
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  const { id } = refused.details?.['changeRequest'] as { id: string };
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  await app.drainJobs();
};

beforeAll(async () => {
  fake = await openFakeMlflow();
  const server = openMlflowServer({ url: fake.url, token: 'shown-to-them', answerMs: 1500 });
  app = await testApp({ modelServers: { front: { server, workspace: 'main' }, source: null } });
  for (const role of ['engineer', 'auditor', 'owner', 'validator', 'compliance'] as const)
    await app.actor(role);
  door = await openTestDoor(app, {
    environment: { RATE_LIMIT_PER_MINUTE: '1000000', ARTIFACT_MAX_MB: '1' },
  });
  token = await door.tokenOf('engineer');
  api = protocolAt(`${door.url}/mlflow`, token);
  await register('guarded');
  await approve('guarded');
  fake.addVersion('guarded');
});

beforeEach(() => {
  fake.requests.length = 0;
  fake.silent = false;
});

test('what was approved stands there, and the same call succeeds', async () => {
  expect(aliasThere('guarded')).toBe('1');
  expect((await promote('guarded')).status).toBe(200);
  const read = await api.get('model-versions/get', { name: 'guarded', version: '1' });
  expect(read.body).toMatchObject({ model_version: { status: 'READY' } });
  expect(JSON.stringify(read.body)).toContain('countersign.approvals');
});

const alias = { name: 'guarded', alias: 'champion' };
const bypasses: [string, string, string, object][] = [
  ['another version', 'POST', '/api/2.0/mlflow/registered-models/alias', { ...alias, version: '2' }],
  [
    'capitals',
    'POST',
    '/api/2.0/mlflow/registered-models/alias',
    { ...alias, alias: 'Champion', version: '2' },
  ],
  ['its pages', 'POST', '/ajax-api/2.0/mlflow/registered-models/alias', { ...alias, version: '2' }],
  ['the alias away', 'DELETE', '/api/2.0/mlflow/registered-models/alias', alias],
  ['an escaped letter', 'DELETE', '/api/2.0/mlflow/registered%2Dmodels/alias', alias],
  ['an escaped slash', 'DELETE', '/api/2.0/mlflow%2Fregistered-models/alias', alias],
  ['twice a slash', 'DELETE', '/api/2.0//mlflow/registered-models/alias', alias],
  ['an older address', 'DELETE', '/api/2.0/preview/mlflow/registered-models/alias', alias],
  ['another version of the protocol', 'DELETE', '/api/3.0/mlflow/registered-models/alias', alias],
  ['another case', 'DELETE', '/api/2.0/mlflow/Registered-Models/alias', alias],
  ['a slash at the end', 'DELETE', '/api/2.0/mlflow/registered-models/alias/', alias],
  ['a verb that is not known', 'POST', '/api/2.0/mlflow/model-versions/become', alias],
  ['the version away', 'DELETE', '/api/2.0/mlflow/model-versions/delete', { name: 'guarded', version: '1' }],
  ['the model away', 'DELETE', '/api/2.0/mlflow/registered-models/delete', { name: 'guarded' }],
  ['another name', 'POST', '/api/2.0/mlflow/registered-models/rename', { name: 'guarded', new_name: 'free' }],
  [
    'the spelling of the other kind',
    'POST',
    '/api/2.0/mlflow/registered-models/rename',
    { name: 'guarded', newName: 'free' },
  ],
];

test.each(bypasses)('%s: nothing is moved there, nor asked of it', async (_, method, path, body) => {
  const answer = await api.send(method, path, body);
  expect([400, 403, 404]).toContain(answer.status);
  expect(answer.code).toMatch(
    /PERMISSION_DENIED|ENDPOINT_NOT_FOUND|INVALID_PARAMETER_VALUE|RESOURCE_DOES_NOT_EXIST/,
  );
  expect(aliasThere('guarded')).toBe('1');
  expect(fake.models.get('guarded')?.versions[0]?.version).toBe('1');
  const asked = fake.requests.filter(({ method: verb }) => verb !== 'GET');
  expect(asked).toEqual([]);
});

test('our credentials stay here, theirs are shown, and what else could be read wrong is left out', async () => {
  const response = await fetch(`${door.url}/mlflow/api/2.0/mlflow/experiments/get?experiment_id=1`, {
    headers: {
      authorization: `Basic ${Buffer.from(`anybody:${token}`).toString('base64')}`,
      cookie: 'session=ours',
      'x-countersign-workspace': 'main',
      'x-mlflow-workspace': 'main',
      'x-forwarded-for': '127.0.0.1',
      'x-http-method-override': 'DELETE',
    },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('set-cookie')).toBeNull();
  expect(response.headers.get('content-security-policy')).toContain('sandbox');
  const [asked] = fake.requests;
  expect(asked?.url).toBe('/api/2.0/mlflow/experiments/get?experiment_id=1');
  expect(asked?.headers.authorization).toBe('Bearer shown-to-them');
  for (const name of [
    'cookie',
    'x-countersign-workspace',
    'x-mlflow-workspace',
    'x-forwarded-for',
    'x-http-method-override',
  ]) {
    expect(asked?.headers).not.toHaveProperty(name);
  }
  expect(JSON.stringify(asked)).not.toContain(token);
});

test.each([
  '/../admin',
  '/api/2.0/mlflow-artifacts/artifacts/1/%2e%2e/2/x',
  '/api/2.0/mlflow-artifacts/artifacts/1/%252e%252e/2/x',
  '/api/2.0/mlflow-artifacts/artifacts/1/..%2f2/x',
  '/static-files/..%5c..%5cetc',
  '/get-artifact?path=../../etc/passwd&run_uuid=1',
  '/api/2.0/mlflow-artifacts/artifacts/1/%00',
  '/ajax-api/3.0/mlflow/assistant/config',
])('%s does not get there', async (path) => {
  expect(await api.raw('GET', path)).toBeGreaterThanOrEqual(400);
  expect(fake.requests).toEqual([]);
});

test('files of what was registered stay as they are, whichever way they are written', async () => {
  const place = '1/models/m-guarded/artifacts';
  expect(await api.put(`${place}/MLmodel`, 'other')).toMatchObject({ status: 409 });
  expect(await api.put(`${place}/new/file`, 'other')).toMatchObject({ status: 409 });
  const base = '/api/2.0/mlflow-artifacts';
  expect((await api.send('DELETE', `${base}/artifacts/1/models`)).status).toBe(409);
  expect(
    (await api.post(`${base}/mpu/create/${place}/MLmodel`, { path: 'MLmodel', num_parts: 1 })).status,
  ).toBe(409);
  expect((await api.post('artifacts/presigned-upload-url', { path: place })).status).toBe(404);
  expect((await api.post('/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&path=x', {})).status).toBe(404);
  expect(fake.requests).toEqual([]);
  expect((await api.put('1/free/artifacts/x', 'x')).status).toBe(200);
  expect(fake.files.get('1/free/artifacts/x')).toBe('x');
});

test('an upload that began before its place was closed does not end after it', async () => {
  const place = '1/models/m-slow/artifacts/MLmodel';
  fake.files.set(place, `${description}# slow`);
  const { hostname, port } = new URL(door.url);
  const headers = { authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' };
  const path = `/mlflow/api/2.0/mlflow-artifacts/artifacts/${place}`;
  const upload = httpRequest({ hostname, port, path, method: 'PUT', headers });
  const status = new Promise((resolve, reject) => {
    upload.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    upload.once('error', reject);
  });
  atEnd(() => {
    upload.destroy();
    return Promise.resolve();
  });
  // What is under way was allowed when it began.
  await expect
    .poll(() => {
      upload.write('otherwise ');
      return fake.requests.some(({ method }) => method === 'PUT');
    })
    .toBe(true);
  await api.post('registered-models/create', { name: 'slow' });
  const source = 'mlflow-artifacts:/1/models/m-slow/artifacts';
  expect((await api.post('model-versions/create', { name: 'slow', source })).status).toBe(200);
  upload.end('wise');
  expect(await status).toBe(409);
  expect(fake.files.get(place)).toBe(`${description}# slow`);
});

test('whoever may only read, only reads', async () => {
  const reader = protocolAt(`${door.url}/mlflow`, await door.tokenOf('auditor'));
  expect((await reader.get('experiments/get', { experiment_id: '1' })).status).toBe(200);
  expect((await reader.post('runs/search', {})).status).toBe(200);
  fake.requests.length = 0;
  expect(await reader.post('runs/create', {})).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  expect((await reader.put('1/free/artifacts/y', 'y')).status).toBe(403);
  expect((await api.post('/api/2.0/mlflow/webhooks', {})).status).toBe(403);
  expect((await protocolAt(`${door.url}/mlflow`, null).get('experiments/get')).status).toBe(401);
  expect(fake.requests).toEqual([]);
});

test('what is too large is refused, also when nobody said how large it would be', async () => {
  expect((await api.put('1/free/artifacts/large', 'x'.repeat(1_200_000))).status).toBe(400);
  const { hostname, port } = new URL(door.url);
  const status = await new Promise((resolve, reject) => {
    const path = '/mlflow/api/2.0/mlflow-artifacts/artifacts/1/free/artifacts/larger';
    const headers = { authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' };
    const request = httpRequest({ hostname, port, path, method: 'PUT', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('error', reject);
    request.end('x'.repeat(1_200_000));
  });
  expect(status).toBe(400);
  expect(fake.files.has('1/free/artifacts/larger')).toBe(false);
});

test('a server that says nothing is named, in time, and not as something to be tried again', async () => {
  fake.silent = true;
  const passed = await api.get('experiments/get', { experiment_id: '1' });
  expect(passed).toMatchObject({ status: 424, code: 'TEMPORARILY_UNAVAILABLE' });
  expect(passed.message).toContain(`(${fake.url}) is unreachable`);
  const gated = await api.post('registered-models/alias', {
    name: 'guarded',
    alias: 'candidate',
    version: '1',
  });
  expect(gated).toMatchObject({ status: 424, code: 'TEMPORARILY_UNAVAILABLE' });
  expect(gated.message).not.toContain('shown-to-them');
});

test('a version that was made anew behind the gate does not take the place of the approved one', async () => {
  await register('swapped');
  await approve('swapped');
  const version = fake.models.get('swapped')?.versions[0];
  if (version) version.creation_timestamp += 5;
  expect(await promote('swapped')).toMatchObject({ status: 403, details: { rule: 'upstream-differs' } });
});

test('a protected name that stood there before the gate is read as it stands, found, and not taken away', async () => {
  givenThere('older');
  fake.models.get('older')?.aliases.set('champion', '1');
  const read = await api.get('registered-models/alias', { name: 'older', alias: 'champion' });
  expect(read.body).toMatchObject({ model_version: { version: '1' } });
  const findings = await rows<{ title: string }>(`select title from finding where title like '%of older%'`);
  expect(findings).toHaveLength(1);
  for (const [method, path, body] of [
    ['DELETE', 'model-versions/delete', { name: 'older', version: '1' }],
    ['DELETE', 'registered-models/delete', { name: 'older' }],
    ['POST', 'registered-models/rename', { name: 'older', new_name: 'newer' }],
  ] as const) {
    expect(await api.send(method, path, body)).toMatchObject({ status: 403, code: 'PERMISSION_DENIED' });
  }
  expect(fake.models.has('older')).toBe(true);
});

test('whoever registered a version is its maker, also when it was written down there only', async () => {
  const engineer = await app.actor('engineer');
  givenThere('orphan', { tags: [{ key: 'countersign.registered_by', value: engineer.id }] });
  await api.post('registered-models/alias', { name: 'orphan', alias: 'candidate', version: '1' });
  const made = await rows<{ by: string }>(
    `select v.created_by as by from model_version v join registered_model m on m.id = v.model_id where m.name = 'orphan'`,
  );
  expect(made).toEqual([{ by: engineer.id }]);
  const mine = { name: 'orphan', source: 'mlflow-artifacts:/1/models/m-x/artifacts' };
  const tags = [{ key: 'countersign.registered_by', value: 'somebody else' }];
  await api.post('model-versions/create', { ...mine, tags });
  expect(fake.models.get('orphan')?.versions[1]?.tags).toEqual([
    { key: 'countersign.registered_by', value: engineer.id },
  ]);
});

test('a version whose files are not there is refused by intake, and says why', async () => {
  await api.post('registered-models/create', { name: 'empty' });
  await api.post('model-versions/create', {
    name: 'empty',
    source: 'mlflow-artifacts:/1/models/m-empty/artifacts',
  });
  await app.drainJobs();
  const read = await api.get('model-versions/get', { name: 'empty', version: '1' });
  expect(read.body).toMatchObject({ model_version: { status: 'FAILED_REGISTRATION' } });
});

test('another workspace is served by us and never sees that server', async () => {
  const workspaceId = await app.otherWorkspace();
  await app.actor('engineer', { name: 'elsewhere', workspaceId });
  const slug = 'other-1';
  const [, ...others] = await Promise.all([
    app.actor('engineer', { name: 'both' }),
    app.actor('engineer', { name: 'both', workspaceId }),
  ]);
  expect(others).toHaveLength(1);
  const response = await fetch(`${door.url}/w/${slug}/mlflow/get-artifact`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(fake.requests).toEqual([]);
});
