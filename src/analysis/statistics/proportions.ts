import { hypergeometric, normalTwoSided, twoSidedZ } from './distributions.js';
import { CONFIDENCE, type Estimate, unknown } from './estimate.js';
import { scoreRatio } from './score-intervals.js';

/** `successes` out of `n`. */
export interface Proportion {
  readonly successes: number;
  readonly n: number;
}

const NOTHING = 'No rows to count.';

/** A share with its Wilson score interval. */
export function wilson({ successes, n }: Proportion, confidence = CONFIDENCE): Estimate {
  if (n <= 0) return unknown(0, NOTHING);
  const z = twoSidedZ(confidence);
  const share = successes / n;
  const spread = (z * z) / n;
  const middle = share + spread / 2;
  const half = z * Math.sqrt((share * (1 - share)) / n + spread / (4 * n));
  // At 0 and 1 the bound is exact; rounding would leave 1e-18 of it.
  const low = successes === 0 ? 0 : (middle - half) / (1 + spread);
  const high = successes === n ? 1 : (middle + half) / (1 + spread);
  return { value: share, n, low, high };
}

/** Difference of two shares with Newcombe's interval from the Wilson bounds. */
export function newcombe(first: Proportion, second: Proportion, confidence = CONFIDENCE): Estimate {
  const a = wilson(first, confidence);
  const b = wilson(second, confidence);
  const n = first.n + second.n;
  if (a.value === null || b.value === null) return unknown(n, NOTHING);
  const value = a.value - b.value;
  return {
    value,
    n,
    low: value - Math.hypot(a.value - a.low, b.high - b.value),
    high: value + Math.hypot(a.high - a.value, b.value - b.low),
  };
}

/**
 * Ratio of two shares with Katz' interval on the log scale. Where a count is zero, half a success and one row are
 * added to both sides for the interval (Walter); where both shares are one, the interval is Miettinen and Nurminen's. The
 * ratio itself is what was counted.
 */
export function katzRatio(first: Proportion, second: Proportion, confidence = CONFIDENCE): Estimate {
  const n = first.n + second.n;
  if (first.n <= 0 || second.n <= 0) return unknown(n, NOTHING);
  if (second.successes === 0)
    return unknown(n, 'The share to compare with is zero, so the ratio is undefined.');
  const value = first.successes / first.n / (second.successes / second.n);
  const shift = first.successes === 0 ? 0.5 : 0;
  const a = { successes: first.successes + shift, n: first.n + 2 * shift };
  const b = { successes: second.successes + shift, n: second.n + 2 * shift };
  const centre = Math.log(a.successes / a.n / (b.successes / b.n));
  const error = Math.sqrt((1 - a.successes / a.n) / a.successes + (1 - b.successes / b.n) / b.successes);
  // All of both sides: Katz has no width, as if nothing else were possible.
  if (error === 0) return scoreRatio(first, second, confidence);
  const half = twoSidedZ(confidence) * error;
  return { value, n, low: shift > 0 ? 0 : Math.exp(centre - half), high: Math.exp(centre + half) };
}

/** Tests by name. */
export type TestMethod =
  'two-proportion-z' | 'fisher-exact' | 'chi-square' | 'kolmogorov-smirnov' | 'cochran-mantel-haenszel';

/** A significance test, or the reason why there is none. */
export type Test =
  | {
      readonly method: TestMethod;
      readonly statistic: number | null;
      readonly pValue: number;
    }
  | { readonly method: null; readonly reason: string };

/** Are two shares equal? Pooled z test, or Fisher's exact test where an expected count is below five. */
export function compareProportions(first: Proportion, second: Proportion): Test {
  const n = first.n + second.n;
  const successes = first.successes + second.successes;
  if (first.n <= 0 || second.n <= 0) return { method: null, reason: NOTHING };
  const smallest = (Math.min(first.n, second.n) * Math.min(successes, n - successes)) / n;
  if (smallest < 5) return { method: 'fisher-exact', statistic: null, pValue: fisherExact(first, second) };
  const pooled = successes / n;
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n));
  const z = (first.successes / first.n - second.successes / second.n) / error;
  return { method: 'two-proportion-z', statistic: z, pValue: normalTwoSided(z) };
}

/** Two-sided p-value of Fisher's exact test: the tables no likelier than the one seen. */
export function fisherExact(first: Proportion, second: Proportion): number {
  const total = first.n + second.n;
  const marked = first.successes + second.successes;
  const probability = (k: number): number => hypergeometric(k, first.n, marked, total);
  const limit = probability(first.successes) * (1 + 1e-7);
  let sum = 0;
  for (let k = Math.max(0, first.n + marked - total); k <= Math.min(first.n, marked); k += 1) {
    const p = probability(k);
    if (p <= limit) sum += p;
  }
  return Math.min(1, sum);
}
