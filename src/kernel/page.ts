import { z } from 'zod';
import { invalidInput } from './errors.js';
import { isUuid } from './id.js';

/** How many rows a page may have. */
export const maxPageSize = 200;

/** The arguments of every list. */
export const pageInput = {
  first: z.int().min(1).max(maxPageSize).default(50),
  after: z.string().max(500).nullish(),
};

/** What a list was asked for. */
export interface PageRequest {
  readonly first: number;
  readonly after?: string | null | undefined;
}

/** One page of a list, with the way to the next. */
export interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Encodes the sort key of a row, so that a client need not know it. */
export const cursorOf = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

const cursorSchema = z.array(z.union([z.string(), z.number()])).max(4);

/** What a list may be sorted by before the id, which makes every key unique. */
export type KeyPart = 'number' | 'time';

// Only what a list can have given passes: anything else would fail in the database, as if the fault were ours. A
// column holds whole numbers of 32 bits, the lowest among them.
const fits: Readonly<Record<KeyPart, (value: string | number | undefined) => boolean>> = {
  number: (value) => Number.isInteger(value) && (Number(value) | 0) === Number(value),
  time: (value) => typeof value === 'string' && time.test(value) && !Number.isNaN(Date.parse(value)),
};

/** As `Date.toISOString` writes it, from the year 1 on: PostgreSQL knows no year 0. */
const time = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Reads a cursor, or null at the start; refuses what is none of a list sorted by `parts` and then by id. */
export const readCursor = (
  after: string | null | undefined,
  ...parts: readonly KeyPart[]
): (string | number)[] | null => {
  if (after === null || after === undefined) return null;
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(after, 'base64url').toString('utf8')));
  const key = parsed.data ?? [];
  const fitting = key.length === parts.length + 1 && parts.every((part, index) => fits[part](key[index]));
  if (fitting && isUuid(String(key.at(-1)))) return key;
  throw invalidInput('The cursor is not one that this list gave; start without `after`', [
    { path: 'after', message: 'not a cursor of this list' },
  ]);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};

/** Cuts a page out of `first + 1` rows. */
export const pageOf = <Row, Node = Row>(
  rows: readonly Row[],
  request: PageRequest,
  keyOf: (row: Row) => readonly (string | number)[],
  nodeOf: (row: Row) => Node,
): Page<Node> => {
  const shown = rows.slice(0, request.first);
  const last = shown.at(-1);
  return {
    nodes: shown.map(nodeOf),
    pageInfo: {
      hasNextPage: rows.length > request.first,
      endCursor: last === undefined ? null : cursorOf(keyOf(last)),
    },
  };
};
