import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';

const fieldName = z.string().regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be a name in camel case');

const field = z
  .strictObject({
    name: fieldName,
    label: z.string().min(1).max(100),
    help: z.string().min(1).max(300),
    governed: z.boolean(),
    /** Where the value is known: a path into the version, its model or its newest evidence. */
    auto: z
      .string()
      .regex(/^(model|version|evidence)(\.[A-Za-z_]+)+$/)
      .optional(),
  })
  .refine(
    (one) => !(one.governed && one.auto),
    'cannot be governed and automatic: people approve what people attest',
  );

const cardFile = z.strictObject({
  schema: z.literal('countersign.card/1'),
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
