import type { ReadDb } from '../../kernel/db.js';
import { attestedOf, type Attested, type CardPlace } from './attested.js';
import { cardFields, howToFill, isWritable, type CardField } from './card-fields.js';
import { approvalFacts } from './facts/approval-facts.js';
import { evidenceFacts } from './facts/evidence-facts.js';
import { factOf, filled, type Facts, type Place } from './facts/fact.js';
import { useCaseFacts } from './facts/use-case-facts.js';
import { surroundingFacts, versionFacts } from './facts/version-facts.js';
import { fieldDifferences, sentencesOf } from './differences.js';
import { ModelCard, type AttestedField } from './model-card.entity.js';

/** Where a value comes from. What nobody knows is said to be unknown. */
export type FieldSource = 'AUTO' | 'ATTESTED' | 'UNKNOWN';

/** One field as shown. */
export interface CardFieldView {
  readonly name: string;
  readonly section: string;
  readonly label: string;
  readonly help: string;
  readonly type: string;
  readonly governed: boolean;
  /** Whether it fills itself and cannot be written. */
  readonly automatic: boolean;
  readonly value: unknown;
  readonly source: FieldSource;
  /** The evidence it rests on. */
  readonly evidence: string | null;
  readonly by: string | null;
  readonly byName: string | null;
  readonly at: string | null;
  /** How it gets a value; null where it has one. */
  readonly howToFill: string | null;
}

/** How much of a card is known. */
export interface Completeness {
  readonly known: number;
  readonly total: number;
  readonly unknown: readonly string[];
  readonly unknownGoverned: readonly string[];
}

/** A card as shown. */
export interface CardView {
  readonly versionId: string;
  readonly useCaseId: string;
  /** Null until somebody attested something. */
  readonly id: string | null;
  /** 0 until somebody attested something. */
  readonly revision: number;
  readonly updatedAt: Date | null;
  /** The time at which it shows what is known. */
  readonly at: Date;
  readonly fields: readonly CardFieldView[];
  readonly completeness: Completeness;
}

const viewOf = (
  field: CardField,
  facts: Facts,
  attested: Readonly<Record<string, AttestedField>>,
): CardFieldView => {
  const { name, section, label, help, type, governed } = field;
  const shape = { name, section, label, help, type, governed, automatic: !isWritable(field) };
  const fact = field.auto && facts[field.auto];
  if (fact) return { ...shape, ...fact, source: 'AUTO', byName: null, howToFill: null };
  const given = isWritable(field) ? attested[name] : undefined;
  if (given) return { ...shape, ...given, byName: null, howToFill: null };
  const nothing = { value: null, evidence: null, by: null, byName: null, at: null };
  return { ...shape, ...nothing, source: 'UNKNOWN', howToFill: howToFill(field) };
};

const completenessOf = (fields: readonly CardFieldView[]): Completeness => {
  const unknown = fields.filter((field) => field.source === 'UNKNOWN');
  return {
    known: fields.length - unknown.length,
    total: fields.length,
    unknown: unknown.map((field) => field.name),
    unknownGoverned: unknown.filter((field) => field.governed).map((field) => field.name),
  };
};

/** The names of those who filled fields, as far as they are people of the workspace. */
const withNames = async (db: ReadDb, fields: readonly CardFieldView[]): Promise<CardFieldView[]> => {
  const ids = [...new Set(fields.flatMap(({ by }) => (by === null ? [] : [by])))];
  const rows = await db.sql<{ id: string; name: string }>(
    'select id, display_name as name from app_user where id::text = any($1)',
    [ids],
  );
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  return fields.map((field) => ({
    ...field,
    byName: field.by === null ? null : (names.get(field.by) ?? null),
  }));
};

/** What changes with every version says nothing when two of them are compared. */
const moving = new Set([
  'version',
  'registered',
  'aliases',
  'previousVersion',
  'changesSinceApproved',
  'eventLog',
]);

const shownFields = async (db: ReadDb, place: Place, attested: Attested): Promise<CardFieldView[]> => {
  const own = await versionFacts(db, place);
  const around = await surroundingFacts(db, place);
  const evidence = await evidenceFacts(db, place);
  const use = await useCaseFacts(db, place);
  const { approvedVersionId, ...approvals } = await approvalFacts(db, place);
  const facts: Facts = { ...own, ...around, ...evidence, ...use, ...approvals };
  const views = cardFields().map((field) => viewOf(field, facts, attested.fields));
  if (approvedVersionId === null) return views;
  const changes = await changesSince(db, place, approvedVersionId, views);
  return cardFields().map((field) =>
    viewOf(field, { ...facts, 'lineage.changes': changes }, attested.fields),
  );
};

/** What differs from the version that was approved last, as sentences; the card of that one is read without its own. */
const changesSince = async (
  db: ReadDb,
  place: Place,
  approvedVersionId: string,
  views: readonly CardFieldView[],
) => {
  const before = { ...place, versionId: approvedVersionId };
  const attested = await attestedOf(db, before);
  const facts: Facts = {
    ...(await versionFacts(db, before)),
    ...(await surroundingFacts(db, before)),
    ...(await evidenceFacts(db, before)),
  };
  const comparable = (field: CardFieldView): boolean => !moving.has(field.name) && !isOfUse(field.name);
  const earlier = cardFields().map((field) => viewOf(field, facts, attested.fields));
  const differences = fieldDifferences(earlier.filter(comparable), views.filter(comparable));
  return factOf(filled(sentencesOf(differences)), { at: place.at });
};

const isOfUse = (name: string): boolean => {
  const auto = cardFields().find((field) => field.name === name)?.auto;
  return auto !== undefined && /^(useCase|approvals)\./.test(auto);
};

/** The card of a version in a use case, with what the registry knows and what people attested. */
export const readCard = async (db: ReadDb, place: CardPlace, now: Date): Promise<CardView> => {
  const { versionId, useCaseId } = place;
  const attested = await attestedOf(db, place);
  const at = place.at ?? (place.revision ? (attested.updatedAt ?? now) : now);
  const fields = await withNames(db, await shownFields(db, { versionId, useCaseId, at }, attested));
  const { id, revision, updatedAt } = attested;
  return { versionId, useCaseId, id, revision, updatedAt, at, fields, completeness: completenessOf(fields) };
};

/** A governed field, as far as it is part of what people approve. */
export interface GovernedField {
  readonly value: unknown;
  readonly source: FieldSource;
}

/** The governed fields of a card by name: what an approval of this version for this use is bound to. */
export const governedFields = async (
  db: ReadDb,
  versionId: string,
  useCaseId: string,
): Promise<Readonly<Record<string, GovernedField>>> => {
  const card = await db.findOne(ModelCard, { versionId, useCaseId });
  const governed = cardFields().filter((field) => field.governed);
  return Object.fromEntries(
    governed.map(({ name }): [string, GovernedField] => {
      const given = card?.fields[name];
      return [name, given ? { value: given.value, source: 'ATTESTED' } : { value: null, source: 'UNKNOWN' }];
    }),
  );
};
