import { twoSidedZ } from './distributions.js';
import { CONFIDENCE, type Estimate, unknown } from './estimate.js';
import type { Proportion } from './proportions.js';

/*
 * Miettinen and Nurminen (1985), "Comparative analysis of two rates": the hypothetical difference or ratio is varied
 * until the score statistic, with its variance at the constrained maximum of the likelihood and the factor N/(N-1),
 * reaches z. Holds its level with small and zero counts, where Katz' logarithm has none.
 */

type Pair = readonly [first: Proportion, second: Proportion];

function spread(p: number, n: number): number {
  return (Math.max(0, Math.min(1, p)) * (1 - Math.max(0, Math.min(1, p)))) / n;
}

function standardised(gap: number, variance: number, [{ n: n1 }, { n: n2 }]: Pair): number {
  const corrected = (variance * (n1 + n2)) / (n1 + n2 - 1);
  if (corrected > 0) return gap / Math.sqrt(corrected);
  return gap === 0 ? 0 : Math.sign(gap) * Number.POSITIVE_INFINITY;
}

/** Score of p1 - p2 = delta; the constrained estimate solves a cubic with one root in range (their appendix I). */
function differenceScore(pair: Pair, delta: number): number {
  const [{ successes: x1, n: n1 }, { successes: x2, n: n2 }] = pair;
  const n = n1 + n2;
  const l2 = (n1 + 2 * n2) * delta - n - (x1 + x2);
  const l1 = (n2 * delta - n - 2 * x2) * delta + x1 + x2;
  const l0 = x2 * delta * (1 - delta);
  const q = l2 ** 3 / (3 * n) ** 3 - (l1 * l2) / (6 * n * n) + l0 / (2 * n);
  const p = (q < 0 ? -1 : 1) * Math.sqrt(Math.max(0, (l2 / (3 * n)) ** 2 - l1 / (3 * n)));
  const cosine = p === 0 ? 0 : Math.max(-1, Math.min(1, q / p ** 3));
  const p2 = 2 * p * Math.cos((Math.PI + Math.acos(cosine)) / 3) - l2 / (3 * n);
  return standardised(x1 / n1 - x2 / n2 - delta, spread(p2 + delta, n1) + spread(p2, n2), pair);
}

/** Score of p1 / p2 = ratio; the constrained estimate solves a quadratic. */
function ratioScore(pair: Pair, ratio: number): number {
  const [{ successes: x1, n: n1 }, { successes: x2, n: n2 }] = pair;
  const a = (n1 + n2) * ratio;
  const b = n1 * ratio + x1 + n2 + x2 * ratio;
  const c = x1 + x2;
  // The smaller root, in the form that does not cancel.
  const p2 = (2 * c) / (b + Math.sqrt(Math.max(0, b * b - 4 * a * c)));
  const variance = spread(ratio * p2, n1) + ratio * ratio * spread(p2, n2);
  return standardised(x1 / n1 - ratio * (x2 / n2), variance, pair);
}

/** Where a falling score passes `level` between two bounds. */
function crossing(score: (x: number) => number, level: number, from: number, to: number): number {
  let [low, high] = [from, to];
  for (let step = 0; step < 200 && high - low > 1e-15 * Math.max(1, Math.abs(low)); step += 1) {
    const middle = (low + high) / 2;
    if (score(middle) > level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const hasRows = ([first, second]: Pair): boolean => first.n > 0 && second.n > 0;

/** Difference of two shares with Miettinen and Nurminen's interval; null without rows. */
export function scoreDifference(first: Proportion, second: Proportion, confidence = CONFIDENCE): Estimate {
  const pair: Pair = [first, second];
  const n = first.n + second.n;
  if (!hasRows(pair)) return unknown(n, 'No rows to count.');
  const value = first.successes / first.n - second.successes / second.n;
  const z = twoSidedZ(confidence);
  const score = (delta: number): number => differenceScore(pair, delta);
  return { value, n, low: crossing(score, z, -1, value), high: crossing(score, -z, value, 1) };
}

/** Ratio of two shares with Miettinen and Nurminen's interval; null without rows, or where the second share is 0. */
export function scoreRatio(first: Proportion, second: Proportion, confidence = CONFIDENCE): Estimate {
  const pair: Pair = [first, second];
  const n = first.n + second.n;
  if (!hasRows(pair)) return unknown(n, 'No rows to count.');
  if (second.successes === 0)
    return unknown(n, 'The share to compare with is zero, so the ratio is undefined.');
  const value = first.successes / first.n / (second.successes / second.n);
  const z = twoSidedZ(confidence);
  const score = (log: number): number => ratioScore(pair, Math.exp(log));
  const [middle, far] = [value === 0 ? Math.log(1e-12) : Math.log(value), 60];
  const low = value === 0 ? 0 : Math.exp(crossing(score, z, middle - far, middle));
  return { value, n, low, high: Math.exp(crossing(score, -z, middle, middle + far)) };
}
