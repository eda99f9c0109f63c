import { literal, quoted } from '../table/names.js';

/** A finite number in SQL. */
export const number = (value: number): string => `(${String(value)})::double precision`;

/** A column as the database describes it. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
}

/** What the two databases say in other words. `t` is always an expression of type text, `n` one of type double. */
export interface Dialect {
  /** The column as a number, null where it is none. */
  readonly number: (column: TableColumn) => string;
  /** Whether the text reads as the type. */
  readonly reads: (t: string, type: 'NUMBER' | 'INTEGER' | 'BOOLEAN' | 'DATE' | 'TIMESTAMP') => string;
  /** Seconds since 1970 of the newest time in a text column. */
  readonly newest: (t: string) => string;
  /** Whether the whole text matches. */
  readonly matches: (t: string, pattern: string) => string;
  readonly isFinite: (n: string) => string;
  readonly quantile: (n: string, p: number) => string;
  /** The smallest five row numbers for which a condition over `d` holds. */
  readonly firstRows: (condition: string) => string;
  /** The same of a query that gives row numbers as `r`. */
  readonly firstOf: (query: string) => string;
}

const mostRows = 5;

/**
 * What a value must look like before a database is asked whether it is one: both read words as values (`yesterday`,
 * `infinity`, `on`), each other ones, and DuckDB rounds 1.5 to an integer.
 */
const form = {
  NUMBER: '\\s*[+-]?[0-9.][0-9.eE+-]*\\s*',
  INTEGER: '\\s*[+-]?[0-9]+\\s*',
  BOOLEAN: '[tT]rue|TRUE|[fF]alse|FALSE|t|f|1|0',
  DATE: '\\s*[0-9].*',
  TIMESTAMP: '\\s*[0-9].*',
} as const;

const duckTypes = {
  NUMBER: 'double',
  INTEGER: 'hugeint',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamptz',
} as const;

const duckNumeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)/;

/** DuckDB, over CSV and Parquet. */
export const duckDialect: Dialect = {
  number: ({ name, type }) =>
    duckNumeric.test(type) ? `${quoted(name)}::double` : `try_cast(${quoted(name)}::varchar as double)`,
  reads: (t, type) =>
    `(regexp_full_match(${t}, ${literal(form[type])}) and try_cast(${t} as ${duckTypes[type]}) is not null)`,
  newest: (t) =>
    `epoch(max(try_cast(${t} as timestamptz)) filter (regexp_full_match(${t}, ${literal(form.TIMESTAMP)})))`,
  matches: (t, pattern) => `regexp_full_match(${t}, ${literal(pattern)})`,
  isFinite: (n) => `isfinite(${n})`,
  quantile: (n, p) => `quantile_cont(${n}, ${String(p)}) filter (isfinite(${n}))`,
  firstRows: (condition) => `min(r, ${String(mostRows)}) filter (${condition})`,
  firstOf: (query) => `(select min(r, ${String(mostRows)}) from (${query}))`,
};

const postgresTypes = {
  NUMBER: 'double precision',
  INTEGER: 'numeric',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamptz',
} as const;

const postgresNumeric = /^(smallint|integer|bigint|real|double precision|numeric)/;

const valid = (t: string, type: keyof typeof postgresTypes): string =>
  `pg_input_is_valid(${t}, ${literal(postgresTypes[type])})`;

/** PostgreSQL 16 or newer, over its own tables. */
export const postgresDialect: Dialect = {
  number: ({ name, type }) =>
    postgresNumeric.test(type)
      ? `${quoted(name)}::double precision`
      : `case when ${valid(`${quoted(name)}::text`, 'NUMBER')} then ${quoted(name)}::text::double precision end`,
  reads: (t, type) => `(${t} ~ ${literal(`^(?:${form[type]})$`)} and ${valid(t, type)})`,
  newest: (t) =>
    `extract(epoch from max(case when ${postgresDialect.reads(t, 'TIMESTAMP')} then ${t}::timestamptz end))::double precision`,
  matches: (t, pattern) => `${t} ~ ${literal(`^(?:${pattern})$`)}`,
  isFinite: (n) => `${n} > '-infinity'::double precision and ${n} < 'infinity'::double precision`,
  quantile: (n, p) =>
    `percentile_cont(${String(p)}) within group (order by ${n}) filter (where ${postgresDialect.isFinite(n)})`,
  firstRows: (condition) => postgresDialect.firstOf(`select r from d where ${condition}`),
  firstOf: (query) => `array(select r from (${query}) as found order by r limit ${String(mostRows)})`,
};
