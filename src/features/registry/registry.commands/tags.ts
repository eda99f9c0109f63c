import { createHash } from 'node:crypto';
import { IsNull } from 'typeorm';
import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ModelTag } from '../model-tag.entity.js';
import { foldName } from '../names.js';
import { lockModel, versionOr404 } from './find.js';

const maxTags = 200;

/** By which a version says who registered it through us; set by us alone. */
export const registeredByTag = 'countersign.registered_by';

/** Tags that say what the registry knows of a version; nobody sets them. */
export const reservedTags = [
  'countersign.intake',
  'countersign.approvals',
  'countersign.change_requests',
  // By which another registry behind this one says who registered a version here.
  registeredByTag,
] as const;

/** Whether a tag is one that is said here, however it is spelled. */
export const isReservedTag = (key: string): boolean =>
  reservedTags.some((reserved) => foldName(reserved) === foldName(key));

const requireOwnTag = (key: string): void => {
  if (!isReservedTag(key)) return;
  throw invalidInput(`The tag ${key} says what the registry knows; it cannot be set`, [
    { path: 'key', message: 'is not for clients to set' },
  ]);
};

const place = {
  modelId: z.uuid(),
  versionId: z.uuid().nullish().describe('Of this version; without it, of the model.'),
  key: z.string().trim().min(1).max(250),
};

const target = async (tx: Tx, input: { modelId: string; versionId?: string | null | undefined }) => {
  const model = await lockModel(tx, input.modelId);
  if (!input.versionId) return { id: model.id, workspaceId: model.workspaceId, versionId: null };
  const version = await versionOr404(tx, input.versionId);
  if (version.modelId !== model.id) throw notFound(`A version of ${model.name} with this id`);
  return { id: model.id, workspaceId: model.workspaceId, versionId: version.id };
};

interface Place {
  readonly id: string;
  readonly versionId: string | null;
}

const tagAt = (tx: Tx, at: Place, key: string): Promise<ModelTag | null> =>
  tx.findOne(ModelTag, { modelId: at.id, versionId: at.versionId ?? IsNull(), key });

/** What stands at a key, and how many tags there are beside. */
const standing = async (
  tx: Tx,
  at: Place,
  key: string,
): Promise<{ id: string | null; value: string | null }> => {
  const [row] = await tx.sql<{ id: string | null; value: string | null; count: number }>(
    `select max(id::text) filter (where key = $3) as id, max(value) filter (where key = $3) as value, count(*)::int as count
       from model_tag where model_id = $1 and version_id is not distinct from $2`,
    [at.id, at.versionId, key],
    'registry.tag',
  );
  if (row?.id) return row;
  if ((row?.count ?? 0) < maxTags) return { id: null, value: null };
  throw conflict(`There are ${String(maxTags)} tags already`, { rule: 'tag-count' });
};

const mostInTrail = 2000;

/** The trail keeps what is short as it is, and of what is long its digest. */
const inTrail = (value: string | null): unknown =>
  value === null || value.length <= mostInTrail
    ? value
    : { characters: value.length, sha256: createHash('sha256').update(value).digest('hex') };

export const setTag = defineCommand({
  name: 'tag.set',
  describe: 'Gives a model, or one of its versions, a tag.',
  permission: 'model:update',
  input: z.object({ ...place, value: z.string().max(100_000) }),
  target,
  handle: async ({ tx, actor, input, target: at, now }) => {
    const { key, value } = input;
    requireOwnTag(key);
    const existing = await standing(tx, at, key);
    const id = existing.id ?? newId();
    // Nobody reads the answer, and the lock on the model keeps others away: it goes out with the commit.
    tx.atCommit(
      `insert into model_tag (id, workspace_id, model_id, version_id, key, value, set_by, set_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (model_id, version_id, key)
       do update set value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at`,
      [id, at.workspaceId, at.id, at.versionId, key, value, actor.id, now],
      'registry.setTag',
    );
    return {
      result: { id },
      audit: {
        subject: { kind: 'tag', id },
        changes: { value: { from: inTrail(existing.value), to: inTrail(value) } },
        facts: { modelId: at.id, versionId: at.versionId, key },
      },
    };
  },
});

export const deleteTag = defineCommand({
  name: 'tag.delete',
  describe: 'Takes a tag away from a model or one of its versions.',
  permission: 'model:update',
  input: z.object(place),
  target,
  handle: async ({ tx, input, target: at }) => {
    const existing = await tagAt(tx, at, input.key);
    if (!existing) throw notFound(`The tag ${input.key}`);
    await tx.remove(ModelTag, { id: existing.id });
    return {
      result: { id: existing.id },
      audit: {
        subject: { kind: 'tag', id: existing.id },
        changes: { value: { from: inTrail(existing.value), to: null } },
        facts: { modelId: at.id, versionId: at.versionId, key: input.key },
      },
    };
  },
});
