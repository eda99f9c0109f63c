import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Experiment } from '../experiment.entity.js';
import { experimentName, tagKey } from '../limits.js';

const maxTags = 200;
const tags = z
  .record(tagKey, z.string().max(20_000))
  .refine((all) => Object.keys(all).length <= maxTags, `must be ${String(maxTags)} at most`);

/** The experiment, locked until the transaction ends, or NOT_FOUND. */
const lockExperiment = async (tx: Tx, number: number): Promise<Experiment> => {
  const found = await tx.lock(Experiment, { number });
  if (!found) throw notFound(`Experiment with id=${String(number)}`);
  return found;
};

const requireFreeName = async (tx: Tx, name: string): Promise<void> => {
  const other = await tx.findOne(Experiment, { name });
  if (!other) return;
  const state = other.deletedAt === null ? '' : ' in deleted state; restore it or take another name';
  throw conflict(`Experiment '${name}' already exists${state}`, { rule: 'name-taken', name });
};

/** Numbers count up per workspace and are never given twice; the lock is held until the transaction ends. */
const nextNumber = async (tx: Tx, workspaceId: string): Promise<number> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('experiment/' || $1, 0))`, [workspaceId]);
  const [row] = await tx.sql<{ next: number }>(
    'select greatest(coalesce(max(number), 0), 0) + 1 as next from experiment where workspace_id = $1',
    [workspaceId],
  );
  return row?.next ?? 1;
};

export const createExperiment = defineCommand({
  name: 'experiment.create',
  describe: 'Opens an experiment, in which runs stand together.',
  permission: 'experiment:manage',
  input: z.object({ name: experimentName, tags: tags.default({}) }),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, actor, input, target: { id }, now }) => {
    const workspaceId = actor.workspaceId ?? '';
    const { name } = input;
    const number = await nextNumber(tx, workspaceId);
    await requireFreeName(tx, name);
    const row = { id, workspaceId, number, name, tags: input.tags, createdBy: actor.id };
    await tx.insert(Experiment, { ...row, createdAt: now, updatedAt: now, deletedAt: null });
    const changes = { name: { from: null, to: name } };
    return {
      result: { id, number },
      audit: { subject: { kind: 'experiment', id }, changes, facts: { number } },
    };
  },
});

export const openDefaultExperiment = defineCommand({
  name: 'experiment.openDefault',
  describe: 'Opens experiment 0, into which scripts log that name none.',
  permission: 'experiment:manage',
  input: z.object({}),
  target: () => Promise.resolve({ id: newId() }),
  handle: async ({ tx, actor, target: { id }, now }) => {
    const workspaceId = actor.workspaceId ?? '';
    const [made] = await tx.sql<{ id: string }>(
      `insert into experiment (id, workspace_id, number, name, tags, created_by, created_at, updated_at)
       values ($1, $2, 0, 'Default', '{}', $3, $4, $4) on conflict do nothing returning id`,
      [id, workspaceId, actor.id, now],
    );
    if (!made) return { result: {}, audit: nothingChanged };
    return {
      result: {},
      audit: { subject: { kind: 'experiment', id }, changes: { name: { from: null, to: 'Default' } } },
    };
  },
});

const numbered = { number: z.int().min(0) };

export const renameExperiment = defineCommand({
  name: 'experiment.rename',
  describe: 'Gives an experiment another name.',
  permission: 'experiment:manage',
  input: z.object({ ...numbered, name: experimentName }),
  target: (tx, input) => lockExperiment(tx, input.number),
  handle: async ({ tx, input: { name }, target, now }) => {
    if (target.name === name) return { result: { id: target.id }, audit: nothingChanged };
    if (target.deletedAt !== null)
      throw conflict('Cannot rename an experiment that is deleted', { rule: 'deleted' });
    await requireFreeName(tx, name);
    await tx.update(Experiment, { id: target.id }, { name, updatedAt: now });
    const changes = { name: { from: target.name, to: name } };
    return { result: { id: target.id }, audit: { subject: { kind: 'experiment', id: target.id }, changes } };
  },
});

export const retireExperiment = defineCommand({
  name: 'experiment.retire',
  describe: 'Deletes an experiment with its runs, or restores it. Nothing of it is lost.',
  permission: 'experiment:manage',
  input: z.object({ ...numbered, deleted: z.boolean() }),
  target: (tx, input) => lockExperiment(tx, input.number),
  handle: async ({ tx, input: { deleted }, target, now }) => {
    const result = { id: target.id };
    if ((target.deletedAt !== null) === deleted) return { result, audit: nothingChanged };
    const deletedAt = deleted ? now : null;
    await tx.update(Experiment, { id: target.id }, { deletedAt, updatedAt: now });
    const changes = { deletedAt: { from: target.deletedAt, to: deletedAt } };
    return { result, audit: { subject: { kind: 'experiment', id: target.id }, changes } };
  },
});

export const tagExperiment = defineCommand({
  name: 'experiment.tag',
  describe: 'Sets a tag of an experiment, or takes it away.',
  permission: 'experiment:manage',
  input: z.object({ ...numbered, key: tagKey, value: z.string().max(20_000).nullable() }),
  target: (tx, input) => lockExperiment(tx, input.number),
  handle: async ({ tx, input: { key, value }, target, now }) => {
    const before = target.tags[key] ?? null;
    if (value === null && before === null) throw notFound(`The tag ${key}`);
    const { [key]: _, ...others } = target.tags;
    const after = value === null ? others : { ...others, [key]: value };
    if (Object.keys(after).length > maxTags)
      throw conflict('The experiment has too many tags', { rule: 'tag-count' });
    await tx.update(Experiment, { id: target.id }, { tags: after, updatedAt: now });
    const changes = { [`tags.${key}`]: { from: before, to: value } };
    return { result: { id: target.id }, audit: { subject: { kind: 'experiment', id: target.id }, changes } };
  },
});
