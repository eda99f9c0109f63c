import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';

/** Refuses NaN: it has no place in an order. */
export function checkNumbers(...samples: readonly Float64Array[]): void {
  if (samples.some((values) => values.some(Number.isNaN)))
    throw new AnalysisInputError('A sample has a value that is not a number.');
}

/**
 * Goes through the different values of two sorted samples in ascending order, with how many of each are at most that
 * value: both empirical distribution functions at once, ties together.
 */
export function alongBoth(
  a: Float64Array,
  b: Float64Array,
  visit: (value: number, upToA: number, upToB: number) => void,
): void {
  let [i, j] = [0, 0];
  const head = (values: Float64Array, at: number): number =>
    at < values.length ? f64(values, at) : Number.POSITIVE_INFINITY;
  while (i < a.length || j < b.length) {
    const value = Math.min(head(a, i), head(b, j));
    i = skipUpTo(a, i, value);
    j = skipUpTo(b, j, value);
    visit(value, i, j);
  }
}

function skipUpTo(values: Float64Array, from: number, value: number): number {
  let at = from;
  while (at < values.length && f64(values, at) <= value) at += 1;
  return at;
}
