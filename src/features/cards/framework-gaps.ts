import type { ReadDb } from '../../kernel/db.js';
import { cardFields } from './card-fields.js';
import { assessFramework, frameworkPacks } from './frameworks.js';
import { readCard } from './read-card.js';

/** What a framework still misses in a card. */
export interface FrameworkGaps {
  readonly id: string;
  readonly title: string;
  /** What is missing for mandatory requirements, by label; complete when it is empty. */
  readonly missing: readonly string[];
}

/** What an approval itself writes into the card cannot be asked for before it. */
const broughtByApproval = (name: string): boolean =>
  cardFields().find((field) => field.name === name)?.auto === 'approvals.decisions';

/** What these frameworks miss in the card of a version in a use case; the card is not read when none is named. */
export const frameworkGaps = async (
  db: ReadDb,
  place: { readonly versionId: string; readonly useCaseId: string },
  ids: readonly string[],
  now: Date,
): Promise<FrameworkGaps[]> => {
  const packs = frameworkPacks().filter(({ id }) => ids.includes(id));
  if (packs.length === 0) return [];
  const card = await readCard(db, place, now);
  return packs.map((pack) => {
    const { missingMandatory } = assessFramework(pack, card);
    const missing = missingMandatory.filter(({ name }) => !broughtByApproval(name));
    return { id: pack.id, title: pack.title, missing: missing.map(({ label }) => label) };
  });
};
