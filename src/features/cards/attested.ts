import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import type { CardRevision } from './card-revision.entity.js';
import { ModelCard, type AttestedField } from './model-card.entity.js';

/** Which card, and as of when: at a revision, at a time, or now. */
export interface CardPlace {
  readonly versionId: string;
  readonly useCaseId: string;
  readonly revision?: number | null | undefined;
  readonly at?: Date | null | undefined;
}

/** What people attested, as of an edit. */
export interface Attested {
  readonly id: string | null;
  readonly revision: number;
  readonly updatedAt: Date | null;
  readonly fields: Readonly<Record<string, AttestedField>>;
}

const nobody: Attested = { id: null, revision: 0, updatedAt: null, fields: {} };

type Kept = Pick<CardRevision, 'revision' | 'fields' | 'createdAt'>;

const lastRevision = async (
  db: ReadDb,
  cardId: string,
  { revision, at }: CardPlace,
): Promise<Kept | undefined> => {
  const [row] = await db.sql<Kept>(
    `select revision, fields, created_at as "createdAt" from card_revision
      where card_id = $1 and ($2::int is null or revision = $2) and ($3::timestamptz is null or created_at <= $3)
      order by revision desc limit 1`,
    [cardId, revision ?? null, at ?? null],
  );
  return row;
};

/** What people had attested at a revision or at a time; the newest when neither is given. */
export const attestedOf = async (db: ReadDb, place: CardPlace): Promise<Attested> => {
  const { versionId, useCaseId } = place;
  const card = await db.findOne(ModelCard, { versionId, useCaseId });
  if (card && !place.revision && !place.at) return card;
  const kept = card ? await lastRevision(db, card.id, place) : undefined;
  if (card && kept)
    return { id: card.id, revision: kept.revision, updatedAt: kept.createdAt, fields: kept.fields };
  if (place.revision) throw notFound('This revision of the card');
  return nobody;
};
