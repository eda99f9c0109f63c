import { twoSidedZ } from './distributions.js';
import { CONFIDENCE, type Estimate, unknown } from './estimate.js';

/** Count, sum and sum of squares: all that a mean with its interval needs. Add them up to merge samples. */
export interface Moments {
  readonly n: number;
  readonly sum: number;
  readonly squares: number;
}

/** Mean with its normal interval. */
export function meanEstimate({ n, sum, squares }: Moments, confidence = CONFIDENCE): Estimate {
  if (n < 2) return unknown(n, 'A mean with an interval needs two rows.');
  const value = sum / n;
  const variance = Math.max(0, (squares - n * value * value) / (n - 1));
  const half = twoSidedZ(confidence) * Math.sqrt(variance / n);
  return { value, n, low: value - half, high: value + half };
}

/** Moments of a list of values. */
export function momentsOf(values: Iterable<number>): Moments {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    n += 1;
    sum += value;
    squares += value * value;
  }
  return { n, sum, squares };
}
