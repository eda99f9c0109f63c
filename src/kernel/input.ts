import type { z } from 'zod';
import { invalidInput } from './errors.js';

/** Half a character has no UTF-8, and PostgreSQL keeps no NUL: neither can be stored or hashed. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Where a text stands that cannot be stored, or null. */
const unstorableAt = (value: unknown, path: readonly string[]): readonly string[] | null => {
  if (typeof value === 'string') return isStorable(value) ? null : path;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = isStorable(key) ? unstorableAt(inner, [...path, key]) : path;
    if (found) return found;
  }
  return null;
};

/** Parses outside input by its schema, or refuses and names each field at fault. */
export const parseInput = <Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> => {
  const unstorable = unstorableAt(raw, []);
  if (unstorable) {
    const path = unstorable.join('.');
    const message = 'holds a character that cannot be stored';
    throw invalidInput(`The input is not valid. ${path} ${message}`, [{ path, message }]);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = fields[0];
  const where = first && first.path !== '' ? `${first.path}: ` : '';
  throw invalidInput(`The input is not valid. ${where}${first?.message ?? ''}`, fields);
};
