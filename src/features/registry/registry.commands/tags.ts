import { createHash } from 'node:crypto';
import { IsNull } from 'typeorm';
import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ModelTag } from '../model-tag.entity.js';
import { lockModel, versionOr404 } from './find.js';

const maxTags = 200;

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

const requireRoom = async (tx: Tx, at: Place): Promise<void> => {
  const [row] = await tx.sql<{ count: number }>(
    'select count(*)::int as count from model_tag where model_id = $1 and version_id is not distinct from $2',
    [at.id, at.versionId],
  );
  if ((row?.count ?? 0) >= maxTags)
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
    const existing = await tagAt(tx, at, key);
    if (!existing) await requireRoom(tx, at);
    const id = existing?.id ?? newId();
    const written = { value, setBy: actor.id, setAt: now };
    if (existing) await tx.update(ModelTag, { id }, written);
    else {
      const { workspaceId, versionId } = at;
      await tx.insert(ModelTag, { id, workspaceId, modelId: at.id, versionId, key, ...written });
    }
    return {
      result: { id },
      audit: {
        subject: { kind: 'tag', id },
        changes: { value: { from: inTrail(existing?.value ?? null), to: inTrail(value) } },
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
