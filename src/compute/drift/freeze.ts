import { quantileEdges, topCategories } from '../../analysis/index.js';
import type { BaselineColumn, DriftFeature } from '../../kernel/drift-baseline.js';
import type { DataTable } from '../table/engine.js';
import { asSeen, numbersOf } from './columns.js';
import { countOnBins, type CutColumn } from './count.js';

/** How a baseline is frozen. */
export interface FreezeOptions {
  readonly rows: number;
  /** Quantiles of a number, and most frequent names that have a bin of their own. */
  readonly bins: number;
  readonly names: number;
}

/** Rows that the edges are taken from; the counts are of all rows. */
const sampled = 20_000;
const longestName = 200;

/** Every row has the same chance, and the same file gives the same rows: they are drawn by the hash of their number. */
const sampleOf = (columns: string, rows: number): string =>
  rows <= sampled
    ? `select ${columns} from data`
    : `select ${columns} from (select *, row_number() over () as "row number of the sample" from data)
        where hash("row number of the sample") % ${String(rows)} < ${String(sampled)}`;

const numericColumn = async (
  table: DataTable,
  features: readonly DriftFeature[],
  { rows, bins }: FreezeOptions,
): Promise<CutColumn[]> => {
  const values = features.map((): Float64Array[] => []);
  const query = sampleOf(features.map(asSeen).join(', '), rows);
  for await (const chunk of table.chunks(query)) {
    values.forEach((list, column) => list.push(numbersOf(chunk, column).slice()));
  }
  return features.map(({ name }, column) => {
    const parts = values[column] ?? [];
    const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    if (!all.some(Number.isFinite))
      throw new UnusableColumn(name, 'holds no number, so it cannot be a baseline');
    return { name, bins: quantileEdges(all, bins) };
  });
};

/** A column that no baseline can be made of. */
export class UnusableColumn extends Error {
  override readonly name = 'UnusableColumn';

  constructor(
    readonly column: string,
    what: string,
  ) {
    super(`${column} ${what}`);
  }
}

const namedColumns = async (
  table: DataTable,
  features: readonly DriftFeature[],
  { rows, names }: FreezeOptions,
): Promise<CutColumn[]> => {
  const counted = features.map(() => new Map<string, number>());
  const query = sampleOf(features.map(asSeen).join(', '), rows);
  for await (const chunk of table.chunks(query)) {
    counted.forEach((map, column) => {
      for (const value of chunk.getColumnValues(column)) {
        if (typeof value === 'string' && value.length <= longestName)
          map.set(value, (map.get(value) ?? 0) + 1);
      }
    });
  }
  return features.map(({ name }, column) => ({
    name,
    bins: topCategories(counted[column] ?? new Map<string, number>(), names),
  }));
};

const columnsAtOnce = 20;

/**
 * Freezes the columns of a table: edges from a drawn sample of at most some twenty thousand rows, counts of all of them.
 * Quantiles of a sample move an edge by less than a hundredth of the rows; what is counted between edges stays exact.
 */
export const freezeColumns = async (
  table: DataTable,
  features: readonly DriftFeature[],
  options: FreezeOptions,
): Promise<BaselineColumn[]> => {
  const cut = new Map<string, CutColumn>();
  for (const kind of ['NUMERIC', 'CATEGORICAL'] as const) {
    const some = features.filter((feature) => feature.kind === kind);
    const freeze = kind === 'NUMERIC' ? numericColumn : namedColumns;
    for (let from = 0; from < some.length; from += columnsAtOnce) {
      const columns = await freeze(table, some.slice(from, from + columnsAtOnce), options);
      for (const column of columns) cut.set(column.name, column);
    }
  }
  const ordered = features.flatMap(({ name }) => cut.get(name) ?? []);
  const window = await countOnBins(table, ordered);
  return ordered.flatMap(({ name, bins }, place) => {
    const counts = window[place]?.counts;
    if (!counts) return [];
    const copied =
      bins.kind === 'NUMERIC'
        ? { kind: bins.kind, edges: [...bins.edges] }
        : { kind: bins.kind, categories: [...bins.categories] };
    return [{ name, bins: copied, counts }];
  });
};
