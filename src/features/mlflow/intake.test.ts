import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { asSystem } from '../../kernel/system.js';
import { openTestDoor } from '../../testing/http-door.js';
import { protocolAt, type Protocol } from '../../testing/mlflow-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
let api: Protocol;
const dist = join(installationRoot, 'dist');

beforeAll(async () => {
  // What ships is what is killed: the workers below run the built product.
  execFileSync(process.execPath, [join(installationRoot, 'scripts', 'build.mjs')], { stdio: 'ignore' });
  app = await testApp();
  await app.actor('engineer');
  const door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  api = protocolAt(`${door.url}/mlflow`, await door.tokenOf('engineer'));
});

const description = (more = ''): string =>
  `flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n${more}`;
const pickle = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'latin1'));

/** Logs a folder and registers it; the files are made different by the name, unless they are given. */
const register = async (
  name: string,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>,
): Promise<void> => {
  const logged = await api.post('logged-models', { experiment_id: '0', name: 'model' });
  const { model_id: id } = (logged.body['model'] as { info: { model_id: string } }).info;
  for (const [path, content] of Object.entries(files)) {
    expect((await api.put(`0/models/${id}/artifacts/${path}`, content)).status).toBe(200);
  }
  await api.send('PATCH', `logged-models/${id}`, { status: 'LOGGED_MODEL_READY' });
  await api.post('registered-models/create', { name });
  const created = await api.post('model-versions/create', { name, source: `models:/${id}`, model_id: id });
  expect(created.status).toBe(200);
};

interface Shown {
  readonly status: string;
  readonly status_message: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

const version = async (name: string): Promise<Shown> =>
  (await api.get('model-versions/get', { name, version: '1' })).body['model_version'] as Shown;

test('a version waits for intake, and says what became of it', async () => {
  await register('good', { MLmodel: description('# good'), 'model.pkl': pickle('\x80\x04}.') });
  expect(await version('good')).toMatchObject({ status: 'PENDING_REGISTRATION' });

  await app.drainJobs();

  expect(await version('good')).toMatchObject({
    status: 'READY',
    status_message: 'Every check of intake passed. Approved for no use yet.',
    tags: [{ key: 'countersign.intake', value: 'passed' }],
  });
});

const refused: [string, Record<string, Uint8Array<ArrayBuffer> | string>, string][] = [
  [
    'a pickle that would run something',
    { MLmodel: description('# 1'), 'model.pkl': pickle("cos\nsystem\n(S'id'\ntR.") },
    'os.system',
  ],
  ['a description that is none', { MLmodel: 'just text' }, 'MLmodel'],
  ['a description without a flavour', { MLmodel: 'flavors: {}' }, 'no flavour'],
  [
    'a description that grows when it is read',
    { MLmodel: `a: &a [x, x]\nb: &b [*a, *a]\nflavors: {x: {y: [*b, *b]}}` },
    'MLmodel',
  ],
  [
    'an ONNX file that is none',
    { MLmodel: description('# 2'), 'model.onnx': 'no model' },
    'not a readable ONNX model',
  ],
];

test.each(refused)('%s is FAILED_REGISTRATION, and why', async (what, files, why) => {
  const name = what.replaceAll(' ', '-');
  await register(name, files);
  await app.drainJobs();
  const shown = await version(name);
  expect(shown.status).toBe('FAILED_REGISTRATION');
  expect(shown.status_message).toContain(why);
  const alias = await api.post('registered-models/alias', { name, alias: 'candidate', version: '1' });
  expect(alias.status).toBe(400);
});

test('bytes that were changed where they are stored are found out', async () => {
  const content = 'weights of a model';
  await register('changed', { MLmodel: description('# changed'), 'weights.bin': content });
  const sha256 = createHash('sha256').update(content).digest('hex');
  await app.outside.artifacts.withFile(sha256, async (path) => {
    const { chmod } = await import('node:fs/promises');
    await chmod(path, 0o600);
    await writeFile(path, 'weights of another');
  });

  await app.drainJobs();

  expect(await version('changed')).toMatchObject({ status: 'FAILED_REGISTRATION' });
  expect((await version('changed')).status_message).toContain('the stored bytes have the digest');
});

test('the same bytes again are ready at once, and name where they were examined', async () => {
  const files = { MLmodel: description('# twice') };
  await register('first', files);
  await app.drainJobs();
  await register('second', files);
  expect(await version('second')).toMatchObject({ status: 'READY' });
  expect((await version('second')).status_message).toContain('The same bytes as version 1 of first');
});

test('code that a pickle carries is told to whoever approves', async () => {
  const own = pickle('\x80\x04\x8c\x17cloudpickle.cloudpickle\x8c\x0e_make_function\x93)R.');
  await register('own-code', { MLmodel: description('# own'), 'model.pkl': own });
  await app.drainJobs();
  expect((await version('own-code')).status_message).toContain('model.pkl carries code of its own');
});

/** Performs the job in a process of its own, which may be killed when everything is examined and nothing recorded. */
const runProcess = async (delivery: object, hangs: boolean): Promise<string> => {
  const { databaseUrl, folder } = app;
  const settings = JSON.stringify({ dist, databaseUrl, folder, delivery, hangs });
  const child = fork(join(installationRoot, 'src', 'testing', 'intake-worker.mjs'), [settings], {
    execArgv: [],
  });
  const ended = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), ended.then(() => ['ended'])])) as [string];
  child.kill('SIGKILL');
  await ended;
  return message;
};

