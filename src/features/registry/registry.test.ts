import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../kernel/actor.js';
import {
  freshName,
  givenModel,
  givenUseCase,
  givenVersion,
  putArtifact,
} from '../../testing/given-version.js';
import { graphqlOver } from '../../testing/graphql.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { setAlias } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const CREATE_MODEL = `mutation ($input: ModelCreateInput!) { createModel(input: $input) { id } }`;
const UPDATE_MODEL = `mutation ($input: ModelUpdateInput!) { updateModel(input: $input) { id } }`;
const DELETE_MODEL = `mutation ($input: ModelDeleteInput!) { deleteModel(input: $input) { id } }`;
const CREATE_VERSION = `mutation ($input: ModelVersionCreateInput!) { createModelVersion(input: $input) { id } }`;
const SUBMIT = `mutation ($input: ModelVersionSubmitInput!) { submitModelVersion(input: $input) { id jobId } }`;
const DELETE_VERSION = `mutation ($input: ModelVersionDeleteInput!) { deleteModelVersion(input: $input) { id } }`;
const SET_ALIAS = `mutation ($input: AliasSetInput!) { setAlias(input: $input) { id } }`;
const DELETE_ALIAS = `mutation ($input: AliasDeleteInput!) { deleteAlias(input: $input) { id } }`;
const SET_TAG = `mutation ($input: TagSetInput!) { setTag(input: $input) { id } }`;
const DELETE_TAG = `mutation ($input: TagDeleteInput!) { deleteTag(input: $input) { id } }`;
const READ_MODEL = `query ($id: ID, $name: String) { model(id: $id, name: $name) {
  id name description kind createdBy aliases { name versionId protected version { version } } tags { key value } } }`;
const READ_VERSION = `query ($id: ID!) { modelVersion(id: $id) {
  version state stateMessage digest metrics params model { name } artifacts { path bytes } aliases { name } tags { key value }
  lineage { run codeCommit datasets { name role } parentVersion { version } } } }`;

const call = async (
  role: Role,
  document: string,
  input: object,
): Promise<{ id: string; code: string | undefined }> => {
  const { data, code } = await app.graphql<Record<string, { id: string }>>(await app.actor(role), document, {
    input,
  });
  return { id: Object.values(data ?? {})[0]?.id ?? 'missing', code };
};

