import { AnalysisInputError } from '../errors.js';
import { chiSquareQuantile, chiSquareTail } from '../statistics/distributions.js';
import type { Test } from '../statistics/proportions.js';

/** A distance, or the reason why there is none. */
export type Distance =
  { readonly value: number; readonly reason: null } | { readonly value: null; readonly reason: string };

/** A population stability index beside what chance alone would show. */
export type Stability =
  | {
      readonly value: number;
      /** Chance exceeds this in a share `level` of comparisons without drift. */
      readonly threshold: number;
      /** Chance of at least this value without drift. */
      readonly pValue: number;
      readonly reason: null;
    }
  | { readonly value: null; readonly reason: string };

const NO_ROWS = 'One of the two samples has no rows.';
const SUFFICIENT = 5;

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

function checkPair(reference: readonly number[], current: readonly number[]): void {
  if (reference.length !== current.length) throw new AnalysisInputError('The two samples have other bins.');
  for (const count of [...reference, ...current]) {
    if (!(count >= 0 && Number.isFinite(count))) throw new AnalysisInputError('A count is below zero.');
  }
}

/** Bins in which at least one of the samples has rows: the others say nothing. */
function used(reference: readonly number[], current: readonly number[]): [number, number][] {
  checkPair(reference, current);
  return reference
    .map((count, bin): [number, number] => [count, current[bin] ?? 0])
    .filter(([one, other]) => one + other > 0);
}

/**
 * Population stability index Σ (p - q) ln(p / q), natural logarithm, with half a row added to every bin so that an
 * empty one is not infinite. Without drift PSI / (1/n + 1/m) follows chi-square with one degree less than there are
 * bins, which gives the threshold its sample size (Yurdakul 2018); the folklore limits 0.1 and 0.25 have none.
 */
export function populationStability(
  reference: readonly number[],
  current: readonly number[],
  level = 0.05,
): Stability {
  const pairs = used(reference, current);
  const [n, m] = [sum(reference), sum(current)];
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  const half = pairs.length / 2;
  const value = pairs.reduce((total, [one, other]) => {
    const p = (other + 0.5) / (m + half);
    const q = (one + 0.5) / (n + half);
    return total + (p - q) * Math.log(p / q);
  }, 0);
  const degrees = pairs.length - 1;
  const noise = 1 / n + 1 / m;
  if (degrees === 0) return { value, threshold: 0, pValue: 1, reason: null };
  return {
    value,
    threshold: chiSquareQuantile(1 - level, degrees) * noise,
    pValue: chiSquareTail(value / noise, degrees),
    reason: null,
  };
}

const part = (p: number, middle: number): number => (p === 0 ? 0 : p * Math.log(p / middle));

/**
 * Jensen-Shannon distance: the root of ½ KL(p ‖ m) + ½ KL(q ‖ m), m = (p + q) / 2. Base e (largest value √ln 2), or
 * base 2 (largest value 1).
 */
export function jensenShannon(
  reference: readonly number[],
  current: readonly number[],
  base: 'e' | '2' = 'e',
): Distance {
  const pairs = used(reference, current);
  const [n, m] = [sum(reference), sum(current)];
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  const divergence = pairs.reduce((total, [one, other]) => {
    const p = one / n;
    const q = other / m;
    const middle = (p + q) / 2;
    return total + (part(p, middle) + part(q, middle)) / 2;
  }, 0);
  return { value: Math.sqrt(Math.max(0, divergence) / (base === 'e' ? 1 : Math.LN2)), reason: null };
}

/** Hellinger distance: the root of ½ Σ (√p - √q)², from 0 to 1. */
export function hellinger(reference: readonly number[], current: readonly number[]): Distance {
  const pairs = used(reference, current);
  const [n, m] = [sum(reference), sum(current)];
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  const squares = pairs.reduce(
    (total, [one, other]) => total + (Math.sqrt(one / n) - Math.sqrt(other / m)) ** 2,
    0,
  );
  return { value: Math.sqrt(squares / 2), reason: null };
}

/** Fewest rows expected in a cell of a column with this total. */
const expected = ([one, other]: readonly [number, number], n: number, m: number): number =>
  ((one + other) * Math.min(n, m)) / (n + m);

/** Joins neighbours until every column expects five rows on either side; what is left over joins the last. */
function joinNeighbours(pairs: readonly [number, number][], n: number, m: number): [number, number][] {
  const joined: [number, number][] = [];
  let open: [number, number] = [0, 0];
  for (const [one, other] of pairs) {
    open = [open[0] + one, open[1] + other];
    if (expected(open, n, m) < SUFFICIENT) continue;
    joined.push(open);
    open = [0, 0];
  }
  const last = joined.at(-1);
  if (last === undefined) return [open];
  joined[joined.length - 1] = [last[0] + open[0], last[1] + open[1]];
  return joined;
}

/**
 * Chi-square test that two samples have the same shares (contingency table, one degree less than columns). Columns
 * that expect fewer than five rows are joined with their neighbours; bins without an order come smallest first.
 */
export function chiSquareTwoSamples(
  reference: readonly number[],
  current: readonly number[],
  isOrdered: boolean,
): Test {
  const pairs = used(reference, current);
  const [n, m] = [sum(reference), sum(current)];
  if (n === 0 || m === 0) return { method: null, reason: NO_ROWS };
  const lined = isOrdered ? pairs : pairs.toSorted((a, b) => a[0] + a[1] - b[0] - b[1]);
  const columns = joinNeighbours(lined, n, m);
  if (columns.length < 2)
    return { method: null, reason: 'Fewer than two bins expect five rows in both samples.' };
  const statistic = columns.reduce((total, [one, other]) => {
    const share = (one + other) / (n + m);
    return total + (one - n * share) ** 2 / (n * share) + (other - m * share) ** 2 / (m * share);
  }, 0);
  return { method: 'chi-square', statistic, pValue: chiSquareTail(statistic, columns.length - 1) };
}
