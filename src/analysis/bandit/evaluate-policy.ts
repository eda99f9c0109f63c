import { AnalysisInputError } from '../errors.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';

/** One logged decision, and how likely the policy under evaluation would have decided the same way. */
export interface LoggedRound {
  /** Place of the chosen action in the two lists. */
  readonly action: number;
  readonly reward: number;
  /** Propensities with which the logging policy chose. */
  readonly logged: readonly number[];
  /** Propensities of the policy under evaluation, in the same order. */
  readonly target: readonly number[];
}

export interface PolicyValue {
  readonly n: number;
  /** Inverse propensity score estimate of the mean reward. */
  readonly ips: Estimate;
  /** Self-normalised estimate: less variance, a little bias. */
  readonly snips: Estimate;
  /** Rounds that the weights are worth: (sum w)^2 / sum w^2. */
  readonly effectiveSampleSize: number;
  readonly largestWeight: number;
  /** Mean weight; one lies in its interval when the propensities are right. */
  readonly meanWeight: Estimate;
  /** Share of the rounds whose action was logged with a propensity below 0.01. */
  readonly lowPropensityShare: number;
  /** Rounds in which the policy might do what the logging policy never did. */
  readonly unsupportedRounds: number;
}

const LOW_PROPENSITY = 0.01;

/**
 * Mean reward that another policy would have earned on logged rounds. Without support (it might choose what the
 * logging policy never chose) the estimates are refused: the data cannot speak of it.
 */
export function evaluatePolicy(rounds: readonly LoggedRound[], confidence = CONFIDENCE): PolicyValue {
  const n = rounds.length;
  const weights = rounds.map(weightOf);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  const unsupportedRounds = rounds.filter(isUnsupported).length;
  const refusal = refusalOf(n, sum, unsupportedRounds);
  const rewards = rounds.map(({ reward }, index) => reward * (weights[index] ?? 0));
  return {
    n,
    ips: refusal ?? meanEstimate(momentsOf(rewards), confidence),
    snips: refusal ?? selfNormalised(rounds, weights, sum, confidence),
    effectiveSampleSize: squares === 0 ? 0 : (sum * sum) / squares,
    largestWeight: weights.reduce((most, weight) => Math.max(most, weight), 0),
    meanWeight: meanEstimate(momentsOf(weights), confidence),
    lowPropensityShare:
      n === 0 ? 0 : rounds.filter((round) => (round.logged[round.action] ?? 0) < LOW_PROPENSITY).length / n,
    unsupportedRounds,
  };
}

function refusalOf(n: number, sum: number, unsupportedRounds: number): Estimate | null {
  if (unsupportedRounds > 0) {
    return unknown(
      n,
      `In ${String(unsupportedRounds)} of ${String(n)} rounds the policy might choose what the logged one never did.`,
    );
  }
  if (n < 2) return unknown(n, 'Fewer than two rounds were logged.');
  return sum === 0 ? unknown(n, 'The policy agrees with none of the logged choices.') : null;
}

function weightOf({ action, logged, target, reward }: LoggedRound): number {
  const propensity = logged[action];
  const wanted = target[action];
  if (propensity === undefined || wanted === undefined || logged.length !== target.length) {
    throw new AnalysisInputError('A round names an action outside its propensities.');
  }
  if (!(propensity > 0 && propensity <= 1) || !(wanted >= 0 && wanted <= 1) || !Number.isFinite(reward)) {
    throw new AnalysisInputError('A round has a propensity outside (0, 1] or a reward that is not a number.');
  }
  return wanted / propensity;
}

function isUnsupported({ logged, target }: LoggedRound): boolean {
  return target.some((share, action) => share > 0 && !((logged[action] ?? 0) > 0));
}

/** Interval by the delta method. */
function selfNormalised(
  rounds: readonly LoggedRound[],
  weights: readonly number[],
  sum: number,
  confidence: number,
): Estimate {
  const value = rounds.reduce((total, { reward }, index) => total + reward * (weights[index] ?? 0), 0) / sum;
  const variance = rounds.reduce(
    (total, { reward }, index) => total + ((weights[index] ?? 0) * (reward - value)) ** 2,
    0,
  );
  const half = (twoSidedZ(confidence) * Math.sqrt(variance)) / sum;
  return { value, n: rounds.length, low: value - half, high: value + half };
}
