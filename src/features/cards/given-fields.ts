import { z } from 'zod';
import { invalidInput, type FieldFault } from '../../kernel/errors.js';
import { cardFields, isWritable, readValue, type CardField } from './card-fields.js';
import type { CardValue } from './card-types.js';
import { sameJson } from './differences.js';
import type { AttestedField } from './model-card.entity.js';

/** A field as somebody gives it. */
export const givenField = z.object({
  name: z.string().min(1).max(64),
  value: z
    .unknown()
    .nullable()
    .describe('In the shape of the field (docs/cards.md). Null says that it is not known any more.'),
  evidence: z.uuid().nullish().describe('The evidence about this version that it rests on.'),
});

type GivenField = z.output<typeof givenField>;

/** A field with its value in shape; null takes it away. */
export interface ReadField {
  readonly name: string;
  readonly value: CardValue | null;
  readonly evidence: string | null;
}

const nameFault = (name: string, field: CardField | undefined, isFirst: boolean): string | null => {
  if (!field) return `${name} is not a field of the card`;
  if (!isWritable(field)) return `${name} is filled from ${field.auto ?? ''} and cannot be written`;
  return isFirst ? null : `${name} is given twice`;
};

const read = (given: GivenField, field: CardField | undefined, isFirst: boolean): ReadField | FieldFault => {
  const { name, value: raw, evidence } = given;
  const message = nameFault(name, field, isFirst);
  if (message !== null || !field) return { path: 'name', message: message ?? '' };
  if (raw === null || raw === undefined) return { name, value: null, evidence: null };
  const shaped = readValue(field, raw);
  if ('fault' in shaped) return { path: 'value', message: `${name} ${shaped.fault}` };
  return { name, value: shaped.value, evidence: evidence ?? null };
};

/** The given fields in shape; refuses names that no card has, that fill themselves, or that are given twice. */
export const readFields = (given: readonly GivenField[]): ReadField[] => {
  const known = new Map(cardFields().map((field) => [field.name, field]));
  const names = given.map((field) => field.name);
  const results = given.map((one, index) =>
    read(one, known.get(one.name), names.indexOf(one.name) === index),
  );
  const faults = results.flatMap((one, index) =>
    'message' in one ? [{ ...one, path: `fields.${String(index)}.${one.path}` }] : [],
  );
  if (faults.length > 0)
    throw invalidInput(`The card cannot be changed so: ${faults[0]?.message ?? ''}`, faults);
  return results.flatMap((one) => ('message' in one ? [] : [one]));
};

type Attested = Readonly<Record<string, AttestedField>>;

/** Those that say something else than the card does. */
export const changedFields = (before: Attested, given: readonly ReadField[]): ReadField[] =>
  given.filter(({ name, value, evidence }) => {
    const known = before[name];
    return (known?.evidence ?? null) !== evidence || !sameJson(known?.value ?? null, value);
  });

const maxCardBytes = 200_000;

/** The card with the changed fields in it, by whom and when. */
export const merge = (
  before: Attested,
  changed: readonly ReadField[],
  who: { readonly by: string; readonly at: string },
): Attested => {
  const names = new Set(changed.map((field) => field.name));
  const kept = Object.entries(before).filter(([name]) => !names.has(name));
  const given = changed.flatMap(({ name, value, evidence }): [string, AttestedField][] =>
    value === null ? [] : [[name, { value, source: 'ATTESTED', evidence, ...who }]],
  );
  const fields = Object.fromEntries([...kept, ...given]);
  if (Buffer.byteLength(JSON.stringify(fields)) <= maxCardBytes) return fields;
  throw invalidInput(`The card is larger than ${String(maxCardBytes)} bytes; refer to documents by links`, [
    { path: 'fields', message: 'make the card too large' },
  ]);
};
