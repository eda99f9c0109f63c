import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';
import { factName } from './facts/fact.js';
import { cardShapes, cardTypes, type CardValue } from './card-types.js';

const fieldName = z.string().regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be a name in camel case');

const typeName = z.enum([
  'fact',
  'text',
  'texts',
  'choice',
  'people',
  'licence',
  'risks',
  'groups',
  'links',
  'citations',
  'dataSheets',
  'energy',
  'thresholds',
  'standards',
]);

const field = z
  .strictObject({
    name: fieldName,
    section: z.string().min(1).max(50),
    label: z.string().min(1).max(100),
    help: z.string().min(1).max(300),
    /** The shape of its value; a fact has the shape that the registry gives it. */
    type: typeName,
    options: z.array(z.string().min(1).max(100)).min(2).max(50).optional(),
    governed: z.boolean().default(false),
    /** Where the value is known. */
    auto: factName.optional(),
    /** Whether a person may fill it where the registry does not know. */
    attestable: z.boolean().default(false),
    /** How an automatic field gets its value. */
    fill: z.string().min(1).max(300).optional(),
  })
  .refine(
    (one) => !(one.governed && one.auto),
    'cannot be governed and automatic: people approve what people attest',
  )
  .refine(
    (one) => one.type !== 'fact' || (one.auto && !one.attestable),
    'a fact is known by the registry only',
  )
  .refine((one) => (one.type === 'choice') === (one.options !== undefined), 'options belong to a choice')
  .refine((one) => one.auto !== undefined || !one.attestable, 'is attested anyway');

const cardFile = z.strictObject({
  schema: z.literal('countersign.card/2'),
  fields: z
    .array(field)
    .min(1)
    .refine((list) => new Set(list.map((one) => one.name)).size === list.length, 'names a field twice'),
});

/** A field that a card can have. */
export type CardField = z.output<typeof field>;

let known: readonly CardField[] | undefined;

/** The fields of a card in the order in which they are shown, from `policies/cards.yaml`. */
export const cardFields = (): readonly CardField[] => {
  known ??= cardFile.parse(
    parse(readFileSync(join(installationRoot, 'policies', 'cards.yaml'), 'utf8')),
  ).fields;
  return known;
};

/** What a field is called among people, and its place; a field that the file no longer has keeps its name. */
export const cardField = (name: string): { readonly label: string; readonly place: number } => {
  const place = cardFields().findIndex((one) => one.name === name);
  return { label: cardFields()[place]?.label ?? name, place: place < 0 ? cardFields().length : place };
};

/** The names of the governed fields: those that a policy can require. */
export const governedFieldNames = (): ReadonlySet<string> =>
  new Set(
    cardFields()
      .filter((one) => one.governed)
      .map((one) => one.name),
  );

/** Whether a person can fill it. */
export const isWritable = (one: CardField): boolean => one.auto === undefined || one.attestable;

/** How a field gets its value, as a sentence. */
export const howToFill = ({ name, type, auto, attestable, fill, options }: CardField): string => {
  const shape = type === 'fact' ? '' : cardShapes[type];
  const choices = options === undefined ? shape : `${shape}: ${options.join(', ')}`;
  const attest = `Attest ${name} with \`updateCard\`: ${choices}.`;
  if (auto === undefined) return attest;
  const known = fill ?? 'It fills itself as soon as the registry knows.';
  return attestable ? `${known} Or: ${attest}` : known;
};

/** A value in the shape of its field, or why it is not. */
export const readValue = (
  { type, options }: CardField,
  raw: unknown,
): { readonly value: CardValue } | { readonly fault: string } => {
  if (type === 'fact') return { fault: 'fills itself' };
  const parsed = cardTypes[type].safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    return {
      fault: `must be ${cardShapes[type]}. ${where === '' ? '' : `${where}: `}${issue?.message ?? ''}`,
    };
  }
  if (options && !options.some((one) => one === parsed.data))
    return { fault: `must be one of ${options.join(', ')}` };
  return { value: parsed.data };
};
