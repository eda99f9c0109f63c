import { AnalysisInputError } from '../errors.js';
import { addTo, f64 } from '../numeric/typed.js';
import { checkCounts, type DriftCounts, type FrozenBins, type NumericBins } from './baseline.js';

/** Counts numbers as they come; a stream of any length in the memory of its bins. */
export interface NumericCounter {
  /** Adds the values; NaN counts as missing, infinities belong to the open ends. */
  readonly add: (values: Float64Array) => void;
  readonly counts: () => DriftCounts;
}

/** Counts names as they come. */
export interface CategoricalCounter {
  /** Adds one name; null counts as missing. */
  readonly add: (name: string | null) => void;
  readonly counts: () => DriftCounts;
}

/** Edges padded with infinity to a power of two, for a search that does not branch. */
function padded(edges: readonly number[]): Float64Array {
  let size = 1;
  while (size < edges.length + 1) size *= 2;
  const values = new Float64Array(size).fill(Number.POSITIVE_INFINITY);
  values.set(edges);
  return values;
}

/** Number of edges below the value: its bin. O(log of the edges). */
function binOf(edges: Float64Array, value: number): number {
  let low = 0;
  for (let step = edges.length >> 1; step > 0; step >>= 1) {
    if (f64(edges, low + step - 1) < value) low += step;
  }
  return low;
}

/** A counter on frozen edges. */
export function numericCounter(bins: NumericBins): NumericCounter {
  const edges = padded(bins.edges);
  const counted = new Float64Array(bins.edges.length + 1);
  let missing = 0;
  let infinite = 0;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const add = (values: Float64Array): void => {
    for (let row = 0; row < values.length; row += 1) {
      const value = f64(values, row);
      // NaN is not equal to itself.
      if (value !== value) {
        missing += 1;
        continue;
      }
      addTo(counted, binOf(edges, value), 1);
      if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
        infinite += 1;
        continue;
      }
      if (value < low) low = value;
      if (value > high) high = value;
    }
  };
  const counts = (): DriftCounts => ({
    bins: [...counted],
    missing,
    infinite,
    low: Number.isFinite(low) ? low : null,
    high: Number.isFinite(high) ? high : null,
  });
  return { add, counts };
}

/** A counter on frozen categories. */
export function categoricalCounter(categories: readonly string[]): CategoricalCounter {
  const places = new Map(categories.map((name, place) => [name, place]));
  const counted = new Float64Array(categories.length + 1);
  let missing = 0;
  return {
    add: (name) => {
      if (name === null) missing += 1;
      else addTo(counted, places.get(name) ?? categories.length, 1);
    },
    counts: () => ({ bins: [...counted], missing, infinite: 0, low: null, high: null }),
  };
}

function extreme(
  pick: (a: number, b: number) => number,
  one: number | null,
  other: number | null,
): number | null {
  if (one === null) return other;
  return other === null ? one : pick(one, other);
}

/** Counts of several periods, groups or machines as those of all of them together. */
export function mergeCounts(bins: FrozenBins, parts: readonly DriftCounts[]): DriftCounts {
  const width = (bins.kind === 'NUMERIC' ? bins.edges : bins.categories).length + 1;
  const bare = new Array<number>(width).fill(0);
  const empty: DriftCounts = { bins: bare, missing: 0, infinite: 0, low: null, high: null };
  const merged = parts.reduce<DriftCounts>((sum, part) => {
    checkCounts(bins, part);
    return {
      bins: sum.bins.map((count, bin) => count + (part.bins[bin] ?? 0)),
      missing: sum.missing + part.missing,
      infinite: sum.infinite + part.infinite,
      low: extreme(Math.min, sum.low, part.low),
      high: extreme(Math.max, sum.high, part.high),
    };
  }, empty);
  if (!Number.isSafeInteger(rowsOf(merged))) throw new AnalysisInputError('There are more than 2^53 rows.');
  return merged;
}

/** Rows counted, those without a value included. */
export function rowsOf({ bins, missing }: DriftCounts): number {
  return bins.reduce((sum, count) => sum + count, missing);
}
