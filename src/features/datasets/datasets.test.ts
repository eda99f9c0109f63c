import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../kernel/actor.js';
import { openTestDoor, type TestDoor } from '../../testing/http-door.js';
import { freshName, givenModel, givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createModelVersion } from '../registry/index.js';
import type { DatasetVersionView } from './datasets.queries.js';

let app: TestApp;
let door: TestDoor;
const tokens = new Map<string, string>();
beforeAll(async () => {
  app = await testApp();
  for (const role of ['engineer', 'auditor'] as const) await app.actor(role);
  door = await openTestDoor(app);
  for (const role of ['engineer', 'auditor']) tokens.set(role, await door.tokenOf(role));
});

const CREATE = `mutation ($input: DatasetCreateInput!) { createDataset(input: $input) { id } }`;
const UPDATE = `mutation ($input: DatasetUpdateInput!) { updateDataset(input: $input) { id } }`;
const DELETE = `mutation ($input: DatasetDeleteInput!) { deleteDataset(input: $input) { id } }`;
const VERSION = `mutation ($input: DatasetVersionCreateInput!) { createDatasetVersion(input: $input) { id } }`;
const DOCUMENT = `mutation ($input: DatasetVersionDocumentInput!) { documentDatasetVersion(input: $input) { id } }`;
const DELETE_VERSION = `mutation ($input: DatasetVersionDeleteInput!) { deleteDatasetVersion(input: $input) { id } }`;
const READ = `query ($id: ID!) { datasetVersion(id: $id) { version source sha256 bytes uri licence provenance
  protectedAttributes columns { name type } rowCount profile profileState profileMessage profileJobId dataset { name } } }`;

interface Called {
  readonly id: string;
  readonly code: string | undefined;
  readonly details: unknown;
}

const call = async (role: Role, document: string, input: object): Promise<Called> => {
  const { data, code, errors } = await app.graphql<Record<string, { id: string }>>(
    await app.actor(role),
    document,
    {
      input,
    },
  );
  const [id] = Object.values(data ?? {});
  return { id: id?.id ?? '', code, details: errors[0]?.extensions?.['details'] };
};

const givenDataset = async (name = freshName('data')): Promise<string> =>
  (await call('engineer', CREATE, { name })).id;

