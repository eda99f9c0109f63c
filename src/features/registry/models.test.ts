import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../kernel/actor.js';
import { freshName, givenModel } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const CREATE_MODEL = `mutation ($input: ModelCreateInput!) { createModel(input: $input) { id } }`;
const RENAME_MODEL = `mutation ($input: ModelRenameInput!) { renameModel(input: $input) { id } }`;
const UPDATE_MODEL = `mutation ($input: ModelUpdateInput!) { updateModel(input: $input) { id } }`;
const DELETE_MODEL = `mutation ($input: ModelDeleteInput!) { deleteModel(input: $input) { id } }`;
const CREATE_VERSION = `mutation ($input: ModelVersionCreateInput!) { createModelVersion(input: $input) { id } }`;
const SET_TAG = `mutation ($input: TagSetInput!) { setTag(input: $input) { id } }`;
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

describe('a model', () => {
  test('is registered by an engineer, found by a name that reads the same, and leaves its trail', async () => {
    const engineer = await app.actor('engineer');
    const name = freshName('Income Routing');
    const { id } = await call('engineer', CREATE_MODEL, { name: ` ${name} `, description: 'Routes incomes' });

    const { data } = await app.graphql(engineer, READ_MODEL, { name: name.toUpperCase() });

    expect(data).toEqual({
      model: {
        id,
        name,
        description: 'Routes incomes',
        kind: 'ONNX',
        createdBy: engineer.id,
        aliases: [],
        tags: [],
      },
    });
    expect(await app.trail(id)).toEqual([{ command: 'model.create', outcome: 'done', actorId: engineer.id }]);
  });

  test('changes its description and its name', async () => {
    const modelId = await givenModel(app);
    const name = freshName('renamed');

    await call('engineer', UPDATE_MODEL, { modelId, description: 'Better said' });
    await call('engineer', RENAME_MODEL, { modelId, name });

    const { data } = await app.graphql(await app.actor('auditor'), READ_MODEL, { id: modelId });
    expect(data).toMatchObject({ model: { name, description: 'Better said' } });
    expect((await app.trail(modelId)).map(({ command }) => command)).toEqual([
      'model.create',
      'model.update',
      'model.rename',
    ]);
  });

  test.each([
    ['by a validator', 'validator', (): string => freshName('m'), 'FORBIDDEN'],
    ['by an administrator', 'administrator', (): string => freshName('m'), 'FORBIDDEN'],
    ['without a name', 'engineer', (): string => '  ', 'INVALID_INPUT'],
    ['with a line break in its name', 'engineer', (): string => 'a\nb', 'INVALID_INPUT'],
    ['with a name of 201 characters', 'engineer', (): string => 'x'.repeat(201), 'INVALID_INPUT'],
  ] as const)('is not registered %s', async (_, role, name, code) => {
    expect((await call(role, CREATE_MODEL, { name: name() })).code).toBe(code);
  });

  test.each([
    ['in capitals', (name: string) => name.toUpperCase()],
    ['in full-width letters', (name: string) => name.replace('m', 'ｍ')],
    ['with a Cyrillic letter', (name: string) => name.replace('o', 'о')],
    ['with a space behind', (name: string) => `${name} `],
  ])('is not registered under a taken name %s, and none is renamed to it', async (_, variant) => {
    const taken = freshName('model');
    await call('engineer', CREATE_MODEL, { name: taken });
    const other = await givenModel(app);

    expect((await call('engineer', CREATE_MODEL, { name: variant(taken) })).code).toBe('CONFLICT');
    expect((await call('engineer', RENAME_MODEL, { modelId: other, name: variant(taken) })).code).toBe(
      'CONFLICT',
    );
  });

  test('is registered once when two ask for its name at the same moment', async () => {
    const name = freshName('race');

    const answers = await Promise.all([1, 2, 3, 4].map(() => call('engineer', CREATE_MODEL, { name })));

    expect(answers.map(({ code }) => code ?? 'done').toSorted()).toEqual([
      'CONFLICT',
      'CONFLICT',
      'CONFLICT',
      'done',
    ]);
  });

  test('that takes the name of a deleted one inherits nothing', async () => {
    const name = freshName('phoenix');
    const first = await call('engineer', CREATE_MODEL, { name });
    const version = await call('engineer', CREATE_VERSION, { modelId: first.id });
    await call('engineer', SET_TAG, { modelId: first.id, key: 'team', value: 'risk' });
    await call('engineer', DELETE_MODEL, { modelId: first.id });

    const second = await call('engineer', CREATE_MODEL, { name });
    const fresh = await call('engineer', CREATE_VERSION, { modelId: second.id });

    const auditor = await app.actor('auditor');
    const model = await app.graphql(auditor, READ_MODEL, { name });
    expect(model.data).toMatchObject({ model: { id: second.id, aliases: [], tags: [] } });
    expect((await app.graphql(auditor, READ_VERSION, { id: fresh.id })).data).toMatchObject({
      modelVersion: { version: 1 },
    });
    expect((await app.graphql(auditor, READ_VERSION, { id: version.id })).code).toBe('NOT_FOUND');
    expect((await call('engineer', CREATE_VERSION, { modelId: first.id })).code).toBe('NOT_FOUND');
    expect((await app.trail(version.id)).map(({ command }) => command)).toEqual([
      'modelVersion.create',
      'model.delete',
    ]);
  });
});
