import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { isDuplicate, type Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ModelAlias } from '../model-alias.entity.js';
import { foldName, modelName } from '../names.js';
import { requireNoProtectedName } from '../protection.js';
import { modelKind, RegisteredModel } from '../registered-model.entity.js';
import { lockModel } from './find.js';

const description = z.string().trim().max(10_000);

const nameTaken = (name: string) =>
  conflict(`A model with this name, or one that reads like it, exists already: ${name}`, {
    rule: 'name-taken',
    name,
  });

const requireFreeName = async (tx: Tx, name: string, exceptId: string): Promise<void> => {
  const [other] = await tx.sql<{ name: string }>(
    'select name from registered_model where folded = $1 and deleted_at is null and id <> $2',
    [foldName(name), exceptId],
    'registry.freeName',
  );
  if (other) throw nameTaken(other.name);
};

/** Two may ask for one name at the same moment; then the index decides. */
const orNameTaken = async (name: string, write: Promise<unknown>): Promise<void> => {
  await write.catch((error: unknown) => {
    throw isDuplicate(error, 'registered_model_name') ? nameTaken(name) : error;
  });
};

type NewModel = Pick<
  RegisteredModel,
  'id' | 'workspaceId' | 'name' | 'folded' | 'kind' | 'description' | 'createdBy' | 'createdAt'
>;

const insertModel = (tx: Tx, row: NewModel): Promise<unknown> =>
  tx.sql(
    `insert into registered_model (id, workspace_id, name, folded, kind, description, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [row.id, row.workspaceId, row.name, row.folded, row.kind, row.description, row.createdBy, row.createdAt],
    'registry.insertModel',
  );

export const createModel = defineCommand({
  name: 'model.create',
  describe:
    'Registers a model by name: one whose files are kept here, or one that stands elsewhere (EXTERNAL).',
  permission: 'model:create',
  input: z.object({ name: modelName, description: description.default(''), kind: modelKind.default('ONNX') }),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, actor, input, target, now }) => {
    const { name, kind } = input;
    await requireFreeName(tx, name, target.id);
    const row = {
      id: target.id,
      workspaceId: actor.workspaceId ?? '',
      name,
      folded: foldName(name),
      kind,
      description: input.description,
      createdBy: actor.id,
      createdAt: now,
    };
    await orNameTaken(name, insertModel(tx, row));
    const changes = { name: { from: null, to: name }, kind: { from: null, to: kind } };
    const result = { id: target.id, createdAt: now };
    return { result, audit: { subject: { kind: 'model', id: target.id }, changes } };
  },
});

export const updateModel = defineCommand({
  name: 'model.update',
  describe: 'Changes the description of a model.',
  permission: 'model:update',
  input: z.object({ modelId: z.uuid(), description }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, input, target, now }) => {
    const { description: text } = input;
    await tx.update(RegisteredModel, { id: target.id }, { description: text, updatedAt: now });
    const changes = { description: { from: target.description, to: text } };
    return { result: { id: target.id }, audit: { subject: { kind: 'model', id: target.id }, changes } };
  },
});

export const renameModel = defineCommand({
  name: 'model.rename',
  describe: 'Gives a model another name. Refused while a protected alias points to one of its versions.',
  permission: 'model:update',
  input: z.object({ modelId: z.uuid(), name: modelName }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, input, target, now }) => {
    const { name } = input;
    // Those who use a model by name and protected alias must not find another one, or none, without an approval.
    await requireNoProtectedName(
      tx,
      { modelId: target.id },
      {
        now,
        what: 'renaming its model',
        instead:
          'A model keeps its name as long as a protected name stands in it: register another model under the new name, and have its version promoted with requestPromotion.',
      },
    );
    await requireFreeName(tx, name, target.id);
    const renamed = { name, folded: foldName(name), updatedAt: now };
    await orNameTaken(name, tx.update(RegisteredModel, { id: target.id }, renamed));
    const changes = { name: { from: target.name, to: name } };
    return { result: { id: target.id }, audit: { subject: { kind: 'model', id: target.id }, changes } };
  },
});

export const deleteModel = defineCommand({
  name: 'model.delete',
  describe:
    'Deletes a model with its versions and aliases. The record stays; a new model of this name starts anew.',
  permission: 'model:delete',
  input: z.object({ modelId: z.uuid() }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, target, now }) => {
    await requireNoProtectedName(
      tx,
      { modelId: target.id },
      {
        now,
        what: 'deleting its model',
        instead:
          'A model stays as long as a protected name stands in it: stop what serves it with suspendEndpoint.',
      },
    );
    const aliases = await tx.find(ModelAlias, { where: { modelId: target.id }, order: { id: 'ASC' } });
    await tx.remove(ModelAlias, { modelId: target.id });
    const versions = await tx.sql<{ id: string }>(
      'update model_version set deleted_at = $2 where model_id = $1 and deleted_at is null returning id',
      [target.id, now],
    );
    await tx.update(RegisteredModel, { id: target.id }, { deletedAt: now });
    return {
      result: { id: target.id },
      audit: [
        {
          subject: { kind: 'model', id: target.id },
          changes: { deletedAt: { from: null, to: now } },
          facts: { name: target.name, aliases: aliases.map(({ name, versionId }) => ({ name, versionId })) },
        },
        ...versions.map(({ id }) => ({
          subject: { kind: 'modelVersion', id },
          changes: { deletedAt: { from: null, to: now } },
        })),
      ],
    };
  },
});