test('a worker killed during intake is taken over, and the verdict is recorded once', async () => {
  await register('killed', { MLmodel: description('# killed'), 'model.pkl': pickle('\x80\x04}.') });
  const [row] = await asSystem(app.db, (tx) =>
    tx.sql<{ id: string; payload: { versionId: string } }>(
      `delete from outbox where job = 'registry.intake' returning id, payload`,
    ),
  );
  const { organizationId, workspaceId } = app;
  const delivery = {
    ...row,
    job: 'registry.intake',
    workspaceId,
    organizationId,
    requestId: null,
    attempt: 1,
  };

  expect(await runProcess(delivery, true)).toBe('inside');
  expect(await version('killed')).toMatchObject({ status: 'PENDING_REGISTRATION' });
  expect(await runProcess(delivery, false)).toBe('done');
  expect(await runProcess({ ...delivery, attempt: 2 }, false)).toBe('done');

  expect(await version('killed')).toMatchObject({ status: 'READY' });
  const trail = await app.trail(row?.payload.versionId ?? '');
  expect(trail.filter(({ command }) => command === 'modelVersion.recordIntake')).toHaveLength(1);
});

test('the data that a run names with its digest is the lineage of what is made from it', async () => {
  const created = await api.post('runs/create', { experiment_id: '0', start_time: 1 });
  const { run_id: runId } = (created.body['run'] as { info: { run_id: string } }).info;
  const sha256 = createHash('sha256').update('training data').digest('hex');
  const input = (name: string, tags: object) => ({
    dataset: { name, digest: 'ab12cd34', source_type: 'local', source: '{}' },
    tags: Object.entries(tags).map(([key, value]: [string, unknown]) => ({ key, value })),
  });
  const datasets = [
    input('adult', { 'mlflow.data.context': 'eval', 'countersign.sha256': sha256 }),
    input('forged', { 'countersign.sha256': 'not a digest' }),
    input('unnamed', { 'mlflow.data.context': 'training' }),
  ];
  expect((await api.post('runs/log-inputs', { run_id: runId, datasets })).status).toBe(200);
  const logged = await api.post('logged-models', { experiment_id: '0', name: 'm', source_run_id: runId });
  const { model_id: id } = (logged.body['model'] as { info: { model_id: string } }).info;
  await api.put(`0/models/${id}/artifacts/MLmodel`, description('# lineage'));
  await api.send('PATCH', `logged-models/${id}`, { status: 'LOGGED_MODEL_READY' });
  await api.post('registered-models/create', { name: 'with-data' });
  const made = await api.post('model-versions/create', {
    name: 'with-data',
    source: `models:/${id}`,
    model_id: id,
    run_id: runId,
  });
  expect(made.status).toBe(200);

  const { data } = await app.graphql<{ searchModelVersions: { nodes: { lineage: unknown }[] } }>(
    await app.actor('auditor'),
    `query ($sha256: String!) { searchModelVersions(filter: { datasetSha256: $sha256 }) {
      nodes { lineage { run datasets { name sha256 role } } } } }`,
    { sha256 },
  );
  expect(data?.searchModelVersions.nodes).toEqual([
    { lineage: { run: runId, datasets: [{ name: 'adult', sha256, role: 'eval' }] } },
  ]);
});
