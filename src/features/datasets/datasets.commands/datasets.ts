import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { isDuplicate, type Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { foldName, nameOf } from '../../../kernel/names.js';
import { Dataset } from '../dataset.entity.js';
import { lockDataset } from './find.js';

/** The name of a data set. */
export const datasetName = nameOf('a data set');
const description = z.string().trim().max(10_000);

const nameTaken = (name: string) =>
  conflict(`A data set with this name, or one that reads like it, exists already: ${name}`, {
    rule: 'name-taken',
    name,
  });

const requireFreeName = async (tx: Tx, name: string, exceptId: string): Promise<void> => {
  const [other] = await tx.sql<{ name: string }>(
    'select name from dataset where folded = $1 and deleted_at is null and id <> $2',
    [foldName(name), exceptId],
  );
  if (other) throw nameTaken(other.name);
};

/** Two may ask for one name at the same moment; then the index decides. */
const orNameTaken = async (name: string, write: Promise<unknown>): Promise<void> => {
  await write.catch((error: unknown) => {
    throw isDuplicate(error, 'dataset_name') ? nameTaken(name) : error;
  });
};

export const createDataset = defineCommand({
  name: 'dataset.create',
  describe: 'Registers a data set by name; its versions hold or name the content.',
  permission: 'dataset:create',
  input: z.object({ name: datasetName, description: description.default('') }),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, actor, input, target, now }) => {
    const { name } = input;
    await requireFreeName(tx, name, target.id);
    const row = {
      id: target.id,
      workspaceId: actor.workspaceId ?? '',
      name,
      folded: foldName(name),
      description: input.description,
      lastVersion: 0,
      createdBy: actor.id,
      createdAt: now,
    };
    await orNameTaken(name, tx.insert(Dataset, row));
    const changes = { name: { from: null, to: name } };
    return { result: { id: target.id }, audit: { subject: { kind: 'dataset', id: target.id }, changes } };
  },
});

export const updateDataset = defineCommand({
  name: 'dataset.update',
  describe: 'Changes the name or the description of a data set. What refers to it stays with it.',
  permission: 'dataset:update',
  input: z.object({ datasetId: z.uuid(), name: datasetName.nullish(), description: description.nullish() }),
  target: (tx, input) => lockDataset(tx, input.datasetId),
  handle: async ({ tx, input, target }) => {
    const name = input.name ?? target.name;
    const said = input.description ?? target.description;
    await requireFreeName(tx, name, target.id);
    const row = { name, folded: foldName(name), description: said };
    await orNameTaken(name, tx.update(Dataset, { id: target.id }, row));
    const changes = {
      name: { from: target.name, to: name },
      description: { from: target.description, to: said },
    };
    return { result: { id: target.id }, audit: { subject: { kind: 'dataset', id: target.id }, changes } };
  },
});

export const deleteDataset = defineCommand({
  name: 'dataset.delete',
  describe: 'Deletes a data set with its versions. The record stays; a new one of this name starts anew.',
  permission: 'dataset:delete',
  input: z.object({ datasetId: z.uuid() }),
  target: (tx, input) => lockDataset(tx, input.datasetId),
  handle: async ({ tx, target, now }) => {
    const versions = await tx.sql<{ id: string }>(
      'update dataset_version set deleted_at = $2 where dataset_id = $1 and deleted_at is null returning id',
      [target.id, now],
    );
    await tx.update(Dataset, { id: target.id }, { deletedAt: now });
    const changes = { deletedAt: { from: null, to: now } };
    return {
      result: { id: target.id },
      audit: [
        { subject: { kind: 'dataset', id: target.id }, changes, facts: { name: target.name } },
        ...versions.map(({ id }) => ({ subject: { kind: 'datasetVersion', id }, changes })),
      ],
    };
  },
});
