import type { DriftCounts, NumericBins } from './baseline.js';
import type { Distance } from './distances.js';
import { alongBoth, checkNumbers } from './empirical.js';

/** A distance with bounds that hold whatever the values inside of the bins are, or the reason why there is none. */
export type BoundedDistance =
  | { readonly value: number; readonly low: number; readonly high: number; readonly reason: null }
  | { readonly value: null; readonly reason: string };

const NO_ROWS = 'One of the two samples has no numbers.';
const INFINITE = 'A sample has an infinite value, so the distance has no value.';

/** Wasserstein-1 (earth mover's) distance of two samples: ∫ |F - G| dx, in the unit of the values. O(n log n). */
export function wasserstein(reference: Float64Array, current: Float64Array): Distance {
  const [n, m] = [reference.length, current.length];
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  checkNumbers(reference, current);
  const isFinite = (values: Float64Array): boolean => values.every(Number.isFinite);
  if (!isFinite(reference) || !isFinite(current)) return { value: null, reason: INFINITE };
  let total = 0;
  let before: { readonly at: number; readonly gap: number } | null = null;
  alongBoth(reference.toSorted(), current.toSorted(), (at, i, j) => {
    if (before !== null) total += before.gap * (at - before.at);
    before = { at, gap: Math.abs(i / n - j / m) };
  });
  return { value: total, reason: null };
}

/** ∫ |a + (b - a) t| dt over [0, 1]: the area between two straight lines. */
function areaBetween(a: number, b: number): number {
  if (a * b >= 0) return (Math.abs(a) + Math.abs(b)) / 2;
  return (a * a + b * b) / (2 * (Math.abs(a) + Math.abs(b)));
}

/**
 * The distance from counts on frozen edges, the open ends closed by the smallest and the largest value seen. `value`
 * spreads the rows of a bin evenly over it; `low` and `high` hold whatever they are: inside a bin |F - G| is at most
 * max(F(right) - G(left), G(right) - F(left)), and at least zero or what the functions are apart all along.
 */
export function wassersteinOnBins(
  bins: NumericBins,
  reference: DriftCounts,
  current: DriftCounts,
): BoundedDistance {
  const n = reference.bins.reduce((sum, count) => sum + count, 0);
  const m = current.bins.reduce((sum, count) => sum + count, 0);
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  if (reference.infinite > 0 || current.infinite > 0) return { value: null, reason: INFINITE };
  const lowest = Math.min(reference.low ?? 0, current.low ?? 0);
  const highest = Math.max(reference.high ?? 0, current.high ?? 0);
  const points = [lowest, ...bins.edges.map((edge) => Math.min(highest, Math.max(lowest, edge))), highest];
  const total = { value: 0, low: 0, high: 0 };
  let [f, g] = [0, 0];
  reference.bins.forEach((count, bin) => {
    const width = (points[bin + 1] ?? highest) - (points[bin] ?? lowest);
    const right = { f: f + count / n, g: g + (current.bins[bin] ?? 0) / m };
    total.value += width * areaBetween(f - g, right.f - right.g);
    total.low += width * Math.max(0, f - right.g, g - right.f);
    total.high += width * Math.max(right.f - g, right.g - f);
    f = right.f;
    g = right.g;
  });
  return { ...total, reason: null };
}
