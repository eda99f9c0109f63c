import { beforeAll, expect, test } from 'vitest';
import { openMlflowServer } from '../../integrations/mlflow-server.js';
import { openFakeMlflow, type FakeMlflow } from '../../testing/mlflow-fake.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createModel } from '../registry/index.js';
import { startMlflowImport } from './mlflow.commands/start-import.js';
import { listMlflowImportItems } from './mlflow.queries/imports.js';

let app: TestApp;
let fake: FakeMlflow;

const rows = <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => db.sql<Row>(text, values));
};

const put = (path: string): unknown =>
  fake.files.set(path, `flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n# ${path}`);

/** A version there with its file. */
const givenThere = (name: string, more = {}): void => {
  put(`${fake.addVersion(name, more).source.replace('mlflow-artifacts:/', '')}/MLmodel`);
};

beforeAll(async () => {
  fake = await openFakeMlflow();
  const source = openMlflowServer({ url: fake.url, token: null, answerMs: 1500 });
  app = await testApp({ modelServers: { front: null, source } });
  givenThere('plain');
  givenThere('plain');
  fake.models.get('plain')?.aliases.set('champion', '2').set('candidate', '1').set('gone', '9');
});

const importAll = async (artifacts: 'COPY' | 'REFERENCE' = 'COPY') => {
  const administrator = await app.actor('administrator');
  const { id } = await app.run(startMlflowImport, administrator, { artifacts });
  await app.drainJobs({ tolerant: true });
  const [row] = await rows<{ state: string; message: string; counts: Record<string, number> }>(
    'select state, message, counts from mlflow_import where id = $1',
    [id],
  );
  const { nodes } = await app.ask(listMlflowImportItems, administrator, { importId: id, first: 200 });
  const said = Object.fromEntries(nodes.map(({ name, outcome, reason }) => [name, `${outcome}: ${reason}`]));
  return { id, ...row, said };
};

test('a protected alias is asked for, another one waits for intake and is then set', async () => {
  const { state, said, id } = await importAll();
  expect(state).toBe('DONE');
  expect(said['plain@champion → 2']).toMatch(/^ASKED_FOR: .*change request/);
  expect(said['plain@candidate → 1']).toMatch(/^WAITING/);
  expect(said['plain@gone → 9']).toMatch(/^SKIPPED/);
  const aliases = await rows<{ name: string }>('select name from model_alias');
  expect(aliases).toEqual([{ name: 'candidate' }]);
  const administrator = await app.actor('administrator');
  const commands = (await app.trail(id)).map(({ command, actorId }) => [command, actorId]);
  expect(commands[0]).toEqual(['mlflowImport.start', administrator.id]);
  expect(commands.at(-1)?.[0]).toBe('mlflowImport.finish');
  const makers = await rows<{ by: string }>('select distinct created_by as by from model_version');
  expect(makers).toEqual([{ by: administrator.id }]);
});

test('again it changes nothing; a version made anew there is left alone', async () => {
  const before = await rows('select * from model_version order by id');
  expect((await importAll()).counts).toMatchObject({ MODEL_SAME: 1, VERSION_SAME: 2, ALIAS_SAME: 1 });
  const version = fake.models.get('plain')?.versions[1];
  if (version) version.creation_timestamp += 1;
  const { said } = await importAll();
  expect(said['plain/2']).toMatch(/^SKIPPED: .*made anew/);
  expect(await rows('select * from model_version order by id')).toEqual(before);
});

test('what was made here, what is no name, and what leaves its place is left, and the report says why', async () => {
  await app.run(createModel, await app.actor('engineer'), { name: 'own', kind: 'MLFLOW' });
  givenThere('own');
  givenThere('bad\u202ename');
  put(`${fake.addVersion('hostile').source.replace('mlflow-artifacts:/', '')}/../../../etc/passwd`);
  givenThere('unready', { status: 'FAILED_REGISTRATION' });
  fake.addVersion('nowhere', { source: 's3://bucket/model' });
  const { said, state } = await importAll();
  expect(state).toBe('DONE');
  expect(said['own']).toMatch(/^SKIPPED: .*was not imported/);
  expect(said['bad\u202ename']).toMatch(/^SKIPPED/);
  expect(said['hostile/1']).toMatch(/^FAILED: .*cannot be a path/);
  expect(said['unready/1']).toMatch(/^SKIPPED: It is FAILED_REGISTRATION/);
  expect(said['nowhere/1']).toMatch(/^IMPORTED: .*stand elsewhere/);
});

test('references stay where they are', async () => {
  givenThere('referenced');
  fake.requests.length = 0;
  const { said } = await importAll('REFERENCE');
  expect(said['referenced/1']).toMatch(/^IMPORTED: .*stand elsewhere/);
  expect(fake.requests.some(({ url }) => url.includes('mlflow-artifacts'))).toBe(false);
});

test('one that is cut off stays open, and the next start goes on with it', async () => {
  givenThere('later');
  fake.silent = true;
  const cut = await importAll();
  expect(cut.state).toBe('RUNNING');
  fake.silent = false;
  const next = await importAll();
  expect(next).toMatchObject({ id: cut.id, state: 'DONE' });
  expect(next.said['later/1']).toMatch(/^IMPORTED/);
});

test('only those who run the installation start one; everybody of the workspace reads the report', async () => {
  const start = 'mutation { startMlflowImport(input: {}) { id jobId } }';
  expect((await app.graphql(await app.actor('engineer'), start)).code).toBe('FORBIDDEN');
  const report = 'query { mlflowImports { nodes { state counts } } }';
  const { data } = await app.graphql<{ mlflowImports: { nodes: { state: string }[] } }>(
    await app.actor('auditor'),
    report,
  );
  expect(data?.mlflowImports.nodes.every(({ state }) => state === 'DONE')).toBe(true);
  const items = `query ($id: ID!) { mlflowImportItems(importId: $id) { nodes { name outcome } } mlflowImport(id: $id) { address } }`;
  const [row] = await rows<{ id: string }>('select id from mlflow_import limit 1');
  const read = await app.graphql(await app.actor('auditor'), items, { id: row?.id });
  expect(read.data).toMatchObject({ mlflowImport: { address: fake.url } });
  const [version] = await rows<{ id: string }>('select id from model_version limit 1');
  const copy = 'query ($id: ID!) { upstreamCopy(versionId: $id) { address files facts } }';
  expect((await app.graphql(await app.actor('auditor'), copy, { id: version?.id })).data).toMatchObject({
    upstreamCopy: { address: fake.url, files: 'KEPT' },
  });
});
