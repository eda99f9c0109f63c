import type { z } from 'zod';
import { invalidInput } from './errors.js';

/** Half a character has no UTF-8, and PostgreSQL keeps no NUL: neither can be stored or hashed. */
const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Deeper than any input of ours, and far from where a function that calls itself runs out of stack. */
const mostLevels = 64;

interface Fault {
  readonly path: readonly string[];
  readonly message: string;
}

const unstorable = (path: readonly string[]): Fault => ({
  path,
  message: 'holds a character that cannot be stored',
});

/** What keeps a value from being stored or walked through, and where; null when nothing does. */
const faultAt = (value: unknown, path: readonly string[]): Fault | null => {
  if (typeof value === 'string') return isStorable(value) ? null : unstorable(path);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return null;
  if (path.length >= mostLevels) {
    return { path: path.slice(0, 3), message: `is nested deeper than ${String(mostLevels)} levels` };
  }
  for (const [key, inner] of Object.entries(value)) {
    const found = isStorable(key) ? faultAt(inner, [...path, key]) : unstorable(path);
    if (found) return found;
  }
  return null;
};

/** Why a value that somebody else made cannot be stored, as a sentence about it; null when it can. */
export const storageFault = (value: unknown): string | null => {
  const fault = faultAt(value, []);
  return fault && `${fault.path.join('.')} ${fault.message}`.trim();
};

/** Parses outside input by its schema, or refuses and names each field at fault. */
export const parseInput = <Schema extends z.ZodType>(schema: Schema, raw: unknown): z.output<Schema> => {
  const fault = faultAt(raw, []);
  if (fault) {
    const path = fault.path.join('.');
    const { message } = fault;
    throw invalidInput(`The input is not valid. ${path} ${message}`, [{ path, message }]);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const first = fields[0];
  const where = first && first.path !== '' ? `${first.path}: ` : '';
  throw invalidInput(`The input is not valid. ${where}${first?.message ?? ''}`, fields);
};
