import { invalidInput } from '../../kernel/errors.js';
import type { ReadDb, SqlValue } from '../../kernel/db.js';
import type { Comparison, FilterValue, Operator, OrderTerm } from './filter.js';

/** Collects the values of a statement and gives their places. */
export interface Values {
  readonly all: SqlValue[];
  /** The place of a value, `$1`. */
  readonly put: (value: SqlValue) => string;
}

/** An empty collection. */
export const values = (): Values => {
  const all: SqlValue[] = [];
  return {
    all,
    put: (value) => {
      all.push(value);
      return `$${String(all.length)}`;
    },
  };
};

/** What a comparison is about, in SQL. */
export interface Field {
  readonly sql: string;
  readonly type: 'text' | 'number';
}

const wrongOperator = (name: string, operator: Operator): Error =>
  invalidInput(`Invalid comparator '${operator}' for ${name}`, [{ path: 'filter', message: 'comparator' }]);

const wrongValue = (name: string, expected: string): Error =>
  invalidInput(`Invalid value for ${name}: ${expected} is expected`, [{ path: 'filter', message: expected }]);

const checked = (name: string, type: Field['type'], value: FilterValue): FilterValue => {
  const all = typeof value === 'object' && value !== null ? value : [value];
  const wrong = all.find((one) => (type === 'text') !== (typeof one === 'string'));
  if (wrong === undefined) return value;
  throw wrongValue(name, type === 'text' ? 'a quoted text' : 'a number');
};

const castOf = { text: 'text', number: 'float8' } as const;

/** What compares texts only, and what compares numbers only; the rest does either. */
const onlyFor: Readonly<Partial<Record<Operator, Field['type']>>> = {
  LIKE: 'text',
  ILIKE: 'text',
  '>': 'number',
  '>=': 'number',
  '<': 'number',
  '<=': 'number',
};

const written: Readonly<Partial<Record<Operator, string>>> = { '!=': '<>' };

/** A condition over a field. */
export const conditionOf = (
  field: Field,
  name: string,
  comparison: Comparison,
  put: Values['put'],
): string => {
  const { operator } = comparison;
  if (operator === 'IS NULL' || operator === 'IS NOT NULL') return `${field.sql} ${operator}`;
  const { type } = field;
  if ((onlyFor[operator] ?? type) !== type) throw wrongOperator(name, operator);
  const value = put(checked(name, type, comparison.value));
  const cast = castOf[type];
  if (operator === 'IN') return `${field.sql} = any(${value}::${cast}[])`;
  if (operator === 'NOT IN') return `${field.sql} <> all(${value}::${cast}[])`;
  return `${field.sql} ${written[operator] ?? operator} ${value}::${cast}`;
};

/** A column by which a search is ordered. Never null, so that a page can begin after a row. */
export interface SortKey {
  readonly sql: string;
  readonly type: 'text' | 'bigint' | 'float8' | 'uuid' | 'timestamptz';
  readonly descending: boolean;
}

/** What a search gives: rows with the keys at which the next page begins. */
export interface Searching {
  /** Columns, without `select`. */
  readonly columns: string;
  readonly from: string;
  readonly where: readonly string[];
  readonly order: readonly SortKey[];
  readonly values: Values;
  readonly limit: number;
  readonly pageToken: string | null;
}

const maxToken = 8000;

const readToken = (token: string | null, keys: number): string[] | null => {
  if (token === null || token === '') return null;
  const wrong = invalidInput('Invalid page token, could not base64-decode', [
    { path: 'page_token', message: 'is not one that this search gave' },
  ]);
  if (token.length > maxToken) throw wrong;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw wrong;
  }
  if (!Array.isArray(parsed) || parsed.length !== keys || !parsed.every((one) => typeof one === 'string'))
    throw wrong;
  return parsed;
};

/** The condition that a row comes after the one of the token: column by column, each in its own direction. */
const afterOf = (order: readonly SortKey[], token: readonly string[], put: Values['put']): string => {
  const places = order.map(({ type }, index) => `${put(token[index] ?? '')}::text::${type}`);
  const alternatives = order.map((key, index) => {
    const same = order.slice(0, index).map(({ sql }, before) => `${sql} = ${places[before] ?? ''}`);
    return [...same, `${key.sql} ${key.descending ? '<' : '>'} ${places[index] ?? ''}`].join(' and ');
  });
  return `(${alternatives.map((one) => `(${one})`).join(' or ')})`;
};

/** Rows, and the token of the next page when there is one. */
export interface Found<Row> {
  readonly rows: readonly Row[];
  readonly nextPageToken: string | null;
}

const mostShapes = 200;
const shapes = new Map<string, string>();

/** Searches of one shape are planned once per connection; so many shapes are remembered, and no more. */
const nameOf = (text: string): string | undefined => {
  const known = shapes.get(text);
  if (known !== undefined || shapes.size >= mostShapes) return known;
  const name = `mlflow.search.${String(shapes.size)}`;
  shapes.set(text, name);
  return name;
};

/** Runs a search, page by page over keys: pages neither repeat nor skip what is added in between. */
export const runSearch = async <Row extends object>(
  db: ReadDb,
  searching: Searching,
): Promise<Found<Row>> => {
  const { columns, from, where, order, values: given, limit } = searching;
  const token = readToken(searching.pageToken, order.length);
  const conditions = token === null ? where : [...where, afterOf(order, token, given.put)];
  const keys = order.map(({ sql }) => `(${sql})::text`).join(', ');
  const sorted = order.map(({ sql, descending }) => `${sql} ${descending ? 'desc' : 'asc'}`).join(', ');
  const text = `select ${columns}, array[${keys}] as "pageKey" from ${from}
     where ${conditions.length === 0 ? 'true' : conditions.join(' and ')} order by ${sorted} limit ${given.put(limit + 1)}`;
  const rows = await db
    .sql<Row & { pageKey: string[] }>(text, given.all, nameOf(text))
    .catch((error: unknown) => {
      throw token !== null && isBadValue(error) ? readTokenFault() : error;
    });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextPageToken =
    rows.length > limit && last ? Buffer.from(JSON.stringify(last.pageKey)).toString('base64url') : null;
  return { rows: shown, nextPageToken };
};

const readTokenFault = (): Error =>
  invalidInput('Invalid page token', [{ path: 'page_token', message: 'is not valid' }]);

const isBadValue = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && String(error.code).startsWith('22');

/** Refuses a name that a search does not know. */
export const unknownKey = (what: string, entity: string, key: string, known: readonly string[]): Error =>
  invalidInput(
    `Invalid ${what} '${(entity === '' ? key : `${entity}.${key}`).slice(0, 100)}'. Valid ones are ${known.join(', ')}`,
    [{ path: what, message: 'is not known' }],
  );

/** The sort keys of `order_by`, and those that make the order whole. */
export const orderOf = (
  terms: readonly OrderTerm[],
  known: Readonly<Record<string, Omit<SortKey, 'descending'>>>,
  rest: readonly SortKey[],
): SortKey[] => {
  const asked = terms.map(({ entity, key, descending }) => {
    const found = entity === '' || entity === 'attribute' || entity === 'attributes' ? known[key] : undefined;
    if (!found) throw unknownKey('order_by', entity, key, Object.keys(known));
    return { ...found, descending };
  });
  const all = [...asked, ...rest];
  return all.filter(({ sql }, index) => all.findIndex((other) => other.sql === sql) === index);
};
