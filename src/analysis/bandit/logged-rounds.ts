import { AnalysisInputError } from '../errors.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';
import { type Estimate, unknown } from '../statistics/estimate.js';

/** One logged decision, and how likely the policy under evaluation would have decided the same way. */
export interface LoggedRound {
  /** Place of the chosen action in the lists. */
  readonly action: number;
  readonly reward: number;
  /** Propensities with which the logging policy chose. */
  readonly logged: readonly number[];
  /** Propensities of the policy under evaluation, in the same order. */
  readonly target: readonly number[];
  /**
   * Expected reward of each action by a model that has not seen this round (cross-fitted), in the same order. Without
   * it the estimators that need a model are null.
   */
  readonly predicted?: readonly number[];
}

/** What the weights of the rounds are worth. */
export interface WeightDiagnostics {
  /** Rounds that the weights are worth: (sum w)^2 / sum w^2. */
  readonly effectiveSampleSize: number;
  readonly largestWeight: number;
  /** Mean weight; one lies in its interval when the propensities are right. */
  readonly meanWeight: Estimate;
  /** Does it? null without an interval. */
  readonly isMeanWeightOne: boolean | null;
  /** Share of the rounds whose action was logged with a propensity below 0.01. */
  readonly lowPropensityShare: number;
  /** Rounds in which the policy might do what the logging policy never did. */
  readonly unsupportedRounds: number;
}

const LOW_PROPENSITY = 0.01;
const ROUNDING = 1e-6;

function isDistribution(shares: readonly number[]): boolean {
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.every((share) => share >= 0 && share <= 1 + ROUNDING) && Math.abs(sum - 1) <= ROUNDING;
}

/** w = target / logged of the chosen action. Refuses rounds that are none. */
export function weightOf({ action, logged, target, reward, predicted }: LoggedRound): number {
  const propensity = logged[action];
  const wanted = target[action];
  if (propensity === undefined || wanted === undefined || logged.length !== target.length) {
    throw new AnalysisInputError('A round names an action outside its propensities.');
  }
  if (!(propensity > 0) || !isDistribution(logged) || !isDistribution(target) || !Number.isFinite(reward)) {
    throw new AnalysisInputError(
      'A round has propensities that are no distribution, a chosen action without one, or a reward that is not a number.',
    );
  }
  checkPredicted(predicted, logged.length);
  return wanted / propensity;
}

function checkPredicted(predicted: readonly number[] | undefined, actions: number): void {
  if (predicted === undefined || (predicted.length === actions && predicted.every(Number.isFinite))) return;
  throw new AnalysisInputError('A round does not have one finite predicted reward for each action.');
}

function isUnsupported({ logged, target }: LoggedRound): boolean {
  return target.some((share, action) => share > 0 && !((logged[action] ?? 0) > 0));
}

/** Diagnostics of the weights of rounds. */
export function diagnose(
  rounds: readonly LoggedRound[],
  weights: Float64Array,
  confidence: number,
): WeightDiagnostics {
  const n = rounds.length;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  const meanWeight = meanEstimate(momentsOf(weights), confidence);
  const low = rounds.filter((round) => (round.logged[round.action] ?? 0) < LOW_PROPENSITY).length;
  return {
    effectiveSampleSize: squares === 0 ? 0 : (sum * sum) / squares,
    largestWeight: weights.reduce((most, weight) => Math.max(most, weight), 0),
    meanWeight,
    isMeanWeightOne:
      meanWeight.value === null ? null : meanWeight.low <= 1 + 1e-9 && meanWeight.high >= 1 - 1e-9,
    lowPropensityShare: n === 0 ? 0 : low / n,
    unsupportedRounds: rounds.filter(isUnsupported).length,
  };
}

/** Why nothing that weighs rounds can be said; null when it can. */
export function refusalOf(
  rounds: readonly LoggedRound[],
  weights: Float64Array,
  unsupported: number,
): Estimate | null {
  const n = rounds.length;
  if (unsupported > 0) {
    return unknown(
      n,
      `In ${String(unsupported)} of ${String(n)} rounds the policy might choose what the logged one never did.`,
    );
  }
  if (n < 2) return unknown(n, 'Fewer than two rounds were logged.');
  return weights.every((weight) => weight === 0)
    ? unknown(n, 'The policy agrees with none of the logged choices.')
    : null;
}
