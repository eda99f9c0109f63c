import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { isDuplicate, type Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ModelAlias } from '../model-alias.entity.js';
import { foldName, modelName } from '../names.js';
import { requireUnprotected } from '../protection.js';
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
  );
  if (other) throw nameTaken(other.name);
};

/** Two may ask for one name at the same moment; then the index decides. */
const orNameTaken = async (name: string, write: Promise<unknown>): Promise<void> => {
  await write.catch((error: unknown) => {
    throw isDuplicate(error, 'registered_model_name') ? nameTaken(name) : error;
  });
};

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
      lastVersion: 0,
      createdBy: actor.id,
      createdAt: now,
      deletedAt: null,
    };
    await orNameTaken(name, tx.insert(RegisteredModel, row));
    const changes = { name: { from: null, to: name }, kind: { from: null, to: kind } };
    return { result: { id: target.id }, audit: { subject: { kind: 'model', id: target.id }, changes } };
  },
});

export const updateModel = defineCommand({
  name: 'model.update',
  describe: 'Changes the description of a model.',
  permission: 'model:update',
  input: z.object({ modelId: z.uuid(), description }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, input, target }) => {
    await tx.update(RegisteredModel, { id: target.id }, { description: input.description });
    const changes = { description: { from: target.description, to: input.description } };
    return { result: { id: target.id }, audit: { subject: { kind: 'model', id: target.id }, changes } };
  },
});

/** Those who use a model by name and protected alias must not find another one, or none, without an approval. */
const requireNoProtectedAlias = async (tx: Tx, modelId: string, deed: string): Promise<ModelAlias[]> => {
  const aliases = await tx.find(ModelAlias, { where: { modelId }, order: { id: 'ASC' } });
  await requireUnprotected(
    tx,
    aliases.map(({ name }) => name),
    deed,
    modelId,
  );
  return aliases;
};

export const renameModel = defineCommand({
  name: 'model.rename',
  describe: 'Gives a model another name. Refused while a protected alias points to one of its versions.',
  permission: 'model:update',
  input: z.object({ modelId: z.uuid(), name: modelName }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, input, target }) => {
    const { name } = input;
    await requireNoProtectedAlias(tx, target.id, 'renaming its model');
    await requireFreeName(tx, name, target.id);
    await orNameTaken(name, tx.update(RegisteredModel, { id: target.id }, { name, folded: foldName(name) }));
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
    const aliases = await requireNoProtectedAlias(tx, target.id, 'deleting its model');
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
