import { z } from 'zod';

/*
 * What clients may send, as the MLflow protocol documents it.
 */

const unsaid = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Whether a key is one that a path could be made of without leaving its place. */
const staysInPlace = (key: string): boolean =>
  !key.startsWith('/') && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/** The name of a metric or a parameter. */
export const entityKey = z
  .string()
  .min(1)
  .max(250)
  .refine((key) => /^[/\w.\- :]*$/.test(key), {
    message: 'may only contain letters, digits, underscores, dashes, periods, spaces, colons and slashes',
  })
  .refine(staysInPlace, 'must not contain empty segments, . or ..');

/** The key of a tag: any text that can be read. */
export const tagKey = z
  .string()
  .min(1)
  .max(250)
  .refine((key) => !unsaid.test(key), 'must not contain control characters');

/** The value of a run's or a logged model's tag. */
export const tagValue = z.string().max(8000);

/** The value of a parameter. */
export const paramValue = z.string().max(6000);

/** The name of an experiment. */
export const experimentName = z
  .string()
  .max(500)
  .transform((name) => name.normalize('NFC'))
  .refine((name) => name.trim() !== '', 'must not be empty')
  .refine((name) => !unsaid.test(name), 'must not contain control characters');

/** Numbers of 64 bits that JSON can carry. */
export const int64 = z.coerce.number().refine(Number.isSafeInteger, 'must be an integer');

/** A number, or the words for those that JSON does not have. */
export const measured = z.union([
  // A measurement may be no number, or endless; zod's own number may not.
  z.custom<number>((value) => typeof value === 'number'),
  z
    .string()
    .max(40)
    .transform((text, context) => {
      const known: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity };
      const value = known[text] ?? (text.trim() === '' ? NaN : Number(text));
      if (text in known || !Number.isNaN(value)) return value;
      context.addIssue({ code: 'custom', message: 'must be a number' });
      return z.NEVER;
    }),
]);
