import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidInput } from '../../kernel/errors.js';
import { defineQuery } from '../../kernel/query.js';
import { requireCardPlace } from './card-place.js';
import { cardFormat, cardForms, writeCard, type CardFormat } from './exports/index.js';
import { assessFramework, frameworkPacks, type FrameworkResult } from './frameworks.js';
import { readCard } from './read-card.js';

const place = { versionId: z.uuid(), useCaseId: z.uuid() };

const requireKnown = (asked: readonly string[]): void => {
  const known = frameworkPacks().map((one) => one.id);
  const strange = asked.find((one) => !known.includes(one));
  if (strange === undefined) return;
  throw invalidInput(`${strange} is not a framework that is known here; known are ${known.join(', ')}`, [
    { path: 'frameworks', message: `${strange} is not known` },
  ]);
};

export const cardCompleteness = defineQuery({
  name: 'card.completeness',
  describe:
    'How a card answers to frameworks: a score, every requirement, and what is missing with the way to it. All frameworks unless some are named.',
  permission: 'card:read',
  input: z.object({ ...place, frameworks: z.array(z.string().max(64)).max(20).nullish() }),
  handle: async ({ db, input, now, may }): Promise<FrameworkResult[]> => {
    const asked = input.frameworks ?? [];
    requireKnown(asked);
    await requireCardPlace({ db, may }, input);
    const { versionId, useCaseId } = input;
    const card = await readCard(db, { versionId, useCaseId }, now);
    return frameworkPacks()
      .filter(({ id }) => asked.length === 0 || asked.includes(id))
      .map((pack) => assessFramework(pack, card));
  },
});

/** A card as a document in somebody else's form. */
export interface ExportedCard {
  /** Null until somebody attested something. */
  readonly cardId: string | null;
  readonly format: CardFormat;
  readonly fileName: string;
  readonly mediaType: string;
  readonly content: string;
  readonly sha256: string;
  readonly revision: number;
}

export const exportCard = defineQuery({
  name: 'card.export',
  describe: 'The card of a version in a use case as a document in a standard form; leaves a trace.',
  permission: 'card:read',
  input: z.object({ ...place, format: cardFormat, revision: z.int().min(1).nullish() }),
  recordAccess: ({ versionId, useCaseId, format }, { cardId, sha256, revision }: ExportedCard) => ({
    subject: cardId === null ? { kind: 'modelVersion', id: versionId } : { kind: 'card', id: cardId },
    facts: { versionId, useCaseId, format, revision, sha256 },
  }),
  handle: async ({ db, input, now, may }): Promise<ExportedCard> => {
    const { format, versionId, useCaseId, revision } = input;
    await requireCardPlace({ db, may }, input);
    const card = await readCard(db, { versionId, useCaseId, revision }, now);
    const content = writeCard(card, format);
    const { file: fileName, mediaType } = cardForms[format];
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { cardId: card.id, format, fileName, mediaType, content, sha256, revision: card.revision };
  },
});
