import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTestDoor } from '../../testing/http-door.js';
import { protocolAt, type Protocol, type ProtocolAnswer } from '../../testing/mlflow-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
let api: Protocol;
let nobody: Protocol;
let runId = '';
let modelId = '';
let address = '';

beforeAll(async () => {
  app = await testApp();
  await app.actor('engineer');
  const door = await openTestDoor(app, {
    environment: { RATE_LIMIT_PER_MINUTE: '1000000', ARTIFACT_MAX_MB: '1' },
  });
  address = `${door.url}/mlflow`;
  api = protocolAt(address, await door.tokenOf('engineer'));
  nobody = protocolAt(address, null);
  await api.post('registered-models/create', { name: 'known' });
  await api.post('model-versions/create', { name: 'known', source: 's3://elsewhere/model' });
  const run = await api.post('runs/create', { experiment_id: '0' });
  runId = (run.body['run'] as { info: { run_id: string } }).info.run_id;
  const model = await api.post('logged-models', { experiment_id: '0', name: 'logged' });
  modelId = (model.body['model'] as { info: { model_id: string } }).info.model_id;
});

/** Every route with the fields that it cannot do without. */
const routes: [string, string, Record<string, unknown>][] = [
  ['POST', 'experiments/create', { name: 'x' }],
  ['GET', 'experiments/get', { experiment_id: '0' }],
  ['GET', 'experiments/get-by-name', { experiment_name: 'Default' }],
  ['POST', 'experiments/update', { experiment_id: '0', new_name: 'x' }],
  ['POST', 'experiments/delete', { experiment_id: '0' }],
  ['POST', 'experiments/restore', { experiment_id: '0' }],
  ['POST', 'experiments/set-experiment-tag', { experiment_id: '0', key: 'k', value: 'v' }],
  ['DELETE', 'experiments/delete-experiment-tag', { experiment_id: '0', key: 'k' }],
  ['GET', 'runs/get', { run_id: 'r' }],
  ['POST', 'runs/update', { run_id: 'r' }],
  ['POST', 'runs/delete', { run_id: 'r' }],
  ['POST', 'runs/restore', { run_id: 'r' }],
  ['POST', 'runs/log-metric', { run_id: 'r', key: 'k', value: 1, timestamp: 1 }],
  ['POST', 'runs/log-parameter', { run_id: 'r', key: 'k', value: 'v' }],
  ['POST', 'runs/log-batch', { run_id: 'r' }],
  ['POST', 'runs/set-tag', { run_id: 'r', key: 'k', value: 'v' }],
  ['POST', 'runs/delete-tag', { run_id: 'r', key: 'k' }],
  ['POST', 'runs/log-inputs', { run_id: 'r' }],
  ['POST', 'runs/outputs', { run_id: 'r' }],
  ['GET', 'metrics/get-history', { run_id: 'r', metric_key: 'k' }],
  ['GET', 'artifacts/list', { run_id: 'r' }],
  ['POST', 'registered-models/create', { name: 'x' }],
  ['GET', 'registered-models/get', { name: 'known' }],
  ['PATCH', 'registered-models/update', { name: 'known' }],
  ['POST', 'registered-models/rename', { name: 'known', new_name: 'x' }],
  ['DELETE', 'registered-models/delete', { name: 'known' }],
  ['POST', 'registered-models/get-latest-versions', { name: 'known' }],
  ['POST', 'registered-models/set-tag', { name: 'known', key: 'k' }],
  ['DELETE', 'registered-models/delete-tag', { name: 'known', key: 'k' }],
  ['POST', 'registered-models/alias', { name: 'known', alias: 'a', version: '1' }],
  ['GET', 'registered-models/alias', { name: 'known', alias: 'a' }],
  ['DELETE', 'registered-models/alias', { name: 'known', alias: 'a' }],
  ['POST', 'model-versions/create', { name: 'known', source: 's3://x' }],
  ['GET', 'model-versions/get', { name: 'known', version: '1' }],
  ['PATCH', 'model-versions/update', { name: 'known', version: '1' }],
  ['DELETE', 'model-versions/delete', { name: 'known', version: '1' }],
  ['GET', 'model-versions/get-download-uri', { name: 'known', version: '1' }],
  ['POST', 'model-versions/transition-stage', { name: 'known', version: '1', stage: 'Staging' }],
  ['POST', 'model-versions/set-tag', { name: 'known', version: '1', key: 'k' }],
  ['DELETE', 'model-versions/delete-tag', { name: 'known', version: '1', key: 'k' }],
];