const upload = async (
  id: string,
  content: string | Buffer<ArrayBuffer>,
  headers: Record<string, string> = {},
  role = 'engineer',
) => {
  const response = await fetch(`${door.url}/v1/dataset-versions/${id}/content`, {
    method: 'PUT',
    body: content,
    headers: { authorization: `Bearer ${tokens.get(role) ?? ''}`, 'content-type': 'text/csv', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

const read = async (
  id: string,
): Promise<DatasetVersionView & { profile: Record<string, unknown> | null }> => {
  const { data, errors } = await app.graphql<{
    datasetVersion: DatasetVersionView & { profile: Record<string, unknown> | null };
  }>(await app.actor('auditor'), READ, { id });
  if (!data) throw new Error(JSON.stringify(errors));
  return data.datasetVersion;
};

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');
const people = (rows: number): string =>
  `age,sex,income\n${Array.from({ length: rows }, (_, index) => `${String(20 + (index % 50))},${index % 3 ? 'f' : 'm'},${String(index * 10)}`).join('\n')}\n`;

test('data is uploaded by stream, profiled by a job, and shown with its figures', async () => {
  const datasetId = await givenDataset('Census 1994');
  const { id } = await call('engineer', VERSION, {
    datasetId,
    licence: 'CC-BY-4.0',
    provenance: 'UCI Adult',
    protectedAttributes: ['sex'],
  });
  const content = people(300);

  const sent = await upload(id, content);
  const waiting = await read(id);
  await app.drainJobs();
  const done = await read(id);

  expect(sent).toMatchObject({ status: 201, body: { id, sha256: sha256(content), bytes: content.length } });
  expect(waiting).toMatchObject({ profileState: 'QUEUED', profileJobId: sent.body['jobId'], profile: null });
  expect(done).toMatchObject({
    version: 1,
    source: 'UPLOADED',
    dataset: { name: 'Census 1994' },
    rowCount: 300,
    profileState: 'DONE',
    columns: [{ name: 'age' }, { name: 'sex' }, { name: 'income' }],
    profile: {
      rows: 300,
      groups: [
        {
          attribute: 'sex',
          groups: [
            { group: 'f', size: 200 },
            { group: 'm', size: 100 },
          ],
        },
      ],
    },
  });
  expect((await app.trail(id)).map(({ command, outcome }) => `${command} ${outcome}`)).toEqual([
    'datasetVersion.create done',
    'datasetVersion.upload done',
    'datasetVersion.recordProfile done',
  ]);
});

test('other protected attributes have it profiled anew, and what was counted does not count meanwhile', async () => {
  const { id } = await call('engineer', VERSION, { datasetId: await givenDataset() });
  await upload(id, people(200));
  await app.drainJobs();

  await call('compliance', DOCUMENT, {
    datasetVersionId: id,
    protectedAttributes: ['age', 'gone'],
    licence: 'CC0-1.0',
  });
  const between = await read(id);
  await app.drainJobs();

  expect(between).toMatchObject({ profileState: 'QUEUED', profile: null, licence: 'CC0-1.0' });
  expect((await read(id)).profile).toMatchObject({ absent: ['gone'], groups: [{ attribute: 'age' }] });
});

test('data that cannot be read has no profile and says why; it stays registered', async () => {
  const { id } = await call('engineer', VERSION, { datasetId: await givenDataset() });
  await upload(id, 'PAR1 that is none');
  await app.drainJobs();

  const found = await read(id);
  expect(found).toMatchObject({ profileState: 'FAILED', profile: null, sha256: sha256('PAR1 that is none') });
  expect(found.profileMessage).toMatch(/^The data has no profile: it cannot be profiled/);
});

test('content that stands elsewhere is named by digest, and never fetched', async () => {
  const reference = {
    uri: 'abfss://lake@account.dfs.core.windows.net/adult.parquet',
    sha256: sha256('far'),
    bytes: 3_000_000_000_000,
    rows: 4_000_000_000,
  };
  const { id } = await call('engineer', VERSION, { datasetId: await givenDataset(), reference });

  expect(await read(id)).toMatchObject({
    source: 'REFERENCED',
    ...{ uri: reference.uri, rowCount: 4_000_000_000 },
    profileState: 'NONE',
  });
  expect(await upload(id, 'other')).toMatchObject({ status: 409 });
});

describe('refused is', () => {
  test('other content for a version that has its own, and the same content twice', async () => {
    const datasetId = await givenDataset();
    const { id } = await call('engineer', VERSION, { datasetId });
    await upload(id, 'a,b\n1,2\n');
    const second = await call('engineer', VERSION, { datasetId });

    expect(await upload(id, 'a,b\n3,4\n')).toMatchObject({ status: 409 });
    const again = await upload(second.id, 'a,b\n1,2\n');
    expect(again).toMatchObject({
      status: 409,
      body: { error: { details: { rule: 'same-content', version: 1 } } },
    });
  });

  test('an upload by who may not, with another digest, to what is not there', async () => {
    const { id } = await call('engineer', VERSION, { datasetId: await givenDataset() });

    expect((await upload(id, 'a\n1\n', {}, 'auditor')).status).toBe(403);
    expect((await upload(id, 'a\n1\n', { 'content-sha256': sha256('b') })).status).toBe(400);
    expect((await upload(app.workspaceId, 'a\n1\n')).status).toBe(404);
    expect(await read(id)).toMatchObject({ sha256: null, profileState: 'NONE' });
  });

  test.each([
    ['an address with a password', { uri: 'https://me:secret@host/x.csv', sha256: sha256('x') }],
    ['an address with a token', { uri: 'https://token@host/x.csv', sha256: sha256('x') }],
    ['an address that is signed', { uri: 'https://a.s3.host/x?X-Amz-Signature=0', sha256: sha256('x') }],
    ['an address that does something', { uri: 'javascript:alert(1)', sha256: sha256('x') }],
    ['half a byte', { uri: 's3://a/b', sha256: sha256('x'), bytes: 0.5 }],
    ['more bytes than can be counted', { uri: 's3://a/b', sha256: sha256('x'), bytes: 1e300 }],
    ['an address that is none', { uri: 'somewhere', sha256: sha256('x') }],
    ['a digest that is none', { uri: 's3://a/b', sha256: 'x' }],
  ])('a reference with %s', async (_, reference) => {
    expect((await call('engineer', VERSION, { datasetId: await givenDataset(), reference })).code).toBe(
      'INVALID_INPUT',
    );
  });

  test('a name that reads like another, also by renaming', async () => {
    const name = freshName('Census Data');
    await givenDataset(name);
    const other = await givenDataset();

    expect(await call('engineer', CREATE, { name: name.toUpperCase() })).toMatchObject({
      code: 'CONFLICT',
      details: { rule: 'name-taken', name },
    });
    expect((await call('engineer', UPDATE, { datasetId: other, name: `${name} ` })).code).toBe('CONFLICT');
  });

  test('to change or delete for those who only read', async () => {
    const datasetId = await givenDataset();

    expect((await call('auditor', UPDATE, { datasetId, description: 'x' })).code).toBe('FORBIDDEN');
    expect((await call('validator', DELETE, { datasetId })).code).toBe('FORBIDDEN');
  });
});

test('what is deleted leaves a tombstone: the name is free, and a new data set inherits nothing', async () => {
  const name = freshName('data');
  const datasetId = await givenDataset(name);
  const { id } = await call('engineer', VERSION, { datasetId, licence: 'CC0-1.0' });
  await call('engineer', DELETE, { datasetId });

  const again = await givenDataset(name);
  const { id: fresh } = await call('engineer', VERSION, { datasetId: again });

  expect((await app.graphql(await app.actor('auditor'), READ, { id })).code).toBe('NOT_FOUND');
  expect(await read(fresh)).toMatchObject({ version: 1, licence: null });
});

describe('the lineage of a version of a model', () => {
  const DATA = `query ($id: ID!) { modelVersion(id: $id) { lineage { datasets { name sha256 role } }
    data { name role missing datasetVersion { version dataset { name } } } } }`;

  const made = async (datasets: object[]) => {
    const modelId = await givenModel(app, 'EXTERNAL');
    return app.run(createModelVersion, await app.actor('engineer'), { modelId, datasets: datasets as never });
  };

  test('leads to registered data by id and by digest, and says what is missing', async () => {
    const name = freshName('rows');
    const { id } = await call('engineer', VERSION, {
      datasetId: await givenDataset(name),
      licence: 'CC0-1.0',
    });
    const content = `${people(20)}0,f,0\n`;
    await upload(id, content);
    await app.drainJobs();

    const version = await made([
      { role: 'train', datasetVersionId: id },
      { role: 'heldout', name: 'by digest', sha256: sha256(content) },
      { role: 'other', name: 'nobody knows', sha256: sha256('nobody') },
    ]);

    const { data } = await app.graphql(await app.actor('auditor'), DATA, { id: version.id });
    const registered = { version: 1, dataset: { name } };
    expect(data).toMatchObject({
      modelVersion: {
        lineage: { datasets: [{ name, sha256: sha256(content), role: 'train' }, {}, {}] },
        data: [
          { role: 'heldout', missing: ['provenance'], datasetVersion: registered },
          { role: 'other', missing: ['registration'], datasetVersion: null },
          { role: 'train', missing: ['provenance'], datasetVersion: registered },
        ],
      },
    });
  });

  test('names no data that is not there, and not with another digest', async () => {
    const { versionId } = await givenVersion(app);
    const { id } = await call('engineer', VERSION, { datasetId: await givenDataset() });
    await upload(id, 'q\n1\n');

    await expect(made([{ role: 'train', datasetVersionId: versionId }])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    await expect(
      made([{ role: 'train', datasetVersionId: id, sha256: sha256('other') }]),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(made([{ role: 'train', name: 'no digest' }])).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });

  test('still names data that was deleted', async () => {
    const { id } = await call('engineer', VERSION, { datasetId: await givenDataset() });
    await upload(id, 'z\n1\n');
    const version = await made([{ role: 'train', datasetVersionId: id }]);
    await call('engineer', DELETE_VERSION, { datasetVersionId: id });

    const { data } = await app.graphql(await app.actor('auditor'), DATA, { id: version.id });
    expect(data).toMatchObject({ modelVersion: { data: [{ datasetVersion: { version: 1 } }] } });
  });
});
