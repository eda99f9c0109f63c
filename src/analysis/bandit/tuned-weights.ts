import { f64 } from '../numeric/typed.js';
import type { Estimate } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';

/** Per round: what is certain, the weight, and what it weighs. The estimate is mean(base + w' residual). */
export interface Terms {
  readonly base: Float64Array;
  readonly weights: Float64Array;
  readonly residuals: Float64Array;
}

/** An estimate with the limit of the weights that it was made with; null where there is no estimate. */
export interface Tuned {
  readonly lambda: number | null;
  readonly estimate: Estimate;
}

/** A weight, changed by a limit. At an infinite limit it is the weight itself. */
export type Change = (weight: number, lambda: number) => number;

export const clipAt: Change = (weight, lambda) => Math.min(weight, lambda);
export const switchAt: Change = (weight, lambda) => (weight <= lambda ? weight : 0);
export const shrinkAt: Change = (weight, lambda) =>
  lambda === Infinity ? weight : (lambda * weight) / (weight * weight + lambda);

/** Limits that are tried: from far below the weights to none at all. */
function candidatesFor(weights: Float64Array): number[] {
  const positive = weights.filter((weight) => weight > 0).sort();
  const quantiles = [0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999].map((share) =>
    f64(positive, Math.floor(share * (positive.length - 1))),
  );
  const powers = Array.from({ length: 13 }, (_, index) => 10 ** (index / 2 - 1));
  return [...new Set([...quantiles, ...powers, Infinity])].filter((limit) => limit > 0);
}

/** Variance of the mean, and what the changed weights leave out (Su and others, 2020). */
function errorOf({ base, weights, residuals }: Terms, change: Change, lambda: number): number {
  const n = weights.length;
  let [sum, squares, left] = [0, 0, 0];
  for (let index = 0; index < n; index += 1) {
    const weight = f64(weights, index);
    const own = change(weight, lambda);
    const term = f64(base, index) + own * f64(residuals, index);
    sum += term;
    squares += term * term;
    left += (weight - own) * f64(residuals, index);
  }
  const mean = sum / n;
  return Math.max(0, squares / n - mean * mean) / n + (left / n) ** 2;
}

/** The estimate with the given limit, or with the one whose variance plus squared bias is estimated the smallest. */
export function best(terms: Terms, change: Change, given: number | undefined, confidence: number): Tuned {
  const lambda =
    given ??
    candidatesFor(terms.weights)
      .map((limit) => ({ limit, error: errorOf(terms, change, limit) }))
      .reduce((least, one) => (one.error < least.error ? one : least)).limit;
  const values = terms.base.map(
    (base, index) => base + change(f64(terms.weights, index), lambda) * f64(terms.residuals, index),
  );
  return { lambda, estimate: meanEstimate(momentsOf(values), confidence) };
}
