import type { DataExpectation } from '../../kernel/data-expectations.js';
import { literal, quoted } from '../table/names.js';
import { number, type Dialect, type TableColumn } from './dialect.js';

/** What is asked of one expectation: three cells of the one row of the answer. */
interface Asked {
  /** Values that are judged, or null where the observed figure says it all. */
  readonly considered: string;
  readonly failing: string;
  readonly rows: string;
  /** A figure that is compared with limits afterwards. */
  readonly observed: string;
}

/** The one statement for all expectations, and which of them it asks about. */
export interface Compiled {
  readonly sql: string;
  /** Places of the expectations whose columns are there, in the order of the cells. */
  readonly asked: readonly number[];
}

/** Cells per expectation, after the one for the number of rows. */
export const cellsPerExpectation = 4;

type Of<Kind extends DataExpectation['kind']> = Extract<DataExpectation, { kind: Kind }>;

/** Expressions of a column under names that nobody chose. */
interface Names {
  readonly t: string;
  readonly n: string;
}

const none = 'null';
const nothing: Asked = { considered: none, failing: none, rows: none, observed: none };

/** Judged row by row: the values that are there and for which the condition does not hold fail. */
const perRow = (dialect: Dialect, present: string, holds: string): Asked => {
  const fails = `(${present}) and not coalesce(${holds}, false)`;
  return {
    considered: `count(*) filter (where ${present})`,
    failing: `count(*) filter (where ${fails})`,
    rows: dialect.firstRows(fails),
    observed: none,
  };
};

const inRange = (dialect: Dialect, n: string, { atLeast, atMost }: Of<'RANGE'>): string =>
  [
    dialect.isFinite(n),
    ...(typeof atLeast === 'number' ? [`${n} >= ${number(atLeast)}`] : []),
    ...(typeof atMost === 'number' ? [`${n} <= ${number(atMost)}`] : []),
  ].join(' and ');

const unique = (dialect: Dialect, { t }: Names): Asked => ({
  considered: `count(${t})`,
  failing: `count(${t}) - count(distinct ${t})`,
  rows: dialect.firstOf(`select max(r) as r from d where ${t} is not null group by ${t} having count(*) > 1`),
  observed: none,
});

const refers = (dialect: Dialect, { t }: Names, to: Names): Asked => {
  const lost = `from d as one where ${t} is not null and not exists (select 1 from d as other where other.${to.t} = one.${t})`;
  return {
    considered: `count(${t})`,
    failing: `(select count(*) ${lost})`,
    rows: dialect.firstOf(`select r ${lost}`),
    observed: none,
  };
};

const askOf = (expectation: DataExpectation, dialect: Dialect, of: (name: string) => Names): Asked => {
  const names = 'column' in expectation ? of(expectation.column) : { t: none, n: none };
  const { t, n } = names;
  const present = `${t} is not null`;
  switch (expectation.kind) {
    case 'COLUMN':
    case 'ROWS':
      return nothing;
    case 'NOT_NULL':
      return perRow(dialect, 'true', present);
    case 'TYPE':
      return perRow(dialect, present, dialect.reads(t, expectation.type));
    case 'RANGE':
      return perRow(dialect, present, inRange(dialect, n, expectation));
    case 'IN_SET':
      return perRow(dialect, present, `${t} in (${expectation.values.map(literal).join(', ')})`);
    case 'REGEX':
      return perRow(dialect, present, dialect.matches(t, expectation.pattern));
    default:
      return askOfWhole(expectation, dialect, names, of);
  }
};

const askOfWhole = (
  expectation: Of<'UNIQUE' | 'REFERS_TO' | 'FRESH' | 'MEAN' | 'QUANTILE'>,
  dialect: Dialect,
  names: Names,
  of: (name: string) => Names,
): Asked => {
  const finite = dialect.isFinite(names.n);
  switch (expectation.kind) {
    case 'UNIQUE':
      return unique(dialect, names);
    case 'REFERS_TO':
      return refers(dialect, names, of(expectation.to));
    case 'FRESH':
      return { ...nothing, considered: `count(${names.t})`, observed: dialect.newest(names.t) };
    case 'MEAN': {
      const observed = `avg(${names.n}) filter (where ${finite})`;
      return { ...nothing, considered: `count(*) filter (where ${finite})`, observed };
    }
    case 'QUANTILE': {
      const observed = dialect.quantile(names.n, expectation.p);
      return { ...nothing, considered: `count(*) filter (where ${finite})`, observed };
    }
  }
};

/** Columns that an expectation names. */
export const columnsOf = (expectation: DataExpectation): string[] => [
  ...('column' in expectation ? [expectation.column] : []),
  ...('to' in expectation ? [expectation.to] : []),
];

const usesNumbers = new Set(['RANGE', 'MEAN', 'QUANTILE']);

/**
 * Compiles expectations to one statement over a table. `source` is SQL that the caller answers for; names, values and
 * patterns are quoted here, and columns go by names of our own from there on. An expectation about a column that is not
 * there is left out. `rowNumber` gives the number of a row, from 1.
 */
export const compile = (
  expectations: readonly DataExpectation[],
  columns: readonly TableColumn[],
  dialect: Dialect,
  { source, rowNumber }: { readonly source: string; readonly rowNumber: string },
): Compiled => {
  const known = new Map(columns.map((column) => [column.name, column]));
  const asked = expectations.flatMap((expectation, place) =>
    columnsOf(expectation).every((name) => known.has(name)) ? [place] : [],
  );
  const places = new Map<string, number>();
  const numeric = new Set<string>();
  for (const place of asked) {
    const expectation = expectations[place];
    if (!expectation) continue;
    for (const name of columnsOf(expectation)) {
      if (!places.has(name)) places.set(name, places.size);
      if (usesNumbers.has(expectation.kind)) numeric.add(name);
    }
  }
  const of = (name: string): Names => {
    const place = String(places.get(name) ?? 0);
    return { t: `t${place}`, n: `n${place}` };
  };
  const selected = [...places.keys()].flatMap((name) => {
    const { t, n } = of(name);
    const column = known.get(name);
    const text = `${quoted(name)}::varchar as ${t}`;
    return column && numeric.has(name) ? [text, `${dialect.number(column)} as ${n}`] : [text];
  });
  const cells = asked.flatMap((place) => {
    const expectation = expectations[place];
    const ask = expectation ? askOf(expectation, dialect, of) : nothing;
    return [ask.considered, ask.failing, ask.rows, ask.observed];
  });
  const table = `select ${[`${rowNumber} as r`, ...selected].join(', ')} from ${source}`;
  return {
    sql: `with d as not materialized (${table}) select ${['count(*)', ...cells].join(', ')} from d`,
    asked,
  };
};
