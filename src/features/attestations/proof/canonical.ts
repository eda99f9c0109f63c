import canonicalize from 'canonicalize';
import type { z } from 'zod';
import { ProofFault } from './fault.js';

const textOf = (bytes: Uint8Array, what: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProofFault('malformed', `${what} is not UTF-8 text`);
  }
};

const parse = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ProofFault('malformed', `${what} is not JSON, or was cut off`);
  }
};

/**
 * Reads JSON that must stand in canonical form (RFC 8785), byte for byte. Two texts then never mean the same, so
 * doubled keys, other spellings of a number and anything that a parser passes over are refused. The schema comes
 * first: it knows no depth, while the canonical form of nested brackets would be worked out recursively.
 */
export const readCanonical = <Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
): z.output<Schema> => {
  const text = textOf(bytes, what);
  const raw = parse(text, what);
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
    throw new ProofFault(
      'malformed',
      `${what} has another form than it must: ${where}${issue?.message ?? ''}`,
    );
  }
  if (canonicalize(raw) !== text) {
    throw new ProofFault(
      'not-canonical',
      `${what} is not in the form in which it was issued (canonical JSON); keep the bytes as they were fetched`,
    );
  }
  return parsed.data;
};
