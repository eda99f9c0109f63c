import { z } from 'zod';
import { defineCommand, nothingChanged, type CommandOutcome } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { foldName, lockModelNamed, modelName, type RegisteredModel } from '../../registry/index.js';
import { digestOfTold, keptModel, type ToldModel } from '../upstream/told.js';
import { ownTags, replaceTags } from './taken-tags.js';

/** What became of something that was to be taken over. */
export type Taken = 'IMPORTED' | 'UPDATED' | 'SAME' | 'FOREIGN';

/** A model that was to be taken over: its id, and its name here when it reads the same and is written otherwise. */
export interface TakenModel {
  readonly id: string;
  readonly name: string;
  readonly taken: Taken;
}

interface Copy {
  readonly id: string;
  readonly address: string;
  readonly told: string;
}

const copyOf = async (tx: Tx, modelId: string): Promise<Copy | null> => {
  const [row] = await tx.sql<Copy>(
    `select id, address, told_sha256 as told from upstream_copy where model_id = $1 and version_id is null for update`,
    [modelId],
    'mlflow.copyOfModel',
  );
  return row ?? null;
};

const factsOf = (told: ToldModel) => ({
  name: told.name,
  createdMs: told.creation_timestamp,
  updatedMs: told.last_updated_timestamp,
  user: told.user_id,
});

interface Place {
  readonly tx: Tx;
  readonly workspaceId: string;
  readonly address: string;
  readonly by: string;
  readonly now: Date;
}

const writeCopy = (at: Place, modelId: string, told: ToldModel, digest: string): void => {
  at.tx.atCommit(
    `insert into upstream_copy (id, workspace_id, model_id, address, facts, told_sha256, files, taken_by, taken_at)
     values ($1, $2, $3, $4, $5, $6, 'NONE', $7, $8)
     on conflict (model_id, version_id) do update
       set facts = excluded.facts, told_sha256 = excluded.told_sha256, updated_at = excluded.taken_at`,
    [newId(), at.workspaceId, modelId, at.address, JSON.stringify(factsOf(told)), digest, at.by, at.now],
  );
};

const create = async (at: Place, told: ToldModel, digest: string): Promise<CommandOutcome<TakenModel>> => {
  const id = newId();
  const name = modelName.parse(told.name);
  await at.tx.sql(
    `insert into registered_model (id, workspace_id, name, folded, kind, description, created_by, created_at)
     values ($1, $2, $3, $4, 'MLFLOW', $5, $6, $7)`,
    [id, at.workspaceId, name, foldName(name), told.description, at.by, at.now],
  );
  await replaceTags(at, { modelId: id, versionId: null }, ownTags(told.tags));
  writeCopy(at, id, told, digest);
  return {
    result: { id, name, taken: 'IMPORTED' },
    audit: {
      subject: { kind: 'model', id },
      changes: { name: { from: null, to: name }, kind: { from: null, to: 'MLFLOW' } },
      facts: { upstream: at.address, ...factsOf(told) },
    },
  };
};

const update = async (
  at: Place,
  model: RegisteredModel,
  told: ToldModel,
  digest: string,
): Promise<CommandOutcome<TakenModel>> => {
  const { id, name, description } = model;
  await at.tx.sql('update registered_model set description = $2, updated_at = $3 where id = $1', [
    id,
    told.description,
    at.now,
  ]);
  await replaceTags(at, { modelId: id, versionId: null }, ownTags(told.tags));
  writeCopy(at, id, told, digest);
  return {
    result: { id, name, taken: 'UPDATED' },
    audit: {
      subject: { kind: 'model', id },
      changes: { description: { from: description, to: told.description } },
      facts: { upstream: at.address, tags: Object.keys(ownTags(told.tags)) },
    },
  };
};

export const takeModel = defineCommand({
  name: 'upstream.takeModel',
  describe: 'Takes a model of another MLflow server into the registry, or what is new about it.',
  permission: 'upstream:take',
  input: z.object({
    address: z.string().min(1).max(2000),
    told: keptModel,
    by: z.string().min(1).max(200),
    adopt: z.boolean().describe('Whether a model of this name that was made here is the same one.'),
  }),
  target: async (tx, input) => lockModelNamed(tx, input.told.name),
  handle: async ({ tx, actor, input, target: model, now }): Promise<CommandOutcome<TakenModel>> => {
    const { address, by, adopt, told } = input;
    const at = { tx, address, by, now, workspaceId: actor.workspaceId ?? '' };
    const digest = digestOfTold({ ...factsOf(told), description: told.description, tags: told.tags });
    if (!model) return create(at, told, digest);
    const copy = await copyOf(tx, model.id);
    const result = { id: model.id, name: model.name };
    const isOther = copy === null ? !adopt : copy.address !== address;
    if (isOther || model.name !== modelName.parse(told.name)) {
      return { result: { ...result, taken: 'FOREIGN' }, audit: nothingChanged };
    }
    if (copy?.told === digest) return { result: { ...result, taken: 'SAME' }, audit: nothingChanged };
    return update(at, model, told, digest);
  },
});