describe('a version', () => {
  test('counts up within its model, also when many are created at once and one was deleted', async () => {
    const modelId = await givenModel(app);
    const created = await Promise.all(
      [1, 2, 3, 4, 5].map(() => call('engineer', CREATE_VERSION, { modelId })),
    );
    await call('engineer', DELETE_VERSION, { versionId: created[4]?.id });
    await call('engineer', CREATE_VERSION, { modelId });
    const LIST = `query ($modelId: ID!, $after: String) { modelVersions(modelId: $modelId, first: 3, after: $after) {
      nodes { version } pageInfo { endCursor hasNextPage } } }`;
    interface Listed {
      modelVersions: { nodes: { version: number }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
    }
    const auditor = await app.actor('auditor');

    const one = await app.graphql<Listed>(auditor, LIST, { modelId });
    const after = one.data?.modelVersions.pageInfo.endCursor;
    const two = await app.graphql<Listed>(auditor, LIST, { modelId, after });

    const numbers = [...(one.data?.modelVersions.nodes ?? []), ...(two.data?.modelVersions.nodes ?? [])];
    expect(numbers).toHaveLength(5);
    expect(numbers[0]?.version).toBe(6);
    expect(new Set(numbers.map(({ version }) => version)).size).toBe(5);
    expect(two.data?.modelVersions.pageInfo.hasNextPage).toBe(false);
  });

  test('says where it comes from', async () => {
    const parent = await givenVersion(app);
    const { id } = await call('engineer', CREATE_VERSION, {
      modelId: parent.modelId,
      parentVersionId: parent.versionId,
      run: 'runs/17',
      codeCommit: 'abc123',
      datasets: [{ name: 'adult', sha256: 'a'.repeat(64), role: 'train' }],
      metrics: { accuracy: 0.85 },
      params: { depth: '6' },
    });
    await call('engineer', SET_TAG, { modelId: parent.modelId, versionId: id, key: 'stage', value: 'try' });

    const { data } = await app.graphql(await app.actor('auditor'), READ_VERSION, { id });

    expect(data).toMatchObject({
      modelVersion: {
        version: 2,
        state: 'PENDING_INTAKE',
        digest: null,
        metrics: { accuracy: 0.85 },
        params: { depth: '6' },
        tags: [{ key: 'stage', value: 'try' }],
        lineage: {
          run: 'runs/17',
          codeCommit: 'abc123',
          datasets: [{ name: 'adult', role: 'train' }],
          parentVersion: { version: 1 },
        },
      },
    });
  });

  test('of a model that stands elsewhere is ready at once, and submitting it again changes nothing', async () => {
    const { versionId } = await givenVersion(app);

    const again = await call('engineer', SUBMIT, { versionId });

    expect(again.code).toBeUndefined();
    const { data } = await app.graphql(await app.actor('auditor'), READ_VERSION, { id: versionId });
    expect(data).toMatchObject({ modelVersion: { state: 'READY', artifacts: [] } });
    const trail = await app.trail(versionId);
    expect(trail.map(({ command }) => command)).toEqual(['modelVersion.create', 'modelVersion.submit']);
  });

  test('gets the digest of its paths and contents, whatever their order', async () => {
    const digestOf = async (files: readonly (readonly [string, string])[]): Promise<unknown> => {
      const modelId = await givenModel(app, 'EXTERNAL');
      const { id } = await call('engineer', CREATE_VERSION, { modelId });
      for (const [path, text] of files) await putArtifact(app, await app.actor('engineer'), id, path, text);
      await call('engineer', SUBMIT, { versionId: id });
      const read = await app.graphql<{ modelVersion: { digest: string } }>(
        await app.actor('engineer'),
        READ_VERSION,
        { id },
      );
      return read.data?.modelVersion.digest;
    };

    const one = await digestOf([
      ['a.txt', '1'],
      ['b.txt', '2'],
    ]);

    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(
      await digestOf([
        ['b.txt', '2'],
        ['a.txt', '1'],
      ]),
    ).toBe(one);
    expect(
      await digestOf([
        ['a.txt', '2'],
        ['b.txt', '1'],
      ]),
    ).not.toBe(one);
  });

  test('is not submitted without a model file', async () => {
    const modelId = await givenModel(app);
    const { id: versionId } = await call('engineer', CREATE_VERSION, { modelId });

    expect((await call('engineer', SUBMIT, { versionId })).code).toBe('PRECONDITION_FAILED');
  });

  test.each([
    ['by a validator', 'validator', {}, 'FORBIDDEN'],
    ['of a model that does not exist', 'engineer', { modelId: crypto.randomUUID() }, 'NOT_FOUND'],
    [
      'from a parent that does not exist',
      'engineer',
      { parentVersionId: crypto.randomUUID() },
      'INVALID_INPUT',
    ],
    ['with a metric that is no number', 'engineer', { metrics: { accuracy: 'high' } }, 'INVALID_INPUT'],
    [
      'with a data set without a digest',
      'engineer',
      { datasets: [{ name: 'x', sha256: 'y', role: 'train' }] },
      'INVALID_INPUT',
    ],
  ] as const)('is not created %s', async (_, role, fault, code) => {
    const modelId = await givenModel(app);

    expect((await call(role, CREATE_VERSION, { modelId, ...fault })).code).toBe(code);
  });
});

describe('an alias that is not protected', () => {
  test('is set, moved and deleted, each with its trail', async () => {
    const one = await givenVersion(app);
    const two = await givenVersion(app, { modelId: one.modelId });
    const useCaseId = await givenUseCase(app);
    const name = { modelId: one.modelId, name: 'challenger' };

    const { id } = await call('engineer', SET_ALIAS, { ...name, versionId: one.versionId });
    await call('engineer', SET_ALIAS, { ...name, versionId: two.versionId, useCaseId });
    const read = await app.graphql(await app.actor('auditor'), READ_MODEL, { id: one.modelId });
    await call('engineer', DELETE_ALIAS, name);

    expect(read.data).toMatchObject({
      model: {
        aliases: [
          { name: 'challenger', versionId: two.versionId, protected: false, version: { version: 2 } },
        ],
      },
    });
    expect((await app.trail(id)).map(({ command }) => command)).toEqual([
      'alias.set',
      'alias.set',
      'alias.delete',
    ]);
  });

  test('is not written in two ways', async () => {
    const { modelId, versionId } = await givenVersion(app);
    await call('engineer', SET_ALIAS, { modelId, name: 'challenger', versionId });

    expect((await call('engineer', SET_ALIAS, { modelId, name: 'Challenger', versionId })).code).toBe(
      'CONFLICT',
    );
    expect((await call('engineer', DELETE_ALIAS, { modelId, name: 'сhallenger' })).code).toBe('CONFLICT');
  });

  test.each([
    ['by a validator', 'validator', {}, 'FORBIDDEN'],
    ['under a name that reads as a version', 'engineer', { name: 'v7' }, 'INVALID_INPUT'],
    ['to a version of another model', 'engineer', 'other', 'NOT_FOUND'],
    ['to a version that has not passed intake', 'engineer', 'pending', 'PRECONDITION_FAILED'],
    ['for a use case that does not exist', 'engineer', { useCaseId: crypto.randomUUID() }, 'NOT_FOUND'],
  ] as const)('is not set %s', async (_, role, fault, code) => {
    const { modelId, versionId } = await givenVersion(app);
    const other = await givenVersion(app);
    const pending = await call('engineer', CREATE_VERSION, { modelId });
    const given =
      fault === 'other'
        ? { versionId: other.versionId }
        : fault === 'pending'
          ? { versionId: pending.id }
          : fault;

    expect((await call(role, SET_ALIAS, { modelId, name: 'shadow', versionId, ...given })).code).toBe(code);
  });

  test('goes with its version', async () => {
    const { modelId, versionId } = await givenVersion(app);
    await call('engineer', SET_ALIAS, { modelId, name: 'shadow', versionId });

    await call('engineer', DELETE_VERSION, { versionId });

    const { data } = await app.graphql(await app.actor('auditor'), READ_MODEL, { id: modelId });
    expect(data).toMatchObject({ model: { aliases: [] } });
  });
});

test('a tag is changed and taken away', async () => {
  const modelId = await givenModel(app);
  await call('engineer', SET_TAG, { modelId, key: 'team', value: 'one' });
  await call('engineer', SET_TAG, { modelId, key: 'team', value: 'two' });
  const auditor = await app.actor('auditor');
  expect((await app.graphql(auditor, READ_MODEL, { id: modelId })).data).toMatchObject({
    model: { tags: [{ key: 'team', value: 'two' }] },
  });

  await call('engineer', DELETE_TAG, { modelId, key: 'team' });

  expect((await app.graphql(auditor, READ_MODEL, { id: modelId })).data).toMatchObject({
    model: { tags: [] },
  });
  expect((await call('engineer', DELETE_TAG, { modelId, key: 'team' })).code).toBe('NOT_FOUND');
  expect((await call('auditor', SET_TAG, { modelId, key: 'team', value: 'x' })).code).toBe('FORBIDDEN');
});

test('a search takes signs literally and finds names that read the same', async () => {
  const percent = freshName('100%_sure');
  await call('engineer', CREATE_MODEL, { name: percent });
  await givenModel(app);
  const SEARCH = `query ($search: String) { models(search: $search) { nodes { name } } }`;
  const auditor = await app.actor('auditor');

  const found = await app.graphql(auditor, SEARCH, { search: '0%_SURE' });
  const none = await app.graphql(auditor, SEARCH, { search: '1__%' });

  expect(found.data).toEqual({ models: { nodes: [{ name: percent }] } });
  expect(none.data).toEqual({ models: { nodes: [] } });
});

test('nothing of one workspace is seen or changed from another', async () => {
  const { modelId, versionId } = await givenVersion(app);
  const workspaceId = await app.otherWorkspace();
  const stranger = await app.actor('engineer', { name: 'stranger', workspaceId });
  const attempts: [string, object][] = [
    [CREATE_VERSION, { modelId }],
    [SUBMIT, { versionId }],
    [UPDATE_MODEL, { modelId, description: 'mine' }],
    [DELETE_MODEL, { modelId }],
    [DELETE_VERSION, { versionId }],
    [SET_ALIAS, { modelId, versionId, name: 'shadow' }],
    [SET_TAG, { modelId, key: 'a', value: 'b' }],
  ];

  for (const [document, input] of attempts) {
    expect((await app.graphql(stranger, document, { input })).code).toBe('NOT_FOUND');
  }
  expect((await app.graphql(stranger, READ_MODEL, { id: modelId })).code).toBe('NOT_FOUND');
  expect((await app.graphql(stranger, READ_VERSION, { id: versionId })).code).toBe('NOT_FOUND');
  await expect(app.run(setAlias, stranger, { modelId, versionId, name: 'x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('a list with nested fields asks for all rows at once', async () => {
  const { modelId } = await givenVersion(app);
  for (let count = 0; count < 8; count += 1) await givenVersion(app, { modelId });
  const asked: string[] = [];
  const counting = {
    ...app,
    ask: ((query, actor, input) => (asked.push(query.name), app.ask(query, actor, input))) as TestApp['ask'],
  };
  const LIST = `query ($modelId: ID!) { modelVersions(modelId: $modelId) { nodes {
    artifacts { path } aliases { name } tags { key } model { name tags { key } } } } }`;

  const { data } = await graphqlOver(counting)<{ modelVersions: { nodes: object[] } }>(
    await app.actor('auditor'),
    LIST,
    { modelId },
  );

  expect(data?.modelVersions.nodes).toHaveLength(9);
  expect(asked.toSorted()).toEqual([
    'alias.ofModels',
    'artifact.ofVersions',
    'model.byIds',
    'modelVersion.list',
    'tag.ofModels',
    'tag.ofVersions',
  ]);
});
