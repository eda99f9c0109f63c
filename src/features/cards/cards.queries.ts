import { z } from 'zod';
import { invalidInput } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import { requireCardPlace } from './card-place.js';
import { fieldDifferences, type FieldDifference } from './differences.js';
import { ModelCard } from './model-card.entity.js';
import { readCard, type CardView } from './read-card.js';

const moment = {
  revision: z.int().min(1).nullish().describe('As it was after this edit.'),
  at: z.coerce.date().nullish().describe('As it was at this time.'),
};

export const cardOf = defineQuery({
  name: 'card.read',
  describe:
    'The card of a version in a use case: every field, known or not, and how complete it is; now, at a revision or at a time.',
  permission: 'card:read',
  input: z.object({ versionId: z.uuid(), useCaseId: z.uuid(), ...moment }),
  handle: async ({ db, input, now, may }): Promise<CardView> => {
    if (input.revision && input.at) {
      throw invalidInput('Give a revision or a time, not both', [
        { path: 'at', message: 'beside a revision' },
      ]);
    }
    await requireCardPlace({ db, may }, input);
    return readCard(db, input, now);
  },
});

/** An edit of a card as shown. */
export interface RevisionView {
  readonly id: string;
  readonly revision: number;
  readonly changed: readonly string[];
  readonly madeBy: string;
  readonly madeByName: string | null;
  readonly createdAt: Date;
}

export const listCardRevisions = defineQuery({
  name: 'card.revisions',
  describe: 'The edits of a card, newest first: who changed which fields, and when.',
  permission: 'card:read',
  input: z.object({ ...pageInput, versionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input, may }): Promise<Page<RevisionView>> => {
    const { versionId, useCaseId } = input;
    await requireCardPlace({ db, may }, input);
    const card = await db.findOne(ModelCard, { versionId, useCaseId });
    const after = readCursor(input.after, 'number');
    const rows = await db.sql<RevisionView>(
      `select r.id, r.revision, r.changed, r.made_by as "madeBy", u.display_name as "madeByName",
              r.created_at as "createdAt"
         from card_revision r left join app_user u on u.id::text = r.made_by
        where r.card_id = $1 and ($2::int is null or r.revision < $2::int) order by r.revision desc limit $3`,
      [card?.id ?? null, after?.[0] ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.revision, row.id],
      (row) => row,
    );
  },
});

const side = z.object({ versionId: z.uuid(), useCaseId: z.uuid(), ...moment });

/** Two cards, field by field. */
export interface CardComparison {
  readonly from: CardView;
  readonly to: CardView;
  readonly differences: readonly FieldDifference[];
}

export const compareCards = defineQuery({
  name: 'card.compare',
  describe:
    'What differs, field by field: between two revisions or times of a card, or between two versions.',
  permission: 'card:read',
  input: z.object({ from: side, to: side }),
  handle: async ({ db, input, now, may }): Promise<CardComparison> => {
    for (const place of [input.from, input.to]) await requireCardPlace({ db, may }, place);
    const from = await readCard(db, input.from, now);
    const to = await readCard(db, input.to, now);
    return { from, to, differences: fieldDifferences(from.fields, to.fields) };
  },
});