const call = (method: string, path: string, input: Record<string, unknown>): Promise<ProtocolAnswer> =>
  method === 'GET' ? api.get(path, input as Record<string, string>) : api.send(method, path, input);

/** Never a fault of ours, and never a code that makes a client send the same again. */
const refusals = new Set([
  'INVALID_PARAMETER_VALUE',
  'RESOURCE_DOES_NOT_EXIST',
  'RESOURCE_ALREADY_EXISTS',
  'RESOURCE_CONFLICT',
  'PERMISSION_DENIED',
]);

const wrong: [string, unknown][] = [
  ['nothing', undefined],
  ['an empty text', ''],
  ['a number', 7],
  ['an object', { a: { b: 1 } }],
  ['a list', [['x']]],
  ['a NUL', 'a\u0000b'],
  ['half a letter', '\ud800'],
  ['a way out', '../../etc/passwd'],
  ['a way out in code', '%2e%2e%2f%2e%2e%2fetc'],
  ['a million letters', 'x'.repeat(1_000_000)],
  ['letters that nobody sees', 'a\u202e\u200bb'],
  ['the name of a property', '__proto__'],
  ['a piece of SQL', `'; drop table experiment; --`],
];

/** What is wrong with the answers to one field in all wrong forms. */
const faultsOf = async (
  [method, path, input]: readonly [string, string, Record<string, unknown>],
  field: string,
): Promise<string[]> => {
  const { [field]: _, ...others } = input;
  // A query has room for an address only.
  const forms = wrong.filter(([, value]) => method !== 'GET' || String(value).length < 10_000);
  const faults: string[] = [];
  for (const [kind, value] of forms) {
    const answer = await call(method, path, value === undefined ? others : { ...others, [field]: value });
    if (answer.status === 200 || refusals.has(answer.code ?? '')) continue;
    faults.push(`${field} is ${kind}: ${String(answer.status)} ${answer.code ?? ''}`);
  }
  return faults;
};

test.each(routes)('%s %s answers every wrong field with its documented error', async (...given) => {
  for (const field of Object.keys(given[2])) expect(await faultsOf(given, field)).toEqual([]);
});

test.each(routes)('%s %s asks who it is first', async (method, path, input) => {
  const answer =
    method === 'GET'
      ? await nobody.get(path, input as Record<string, string>)
      : await nobody.send(method, path, input);
  expect([answer.status, answer.code]).toEqual([401, 'UNAUTHENTICATED']);
});

