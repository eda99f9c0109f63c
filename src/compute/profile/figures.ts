import type { Cell, DataTable } from '../table/engine.js';
import { quoted } from '../table/names.js';
import { hideSmall } from './hide.js';
import type { DataProfile } from './report.js';

/** A column as the engine describes it. */
export interface Described {
  readonly name: string;
  readonly type: string;
}

type Column = DataProfile['columns'][number];
type Kind = Column['kind'];

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL)/;
const temporal = /^(DATE|TIME)/;
const counted = /^(VARCHAR|BOOLEAN|ENUM)/;

/** What kind of figures a type has. */
export const kindOf = (type: string): Kind => {
  if (numeric.test(type)) return 'NUMERIC';
  if (temporal.test(type)) return 'TEMPORAL';
  return counted.test(type) ? 'CATEGORICAL' : 'OTHER';
};

const toNumber = (cell: Cell): number | null => {
  const value = cell === null || cell === undefined ? NaN : Number(cell);
  return Number.isFinite(value) ? value : null;
};

const toCount = (cell: Cell): number => Math.max(0, Math.round(toNumber(cell) ?? 0));

/** JSON has only whole text, and nobody reads a value of a thousand letters. */
export const shownText = (cell: Cell, most = 200): string =>
  (typeof cell === 'string' ? cell : JSON.stringify(cell))
    .replace(/\p{C}/gu, ' ')
    .toWellFormed()
    .slice(0, most);

/** What the first pass over the file learns of a column. */
export interface First {
  readonly column: Described;
  readonly kind: Kind;
  readonly present: number;
  readonly distinct: number;
  readonly min: Cell;
  readonly max: Cell;
  readonly mean: number | null;
  readonly deviation: number | null;
  readonly quantiles: readonly number[] | null;
}

const perColumn = 7;

const firstOf = ({ name, type }: Described): string[] => {
  const it = quoted(name);
  const kind = kindOf(type);
  const comparable = kind === 'NUMERIC' || kind === 'TEMPORAL';
  const value = `${it}::double`;
  return [
    `count(${it})`,
    `approx_count_distinct(${it})`,
    comparable ? `min(${it})` : 'null',
    comparable ? `max(${it})` : 'null',
    kind === 'NUMERIC' ? `avg(${value}) filter (isfinite(${value}))` : 'null',
    kind === 'NUMERIC' ? `stddev_samp(${value}) filter (isfinite(${value}))` : 'null',
    kind === 'NUMERIC'
      ? `approx_quantile(${value}, [0.05, 0.25, 0.5, 0.75, 0.95]) filter (isfinite(${value}))`
      : 'null',
  ];
};

const quantilesOf = (cell: Cell): readonly number[] | null => {
  if (!Array.isArray(cell)) return null;
  const values = cell.map(toNumber);
  return values.every((value) => value !== null) ? values : null;
};

/** Everything that one pass can tell: counts, ranges, moments, quantiles. */
export const firstPass = async (
  table: DataTable,
  columns: readonly Described[],
): Promise<{ rows: number; columns: First[] }> => {
  const cells = await table.row(`select count(*), ${columns.flatMap(firstOf).join(', ')} from data`);
  const rows = toCount(cells[0]);
  return {
    rows,
    columns: columns.map((column, index) => {
      const [present, distinct, min, max, mean, deviation, quantiles] = cells.slice(
        1 + index * perColumn,
        1 + (index + 1) * perColumn,
      );
      return {
        column,
        kind: kindOf(column.type),
        present: toCount(present),
        distinct: Math.min(toCount(distinct), toCount(present)),
        min: min ?? null,
        max: max ?? null,
        mean: toNumber(mean),
        deviation: toNumber(deviation),
        quantiles: quantilesOf(quantiles),
      };
    }),
  };
};

const bins = 20;
const mostValues = 1000;
/** A column in which nearly every row has its own value names rows, not groups. */
const isNaming = ({ distinct, present }: First): boolean =>
  distinct > mostValues || (distinct > 50 && distinct > present / 2);

const edgesOf = ({ min, max }: First): number[] => {
  const from = toNumber(min);
  const to = toNumber(max);
  if (from === null || to === null || !(to > from)) return [];
  return Array.from({ length: bins }, (_, index) =>
    index === bins - 1 ? to : from + ((to - from) * (index + 1)) / bins,
  );
};

const distributionOf = (first: First): string => {
  const it = quoted(first.column.name);
  if (first.kind === 'NUMERIC') {
    const edges = edgesOf(first);
    return edges.length === 0 ? 'null' : `histogram(${it}::double, [${edges.join(', ')}])`;
  }
  if (first.kind !== 'CATEGORICAL' || isNaming(first)) return 'null';
  return `histogram(${it}::varchar)`;
};

/** How often each value or each bin occurs, as the engine gives maps. */
export type Counted = readonly { readonly value: string; readonly count: number }[];

const countedOf = (cell: Cell): Counted => {
  if (!Array.isArray(cell)) return [];
  return cell.flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null && 'key' in entry && 'value' in entry
      ? [{ value: shownText(entry.key), count: toCount(entry.value) }]
      : [],
  );
};

/** The second pass: how the values of every column are distributed. */
export const secondPass = async (table: DataTable, columns: readonly First[]): Promise<Counted[]> => {
  const cells = await table.row(`select ${columns.map(distributionOf).join(', ')} from data`);
  return columns.map((_, index) => countedOf(cells[index]));
};

const histogramOf = (first: First, counts: Counted): Column['histogram'] => {
  const edges = edgesOf(first);
  if (first.kind !== 'NUMERIC' || edges.length === 0) return [];
  const shown = hideSmall(edges.map((_, index) => counts[index]?.count ?? 0));
  const start = toNumber(first.min) ?? 0;
  return edges.map((to, index) => ({ from: edges[index - 1] ?? start, to, count: shown[index] ?? null }));
};

const mostCategories = 20;

const categoriesOf = (first: First, counts: Counted): Column['categories'] => {
  if (first.kind !== 'CATEGORICAL') return [];
  const sorted = counts.toSorted(
    (one, other) => other.count - one.count || (one.value < other.value ? -1 : 1),
  );
  const shown = hideSmall(sorted.map(({ count }) => count));
  // A value that few rows have may itself say who they are.
  return sorted.slice(0, mostCategories).flatMap(({ value }, index) => {
    const count = shown[index] ?? null;
    return count === null ? [] : [{ value, count }];
  });
};

const limitOf = (first: First, cell: Cell): number | string | null => {
  if (cell === null) return null;
  return first.kind === 'NUMERIC' ? toNumber(cell) : shownText(cell);
};

/** A column as it is shown. */
export const columnOf = (rows: number, first: First, counts: Counted): Column => ({
  name: shownText(first.column.name, 300),
  type: first.column.type.slice(0, 300),
  kind: first.kind,
  missing: rows - first.present,
  distinct: first.distinct,
  min: limitOf(first, first.min),
  max: limitOf(first, first.max),
  mean: first.mean,
  standardDeviation: first.deviation,
  quantiles: first.quantiles === null ? null : [...first.quantiles],
  histogram: histogramOf(first, counts),
  categories: categoriesOf(first, counts),
});
