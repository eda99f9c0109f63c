import { f64 } from '../numeric/typed.js';
import type { Estimate } from '../statistics/estimate.js';
import type { LoggedRound } from './logged-rounds.js';

/** A bound, or none with the reason. */
export type Bound = { readonly value: number } | { readonly value: null; readonly reason: string };

/** Bounds that each hold with probability 1 - delta, whatever the distribution within its range. */
export interface LowerBounds {
  readonly delta: number;
  /** The policy earns at least this, by inverse propensity scores. */
  readonly ips: Bound;
  /** The same by the doubly robust terms, predictions kept within the range of rewards. */
  readonly doublyRobust: Bound;
  /** What was logged earns at most this in the long run. */
  readonly loggedUpper: Bound;
}

/**
 * Empirical Bernstein (Maurer and Pontil, 2009, theorem 4): mean - sqrt(2 V ln(2/delta) / n) - 7 R ln(2/delta) / (3 (n - 1)),
 * V being the sample variance and R the length of an interval that holds all values.
 */
export function empiricalBernstein(values: Float64Array, range: number, delta: number): number {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const log = Math.log(2 / delta);
  return mean - Math.sqrt((2 * variance * log) / n) - (7 * range * log) / (3 * (n - 1));
}

/** Settings of the bounds. */
export interface BoundOptions {
  readonly rewardRange?: readonly [least: number, most: number];
  readonly mostWeight?: number;
  readonly delta?: number;
}

/** Lower bounds of the policy and the upper bound of what was logged. */
export function lowerBoundsOf(
  rounds: readonly LoggedRound[],
  weights: Float64Array,
  refusal: Estimate | null,
  { rewardRange, mostWeight, delta = 0.05 }: BoundOptions,
): LowerBounds {
  const none = (reason: string): LowerBounds => {
    const bound = { value: null, reason };
    return { delta, ips: bound, doublyRobust: bound, loggedUpper: bound };
  };
  if (rewardRange === undefined) return none('The range of the rewards is not given.');
  const [least, most] = rewardRange;
  if (rounds.length < 2) return none('Fewer than two rounds were logged.');
  if (rounds.some(({ reward }) => reward < least || reward > most))
    return none('A reward lies outside the range.');
  const negated = Float64Array.from(rounds, ({ reward }) => -reward);
  const loggedUpper = { value: -empiricalBernstein(negated, most - least, delta) };
  if (refusal !== null) {
    const bound = { value: null, reason: refusal.value === null ? refusal.reason : '' };
    return { delta, ips: bound, doublyRobust: bound, loggedUpper };
  }
  const largest = mostWeight ?? largestPossible(rounds);
  if (weights.some((weight) => weight > largest))
    return none('A weight is larger than the largest one given.');
  const weighted = weights.map((weight, row) => weight * (rounds[row]?.reward ?? NaN));
  const range = largest * (Math.max(0, most) - Math.min(0, least));
  return {
    delta,
    ips: { value: empiricalBernstein(weighted, range, delta) },
    doublyRobust: robustBound(rounds, weights, { least, most, largest, delta }),
    loggedUpper,
  };
}

/** Largest weight that any action of a logged context could have had: not only the chosen ones. */
function largestPossible(rounds: readonly LoggedRound[]): number {
  return rounds.reduce(
    (top, { logged, target }) =>
      target.reduce(
        (own, share, action) => (share > 0 ? Math.max(own, share / (logged[action] ?? 0)) : own),
        top,
      ),
    0,
  );
}

function robustBound(
  rounds: readonly LoggedRound[],
  weights: Float64Array,
  { least, most, largest, delta }: { least: number; most: number; largest: number; delta: number },
): Bound {
  if (rounds.some(({ predicted }) => predicted === undefined)) {
    return { value: null, reason: 'No model predicts the rewards.' };
  }
  const values = Float64Array.from(rounds, ({ action, reward, target, predicted = [] }, row) => {
    const kept = predicted.map((value) => Math.min(most, Math.max(least, value)));
    const base = target.reduce((sum, share, index) => sum + share * (kept[index] ?? NaN), 0);
    return base + f64(weights, row) * (reward - (kept[action] ?? NaN));
  });
  // The model's part moves by the range, and the residual by the range on either side, times the largest weight.
  return { value: empiricalBernstein(values, (most - least) * (1 + 2 * largest), delta) };
}
