import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';

/**
 * A numeric column as it was when the baseline was frozen. Bin j holds `edges[j - 1] < x <= edges[j]`; the first and
 * the last bin are open, so every number has one bin of the `edges.length + 1`. NaN stands for a missing value.
 */
export interface NumericBins {
  readonly kind: 'NUMERIC';
  /** Strictly ascending, in the unit of the column. */
  readonly edges: readonly number[];
}

/** A column of names: one bin per category, and a last one for every other name. null stands for a missing value. */
export interface CategoricalBins {
  readonly kind: 'CATEGORICAL';
  readonly categories: readonly string[];
}

/** How a column is cut, once and for all. */
export type FrozenBins = NumericBins | CategoricalBins;

/** Rows per bin: whole numbers, so that adding those of any periods or machines gives those of all of them. */
export interface DriftCounts {
  /** One number per bin of the baseline. */
  readonly bins: readonly number[];
  /** Rows without a value. */
  readonly missing: number;
  /** Rows with an infinite value; they are in the open bins too. */
  readonly infinite: number;
  /** Smallest and largest finite number; null when there is none, and for names. */
  readonly low: number | null;
  readonly high: number | null;
}

const FEWEST_BINS = 2;
const MOST_BINS = 200;

/** The largest number below a finite one (IEEE 754). */
function justBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

/**
 * Edges from reference values: their quantiles at j/bins (an order statistic, never between two values), and just
 * below the smallest and at the largest value, so that the open ends hold only what the reference never had. A value
 * that fills several quantiles has a bin to itself. NaN and infinities are left out; none at all is refused.
 */
export function quantileEdges(values: Float64Array, bins = 20): NumericBins {
  if (!Number.isInteger(bins) || bins < FEWEST_BINS || bins > MOST_BINS) {
    throw new AnalysisInputError(`There are ${String(FEWEST_BINS)} to ${String(MOST_BINS)} bins.`);
  }
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0)
    throw new AnalysisInputError('A numeric baseline needs at least one finite value.');
  const edges = new Set([justBelow(f64(sorted, 0)), f64(sorted, sorted.length - 1)]);
  let last = Number.NaN;
  for (let j = 1; j < bins; j += 1) {
    const edge = f64(sorted, Math.ceil((j * sorted.length) / bins) - 1);
    if (edge === last) edges.add(justBelow(edge));
    edges.add(edge);
    last = edge;
  }
  return { kind: 'NUMERIC', edges: [...edges].sort((a, b) => a - b) };
}

/** The most frequent names, ties in the order of the alphabet; all others share one bin. */
export function topCategories(rows: ReadonlyMap<string, number>, most = 50): CategoricalBins {
  const ordered = [...rows].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return { kind: 'CATEGORICAL', categories: ordered.slice(0, most).map(([name]) => name) };
}

/** Refuses counts that are not those of these bins. */
export function checkCounts(bins: FrozenBins, counts: DriftCounts): void {
  const expected = (bins.kind === 'NUMERIC' ? bins.edges : bins.categories).length + 1;
  if (counts.bins.length !== expected) {
    throw new AnalysisInputError(
      `There are ${String(counts.bins.length)} counts for ${String(expected)} bins.`,
    );
  }
  for (const count of [...counts.bins, counts.missing, counts.infinite]) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new AnalysisInputError('A count is a whole number from 0 to 2^53.');
    }
  }
}
