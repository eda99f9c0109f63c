import type { ReadDb } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { cardFields, type CardField } from './card-fields.js';
import { ModelCard, type AttestedField } from './model-card.entity.js';

/** Where a value comes from. What nobody knows is said to be unknown. */
export type FieldSource = 'AUTO' | 'ATTESTED' | 'UNKNOWN';

/** One field as shown. */
export interface CardFieldView {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly governed: boolean;
  readonly automatic: boolean;
  readonly value: unknown;
  readonly source: FieldSource;
  /** The evidence it rests on. */
  readonly evidence: string | null;
  readonly by: string | null;
  readonly at: string | null;
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
  /** 0 until somebody attested something. */
  readonly revision: number;
  readonly updatedAt: Date | null;
  readonly fields: readonly CardFieldView[];
  readonly completeness: Completeness;
}

interface EvidenceRow {
  readonly kind: string;
  readonly id: string;
  readonly verdict: string;
  readonly resultSha256: string;
  readonly createdAt: string;
}

type Known = Readonly<Record<string, unknown>>;

/** What the registry and the evidence know about a version, as one object that paths lead into. */
const knownOf = async (db: ReadDb, versionId: string, useCaseId: string): Promise<Known> => {
  const [row] = await db.sql<{ version: unknown; model: unknown }>(
    `select to_jsonb(v) as version, to_jsonb(m) as model
       from model_version v join registered_model m on m.id = v.model_id where v.id = $1`,
    [versionId],
  );
  if (!row) throw notFound('The version of the model');
  const evidence = await db.sql<EvidenceRow>(
    `select distinct on (kind) kind, id, verdict, result_sha256 as "resultSha256", created_at as "createdAt"
       from evidence where version_id = $1 and use_case_id = $2 order by kind, id desc`,
    [versionId, useCaseId],
  );
  return { ...row, evidence: Object.fromEntries(evidence.map((one) => [one.kind, one])) };
};

const step = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (Object.entries(value).find(([key]) => key === name)?.[1] as unknown)
    : null;

const follow = (known: Known, path: string): unknown => path.split('.').reduce<unknown>(step, known);

const isEmpty = (value: unknown): boolean => {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0;
};

const evidenceOf = (field: CardField, value: unknown): string | null => {
  const id = field.auto?.startsWith('evidence.') ? step(value, 'id') : null;
  return typeof id === 'string' ? id : null;
};

const viewOf = (
  field: CardField,
  known: Known,
  attested: Readonly<Record<string, AttestedField>>,
): CardFieldView => {
  const { name, label, help, governed } = field;
  const shape = { name, label, help, governed, automatic: field.auto !== undefined };
  const unknown = { ...shape, value: null, source: 'UNKNOWN', evidence: null, by: null, at: null } as const;
  if (field.auto === undefined) {
    const given = attested[name];
    if (!given) return unknown;
    return { ...unknown, value: given.value, source: 'ATTESTED', by: given.by, at: given.at };
  }
  const value = follow(known, field.auto);
  if (isEmpty(value)) return unknown;
  return { ...unknown, value, source: 'AUTO', evidence: evidenceOf(field, value) };
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

/** The card of a version in a use case, with what the registry knows and what people attested. */
export const readCard = async (db: ReadDb, versionId: string, useCaseId: string): Promise<CardView> => {
  const card = await db.findOne(ModelCard, { versionId, useCaseId });
  const known = await knownOf(db, versionId, useCaseId);
  const fields = cardFields().map((field) => viewOf(field, known, card?.fields ?? {}));
  return {
    versionId,
    useCaseId,
    revision: card?.revision ?? 0,
    updatedAt: card?.updatedAt ?? null,
    fields,
    completeness: completenessOf(fields),
  };
};

/** A governed field, as far as it is part of what people approve. */
export interface GovernedField {
  readonly value: string | null;
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
