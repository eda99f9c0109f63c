import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCommand } from '../../kernel/command.js';
import { asSystem } from '../../kernel/system.js';
import { freshName, givenVersion, putArtifact } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createModel, deleteModel, moveAlias } from './index.js';

/** Moves an alias as an approved change does, so that there is something to protect. */
const promote = defineCommand({
  name: 'alias.promoteForTest',
  describe: 'Stands for an approved change.',
  permission: 'alias:set',
  input: z.object({ modelId: z.uuid(), versionId: z.uuid(), alias: z.string() }),
  target: (_tx, input) => Promise.resolve({ id: input.modelId }),
  handle: async ({ tx, actor, input, now }) => {
    const place = { useCaseId: null, changeRequestId: null, actorId: actor.id, now };
    const moved = await moveAlias(tx, { ...input, ...place });
    return { result: moved.fromVersionId, audit: moved.audit };
  },
});

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Given {
  readonly modelId: string;
  readonly versionId: string;
  readonly otherId: string;
}

const given = async (alias: string): Promise<Given> => {
  const engineer = await app.actor('engineer');
  const { modelId, versionId } = await givenVersion(app);
  const { versionId: otherId } = await givenVersion(app, { modelId });
  await app.run(promote, engineer, { modelId, versionId, alias });
  return { modelId, versionId, otherId };
};

const resolved = async ({ modelId }: Given): Promise<unknown> => {
  const READ = `query ($id: ID!) { model(id: $id) { name aliases { name versionId version { digest artifacts { sha256 } } } } }`;
  return (await app.graphql(await app.actor('auditor'), READ, { id: modelId })).data;
};

const mutation = (field: string, type: string): string =>
  `mutation ($input: ${type}!) { ${field}(input: $input) { id } }`;

type Attempt = readonly [string, string, string, (given: Given) => object];

const attempts: readonly Attempt[] = [
  [
    'moving it',
    'setAlias',
    'AliasSetInput',
    ({ modelId, otherId }) => ({ modelId, versionId: otherId, name: 'champion' }),
  ],
  [
    'setting it where it points already',
    'setAlias',
    'AliasSetInput',
    ({ modelId, versionId }) => ({ modelId, versionId, name: 'champion' }),
  ],
  ...['Champion', 'CHAMPION', ' champion ', 'ｃhampion', 'сhampion', 'champıon', 'champιon', '𝐜hampion'].map(
    (name): Attempt => [
      `moving it as ${JSON.stringify(name)}`,
      'setAlias',
      'AliasSetInput',
      ({ modelId, otherId }) => ({ modelId, versionId: otherId, name }),
    ],
  ),
  ['deleting it', 'deleteAlias', 'AliasDeleteInput', ({ modelId }) => ({ modelId, name: 'champion' })],
  [
    'deleting it in capitals',
    'deleteAlias',
    'AliasDeleteInput',
    ({ modelId }) => ({ modelId, name: 'CHAMPION' }),
  ],
  [
    'deleting its version',
    'deleteModelVersion',
    'ModelVersionDeleteInput',
    ({ versionId }) => ({ versionId }),
  ],
  ['deleting its model', 'deleteModel', 'ModelDeleteInput', ({ modelId }) => ({ modelId })],
  [
    'renaming its model',
    'renameModel',
    'ModelRenameInput',
    ({ modelId }) => ({ modelId, name: freshName('other') }),
  ],
];

describe('what champion resolves to is not changed by', () => {
  test.each(attempts)('%s', async (_, field, type, input) => {
    const engineer = await app.actor('engineer');
    const model = await given('champion');
    const before = await resolved(model);

    const answer = await app.graphql(engineer, mutation(field, type), { input: input(model) });

    expect(answer.code).toBe('PRECONDITION_FAILED');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      rule: 'protected-alias',
      next: 'requestPromotion',
    });
    expect(await resolved(model)).toEqual(before);
  });

  test('a name with an invisible letter, which is no name at all', async () => {
    const { modelId, otherId } = await given('champion');
    const input = { modelId, versionId: otherId, name: 'cham\u200Bpion' };

    expect(
      (await app.graphql(await app.actor('engineer'), mutation('setAlias', 'AliasSetInput'), { input })).code,
    ).toBe('INVALID_INPUT');
  });

  test('new content under its version', async () => {
    const { versionId } = await given('champion');

    await expect(
      putArtifact(app, await app.actor('engineer'), versionId, 'model.onnx', 'other'),
    ).rejects.toMatchObject({
      code: 'CONFLICT',
    });
  });

  test('a second model under its name', async () => {
    const engineer = await app.actor('engineer');
    const model = await given('champion');
    const { model: shown } = (await resolved(model)) as { model: { name: string } };

    await expect(app.run(createModel, engineer, { name: shown.name.toUpperCase() })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(app.run(deleteModel, engineer, { modelId: model.modelId })).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    });
  });

  test('writing the row past the commands', async () => {
    const model = await given('champion');
    const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
    const write = app.db.transact('app_writer', session, (tx) =>
      tx.sql('update model_alias set version_id = $1 where model_id = $2', [model.otherId, model.modelId]),
    );

    await expect(write).rejects.toThrow(/audited command/);
    await expect(
      asSystem(app.db, (tx) => tx.sql('update model_alias set version_id = $1', [model.otherId])),
    ).rejects.toThrow(/permission denied/);
  });
});

test('champion is protected before it exists, for administrators too, and the refusal stands in the trail', async () => {
  const { modelId, versionId } = await givenVersion(app);
  const admin = await app.actor('administrator', { roles: ['administrator', 'engineer'] });
  const input = { modelId, versionId, name: 'champion' };

  const answer = await app.graphql(admin, mutation('setAlias', 'AliasSetInput'), { input });

  expect(answer.code).toBe('PRECONDITION_FAILED');
  expect(await app.trail(modelId)).toContainEqual({
    command: 'alias.set',
    outcome: 'refused',
    actorId: admin.id,
  });
});

test('two who let an alias point at a version while it is deleted: one of them fails', async () => {
  const engineer = await app.actor('engineer');
  for (let round = 0; round < 5; round += 1) {
    const { modelId, otherId } = await given('champion');
    const input = { modelId, versionId: otherId, alias: 'champion' };

    const [moved, removed] = await Promise.allSettled([
      app.run(promote, engineer, input),
      app.graphql(engineer, mutation('deleteModelVersion', 'ModelVersionDeleteInput'), {
        input: { versionId: otherId },
      }),
    ]);

    const deleted = removed.status === 'fulfilled' && removed.value.code === undefined;
    expect([moved.status === 'fulfilled', deleted].filter(Boolean)).toHaveLength(1);
  }
});
