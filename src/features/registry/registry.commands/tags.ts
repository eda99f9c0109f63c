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

const tagsOf = (tx: Tx, at: { id: string; versionId: string | null }): Promise<ModelTag[]> =>
  tx.find(ModelTag, { where: { modelId: at.id, versionId: at.versionId ?? IsNull() } });

export const setTag = defineCommand({
  name: 'tag.set',
  describe: 'Gives a model, or one of its versions, a tag.',
  permission: 'model:update',
  input: z.object({ ...place, value: z.string().max(8000) }),
  target,
  handle: async ({ tx, actor, input, target: at, now }) => {
    const { key, value } = input;
    const tags = await tagsOf(tx, at);
    const existing = tags.find((tag) => tag.key === key);
    if (!existing && tags.length >= maxTags)
      throw conflict(`There are ${String(maxTags)} tags already`, { rule: 'tag-count' });
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
        changes: { value: { from: existing?.value ?? null, to: value } },
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
    const existing = (await tagsOf(tx, at)).find((tag) => tag.key === input.key);
    if (!existing) throw notFound(`The tag ${input.key}`);
    await tx.remove(ModelTag, { id: existing.id });
    return {
      result: { id: existing.id },
      audit: {
        subject: { kind: 'tag', id: existing.id },
        changes: { value: { from: existing.value, to: null } },
        facts: { modelId: at.id, versionId: at.versionId, key: input.key },
      },
    };
  },
});
