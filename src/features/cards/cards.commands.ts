import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { conflict, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { useCaseOr404 } from '../usecases/index.js';
import { CardRevision } from './card-revision.entity.js';
import { changedFields, givenField, merge, readFields, type ReadField } from './given-fields.js';
import { ModelCard } from './model-card.entity.js';

interface CardPlace {
  readonly versionId: string;
  readonly useCaseId: string;
}

/** A field rests on evidence about this version, or on none. */
const requireEvidence = async (tx: Tx, place: CardPlace, fields: readonly ReadField[]): Promise<void> => {
  const ids = fields.flatMap(({ evidence }) => (evidence === null ? [] : [evidence]));
  if (ids.length === 0) return;
  const rows = await tx.sql<{ id: string }>(
    'select id from evidence where id = any($1::uuid[]) and version_id = $2 and use_case_id = $3',
    [ids, place.versionId, place.useCaseId],
  );
  const known = new Set(rows.map(({ id }) => id));
  if (ids.some((id) => !known.has(id))) throw notFound('The evidence about this version');
};

type Edited = Pick<ModelCard, 'id' | 'workspaceId' | 'versionId' | 'useCaseId' | 'fields' | 'revision'>;

/** Keeps the card as it is now, and its revision for ever. */
const keep = async (
  tx: Tx,
  edited: Edited,
  changed: readonly ReadField[],
  { by: madeBy, now }: { readonly by: string; readonly now: Date },
): Promise<void> => {
  const { id, workspaceId, fields, revision } = edited;
  if (revision === 1) await tx.insert(ModelCard, { ...edited, createdAt: now, updatedAt: now });
  else await tx.update(ModelCard, { id }, { fields, revision, updatedAt: now });
  const names = changed.map(({ name }) => name);
  const row = { id: newId(), workspaceId, cardId: id, revision, fields, changed: names, madeBy };
  await tx.insert(CardRevision, { ...row, createdAt: now });
};

export const updateCard = defineCommand({
  name: 'card.update',
  describe:
    'Attests fields of the card of a version in a use case; every edit is a revision. A governed field voids open approvals.',
  permission: 'card:update',
  input: z.object({
    versionId: z.uuid(),
    useCaseId: z.uuid(),
    fields: z.array(givenField).min(1).max(100),
    expectedRevision: z.int().min(0).nullish().describe('Refuses when somebody else changed the card since.'),
  }),
  target: async (tx, input) => {
    const { versionId, useCaseId } = input;
    // Locked, so that two people who fill the first fields of one card make one card.
    const rows = await tx.sql(
      'select id from model_version where id = $1 and deleted_at is null for no key update',
      [versionId],
    );
    if (rows.length === 0) throw notFound('The version of the model');
    await useCaseOr404(tx, useCaseId);
    const card = await tx.lock(ModelCard, { versionId, useCaseId });
    return { id: card?.id ?? newId(), card };
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const given = readFields(input.fields);
    await requireEvidence(tx, input, given);
    const last = target.card?.revision ?? 0;
    if (typeof input.expectedRevision === 'number' && input.expectedRevision !== last) {
      throw conflict('Somebody else changed the card; look at it again', {
        rule: 'card-revision',
        revision: last,
      });
    }
    const before = target.card?.fields ?? {};
    const changed = changedFields(before, given);
    if (changed.length === 0) return { result: { id: target.id }, audit: nothingChanged };
    const { versionId, useCaseId } = input;
    const fields = merge(before, changed, { by: actor.id, at: now.toISOString() });
    const place = { id: target.id, workspaceId: actor.workspaceId ?? '', versionId, useCaseId };
    const revision = last + 1;
    await keep(tx, { ...place, fields, revision }, changed, { by: actor.id, now });
    const changes = changed.map(
      ({ name, value }) => [name, { from: before[name]?.value ?? null, to: value }] as const,
    );
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'card', id: target.id },
        changes: Object.fromEntries(changes),
        facts: { versionId, useCaseId, revision },
      },
    };
  },
});