describe('bodies', () => {
  test.each([
    ['no JSON', '{"name": '],
    ['a list', '[1, 2]'],
    ['a text', '"name"'],
    ['a depth that no parser should follow', '['.repeat(500_000)],
    ['a prototype', '{"__proto__": {"name": "x"}, "constructor": {"prototype": {}}}'],
  ])('%s is refused', async (_, body) => {
    const { status, code } = await api.send('POST', 'registered-models/create', body);
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test('a tag of 10 MB is refused in one answer, that is read', async () => {
    const value = 'x'.repeat(10_000_000);
    for (const [path, input] of [
      ['registered-models/set-tag', { name: 'known', key: 'k', value }],
      ['runs/set-tag', { run_id: runId, key: 'k', value }],
    ] as const) {
      const { status, code } = await api.post(path, input);
      expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    }
  });

  test('a batch of more than a thousand measurements is refused, and nothing of it is kept', async () => {
    const metrics = Array.from({ length: 1001 }, (_, step) => ({
      key: 'm',
      value: step,
      timestamp: 1,
      step,
    }));
    expect((await api.post('runs/log-batch', { run_id: runId, metrics })).status).toBe(400);
    const { body } = await api.get('metrics/get-history', { run_id: runId, metric_key: 'm' });
    expect(body['metrics']).toEqual([]);
  });

  test('a parameter that has another value already is refused with both values', async () => {
    await api.post('runs/log-parameter', { run_id: runId, key: 'depth', value: '1' });
    const { status, code, message } = await api.post('runs/log-parameter', {
      run_id: runId,
      key: 'depth',
      value: '2',
    });
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    expect(message).toContain("already logged with value='1'");
  });
});

describe('filters', () => {
  const bombs = [
    "name = 'x",
    'name LIKE',
    'name ~ 1',
    "name = 'x' OR name = 'y'",
    "unknown.key = 'x'",
    "name > 'x'",
    'version_number = 1',
    'tags.`k` IN ()',
    '('.repeat(20_000),
    `name = '${'a'.repeat(50_000)}'`,
    Array.from({ length: 200 }, () => "name = 'x'").join(' AND '),
    "name = 'a' AND AND name = 'b'",
    'metrics..x > 1',
    "name = 'x'; drop table registered_model",
  ];

  test.each(bombs)('%s is refused by name', async (filter) => {
    const { status, code } = await api.send('POST', 'runs/search', { experiment_ids: ['0'], filter });
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test.each([
    `name LIKE '${'%a'.repeat(2000)}b'`,
    `name ILIKE '${'_%'.repeat(2000)}'`,
    `name LIKE '${'(a+)+'.repeat(500)}$'`,
    "name LIKE '\\\\\\'",
  ])('a pattern that would hang a matcher is answered at once', async (filter) => {
    const started = performance.now();
    const { status } = await api.get('registered-models/search', { filter });
    expect(status === 200 || status === 400).toBe(true);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test.each(['x', 'bm90IGpzb24', Buffer.from('["1"]').toString('base64url'), 'x'.repeat(9000)])(
    'a page token of another search is refused: %s',
    async (token) => {
      const { status, code } = await api.get('model-versions/search', { page_token: token });
      expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    },
  );

  test.each(['0', '-1', '1000000000', 'many', '1e3.5'])('%s results are refused', async (count) => {
    const { status, code } = await api.get('registered-models/search', { max_results: count });
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test.each(['name; drop table x', 'unknown', 'name SIDEWAYS', 'metrics.`x', '1'])(
    'the order «%s» is refused',
    async (order) => {
      const { status, code } = await api.get('registered-models/search', { order_by: [order] });
      expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
    },
  );
});

describe('artifacts', () => {
  const outside = [
    '../secret',
    'a/../../secret',
    '%2e%2e/secret',
    '%2e%2e%2fsecret',
    '..%2fsecret',
    '%252e%252e%252fsecret',
    '%25252e%25252e/secret',
    '..%5csecret',
    'a%00b',
    './a',
    'a//b',
    '%2fetc%2fpasswd',
    'c:%5cwindows',
    'C:/windows',
    'a%0ab',
  ];

  test.each(outside)('no verb follows «%s»', async (path) => {
    const base = `/api/2.0/mlflow-artifacts/artifacts`;
    const place = `0/${runId}/artifacts/${path}`;
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect([method, [400, 404].includes(await api.raw(method, `${base}/${place}`))]).toEqual([
        method,
        true,
      ]);
    }
    const listed = await api.raw('GET', `${base}?path=${encodeURIComponent(decodeURIComponent(place))}`);
    expect([400, 404]).toContain(listed);
  });

  test.each([
    ['the place of nobody', 'x/y'],
    ['another experiment', () => `7/${runId}/artifacts/a`],
    ['a run that is not there', () => `0/${randomUUID().replaceAll('-', '')}/artifacts/a`],
    ['a version', () => `versions/${randomUUID()}/artifacts/a`],
    ['no file', () => `0/${runId}/artifacts`],
  ])('nothing is put to %s', async (_, path) => {
    const { status } = await api.put(typeof path === 'string' ? path : path(), 'content');
    expect([400, 404, 409]).toContain(status);
  });

  test('a file that is too large is refused after it was sent, so that the client hears it', async () => {
    const { status, code } = await api.put(`0/${runId}/artifacts/large`, new Uint8Array(3_000_000));
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test('a path is a file or a folder, never both', async () => {
    expect((await api.put(`0/${runId}/artifacts/place`, 'a')).status).toBe(200);
    expect((await api.put(`0/${runId}/artifacts/place/inside`, 'a')).status).toBe(409);
    expect((await api.put(`0/${runId}/artifacts/folder/inside`, 'a')).status).toBe(200);
    expect((await api.put(`0/${runId}/artifacts/folder`, 'a')).status).toBe(409);
  });

  test('what is READY is neither changed nor deleted nor added to', async () => {
    const place = `0/models/${modelId}/artifacts`;
    expect((await api.put(`${place}/MLmodel`, 'flavors: {x: {}}')).status).toBe(200);
    expect(
      (await api.send('PATCH', `logged-models/${modelId}`, { status: 'LOGGED_MODEL_READY' })).status,
    ).toBe(200);
    expect((await api.put(`${place}/MLmodel`, 'other')).status).toBe(409);
    expect((await api.put(`${place}/more`, 'other')).status).toBe(409);
    const gone = await api.send('DELETE', `/api/2.0/mlflow-artifacts/artifacts/${place}/MLmodel`);
    expect(gone.status).toBe(409);
    const again = await api.send('PATCH', `logged-models/${modelId}`, {
      status: 'LOGGED_MODEL_UPLOAD_FAILED',
    });
    expect(again.status).toBe(409);
  });

  test('parts are declined in the words that clients look for', async () => {
    const { status, message } = await api.post('/api/2.0/mlflow-artifacts/mpu/create/0/x', {});
    expect(status).toBe(400);
    expect(message).toMatch(/^Multipart upload is not supported for the current artifact repository/);
  });

  test.each([
    '/etc/passwd',
    'file:///etc/passwd',
    'mlflow-artifacts:/0/../x',
    'relative/path',
    'models:/known',
    'models:/known/x',
    'runs:/nothing/model',
    'C:\\models\\x',
  ])('no version is made of %s', async (source) => {
    await api.post('registered-models/create', { name: 'sources' });
    const { status, code } = await api.post('model-versions/create', { name: 'sources', source });
    expect([status, code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });
});

describe('what is not served', () => {
  test.each([
    ['GET', '/api/2.0/mlflow/webhooks'],
    ['POST', '/api/2.0/mlflow/traces'],
    ['GET', '/api/3.0/mlflow/traces/x'],
    ['POST', '/ajax-api/2.0/mlflow/runs/search'],
    ['POST', '/graphql'],
    ['PUT', '/api/2.0/mlflow/runs/create'],
    ['GET', '/'],
    ['GET', '/static-files/index.html'],
  ])('%s %s is ENDPOINT_NOT_FOUND as JSON', async (method, path) => {
    const { status, code } = await api.send(method, path);
    expect([status, code]).toEqual([404, 'ENDPOINT_NOT_FOUND']);
  });

  test('what clients ask before they know anybody is answered to everybody', async () => {
    expect((await nobody.get('/health')).body).toEqual({ text: 'OK' });
    expect((await nobody.get('/version')).body).toEqual({ text: '3.17.2' });
    expect((await nobody.get('/api/3.0/mlflow/server-info')).body).toMatchObject({
      multipart_uploads_enabled: false,
    });
  });

  test('a workspace that the token is not for is not found', async () => {
    const other = protocolAt(address.replace('/mlflow', '/w/elsewhere/mlflow'), null);
    expect((await other.get('registered-models/search')).status).toBe(401);
  });
});
