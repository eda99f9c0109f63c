import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Experiment } from '../experiment.entity.js';
import { loggedModelId } from '../ids.js';
import { entityKey, paramValue, tagKey, tagValue } from '../limits.js';
import { LoggedModel } from '../logged-model.entity.js';

const most = 1000;
const few = <Value extends z.ZodType>(key: typeof tagKey, value: Value) =>
  z.record(key, value).refine((all) => Object.keys(all).length <= most, `must be ${String(most)} at most`);

/** The logged model, locked until the transaction ends, or NOT_FOUND. */
export const lockLoggedModel = async (tx: Tx, id: string): Promise<LoggedModel> => {
  const model = await tx.lock(LoggedModel, { id });
  if (!model || model.deletedAt !== null) throw notFound(`Logged model with id=${loggedModelId(id)}`);
  return model;
};

const requireRun = async (tx: Tx, id: string): Promise<void> => {
  const [run] = await tx.sql('select 1 from training_run where id = $1', [id]);
  if (!run) throw notFound('The source run of the model');
};

export const createLoggedModel = defineCommand({
  name: 'loggedModel.create',
  describe: 'Opens a model that a training script saves; its files follow.',
  permission: 'loggedModel:manage',
  input: z.object({
    experiment: z.int().min(0),
    name: entityKey.nullish(),
    modelType: z.string().max(500).default(''),
    sourceRunId: z.uuid().nullish(),
    params: few(entityKey, paramValue).default({}),
    tags: few(tagKey, tagValue).default({}),
  }),
  target: async (tx, input) => {
    const experiment = await tx.findOne(Experiment, { number: input.experiment });
    if (!experiment) throw notFound(`Experiment with id=${String(input.experiment)}`);
    return experiment;
  },
  handle: async ({ tx, actor, input, target: experiment, now }) => {
    if (experiment.deletedAt !== null) throw conflict('The experiment is deleted', { rule: 'deleted' });
    const id = newId();
    const { modelType, params, tags } = input;
    const sourceRunId = input.sourceRunId ?? null;
    if (sourceRunId !== null) await requireRun(tx, sourceRunId);
    const name = input.name ?? `model-${id.slice(-8)}`;
    await tx.insert(LoggedModel, {
      ...{ id, name, modelType, sourceRunId, params, tags },
      workspaceId: experiment.workspaceId,
      experimentId: experiment.id,
      state: 'PENDING',
      createdBy: actor.id,
      createdAt: now,
      updatedAt: now,
    });
    const facts = { experimentId: experiment.id, sourceRunId, params };
    const changes = { name: { from: null, to: name } };
    return { result: { id }, audit: { subject: { kind: 'loggedModel', id }, changes, facts } };
  },
});

const one = { id: z.uuid() };

export const finalizeLoggedModel = defineCommand({
  name: 'loggedModel.finalize',
  describe: 'Closes the files of a logged model: from now on they stay as they are.',
  permission: 'loggedModel:manage',
  input: z.object({ ...one, state: z.enum(['READY', 'UPLOAD_FAILED']) }),
  target: (tx, input) => lockLoggedModel(tx, input.id),
  handle: async ({ tx, input: { state }, target, now }) => {
    const result = { id: target.id };
    if (target.state === state) return { result, audit: nothingChanged };
    if (target.state !== 'PENDING') {
      throw conflict(`The model is ${target.state}, which is an end`, { rule: 'artifacts-closed' });
    }
    await tx.update(LoggedModel, { id: target.id }, { state, updatedAt: now });
    const files = await tx.sql<{ path: string; sha256: string }>(
      'select path, sha256 from tracked_file where model_id = $1 order by path',
      [target.id],
    );
    const changes = { state: { from: target.state, to: state } };
    const subject = { kind: 'loggedModel', id: target.id };
    return { result, audit: { subject, changes, facts: { files } } };
  },
});

export const tagLoggedModel = defineCommand({
  name: 'loggedModel.tag',
  describe: 'Sets tags of a logged model; a value of null takes the tag away.',
  permission: 'loggedModel:manage',
  input: z.object({ ...one, tags: few(tagKey, tagValue.nullable()) }),
  target: (tx, input) => lockLoggedModel(tx, input.id),
  handle: async ({ tx, input, target, now }) => {
    const missing = Object.entries(input.tags).find(
      ([key, value]) => value === null && !(key in target.tags),
    );
    if (missing) throw notFound(`The tag ${missing[0]}`);
    const given = Object.entries({ ...target.tags, ...input.tags });
    const tags = Object.fromEntries(given.filter((entry): entry is [string, string] => entry[1] !== null));
    if (Object.keys(tags).length > most) throw conflict('The model has too many tags', { rule: 'tag-count' });
    await tx.update(LoggedModel, { id: target.id }, { tags, updatedAt: now });
    const changed = Object.entries(input.tags).map(
      ([key, to]) => [`tags.${key}`, { from: target.tags[key] ?? null, to }] as const,
    );
    const subject = { kind: 'loggedModel', id: target.id };
    return { result: { id: target.id }, audit: { subject, changes: Object.fromEntries(changed) } };
  },
});

export const addLoggedModelParams = defineCommand({
  name: 'loggedModel.addParams',
  describe: 'Adds parameters to a logged model; those that are there stay as they are.',
  permission: 'loggedModel:manage',
  input: z.object({ ...one, params: few(entityKey, paramValue) }),
  target: (tx, input) => lockLoggedModel(tx, input.id),
  handle: async ({ tx, input, target, now }) => {
    const other = Object.entries(input.params).find(
      ([key, value]) => (target.params[key] ?? value) !== value,
    );
    if (other) throw conflict(`The parameter ${other[0]} has another value already`, { rule: 'param-fixed' });
    const params = { ...target.params, ...input.params };
    if (Object.keys(params).length > most)
      throw conflict('The model has too many parameters', { rule: 'param-count' });
    await tx.update(LoggedModel, { id: target.id }, { params, updatedAt: now });
    const subject = { kind: 'loggedModel', id: target.id };
    return { result: { id: target.id }, audit: { subject, facts: { params: input.params } } };
  },
});

export const deleteLoggedModel = defineCommand({
  name: 'loggedModel.delete',
  describe: 'Deletes a logged model. The record stays, and so do versions made from it.',
  permission: 'loggedModel:manage',
  input: z.object(one),
  target: (tx, input) => lockLoggedModel(tx, input.id),
  handle: async ({ tx, target, now }) => {
    await tx.update(LoggedModel, { id: target.id }, { deletedAt: now });
    const changes = { deletedAt: { from: null, to: now } };
    const subject = { kind: 'loggedModel', id: target.id };
    return { result: { id: target.id }, audit: { subject, changes } };
  },
});
