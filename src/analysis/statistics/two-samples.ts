import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import type { Test } from './proportions.js';

/** How far two samples of a number lie apart. */
export interface SampleDistance {
  /** Largest distance of the two empirical distribution functions (Kolmogorov and Smirnov), 0 to 1. */
  readonly kolmogorovSmirnov: number;
  /** Area between the two empirical distribution functions (Wasserstein, order 1), in the unit of the values. */
  readonly wasserstein: number;
}

function sorted(values: Float64Array): Float64Array {
  if (!values.every(Number.isFinite))
    throw new AnalysisInputError('A sample has a value that is not finite.');
  return Float64Array.from(values).sort();
}

/**
 * Distances of two samples of finite values; null when one of them is empty. O(n log n).
 * @throws AnalysisInputError for NaN and infinite values.
 */
export function sampleDistance(first: Float64Array, second: Float64Array): SampleDistance | null {
  const [a, b] = [sorted(first), sorted(second)];
  const [n, m] = [a.length, b.length];
  if (n === 0 || m === 0) return null;
  let [i, j, largest, area] = [0, 0, 0, 0];
  for (let at = Math.min(f64(a, 0), f64(b, 0)); at !== Infinity;) {
    i = placeAbove(a, i, at);
    j = placeAbove(b, j, at);
    // Whole numbers are compared, so that equal shares are equal to the last bit.
    const gap = Math.abs(i * m - j * n) / (n * m);
    largest = Math.max(largest, gap);
    const next = Math.min(a[i] ?? Infinity, b[j] ?? Infinity);
    if (next < Infinity) area += gap * (next - at);
    at = next;
  }
  return { kolmogorovSmirnov: largest, wasserstein: area };
}

/** First place from `from` on whose value is above `at`. */
function placeAbove(values: Float64Array, from: number, at: number): number {
  let place = from;
  while (place < values.length && f64(values, place) <= at) place += 1;
  return place;
}

/** P(K > x) of Kolmogorov's limiting distribution. */
export function kolmogorovTail(x: number): number {
  if (x <= 0.04) return 1;
  // The two series are the same function; each converges fast on its side.
  if (x < 1) {
    let sum = 0;
    for (let k = 1; k <= 20; k += 2) sum += Math.exp(-((k * Math.PI) ** 2) / 8 / (x * x));
    return 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  let sum = 0;
  for (let k = 1; k <= 20; k += 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * (k * x) ** 2);
  return Math.min(1, sum);
}

/** Test of equal distributions by the limiting distribution; too cautious with ties, exact for large samples only. */
export function kolmogorovSmirnovTest(distance: number, first: number, second: number): Test {
  if (first === 0 || second === 0) return { method: null, reason: 'No rows to count.' };
  const size = Math.sqrt((first * second) / (first + second));
  return { method: 'kolmogorov-smirnov', statistic: distance, pValue: kolmogorovTail(size * distance) };
}
