import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';
import { diagnose, type LoggedRound, refusalOf, type WeightDiagnostics, weightOf } from './logged-rounds.js';
import { type LowerBounds, lowerBoundsOf } from './lower-bound.js';
import { best, clipAt, shrinkAt, switchAt, type Tuned, type Terms } from './tuned-weights.js';

/** How to estimate. */
export interface PolicyOptions {
  readonly confidence?: number;
  /** Clip of the weights; without it the one with the least estimated mean squared error is taken. */
  readonly clip?: number;
  /** The same for the switch and for the shrinkage. */
  readonly switchAt?: number;
  readonly shrinkage?: number;
  /** Bounds that every reward keeps by design. Without them there are no lower bounds. */
  readonly rewardRange?: readonly [least: number, most: number];
  /** Largest weight that can occur by design; without it the largest possible in the logged contexts. */
  readonly mostWeight?: number;
  /** Chance that a lower bound is wrong, 0.05 by default. */
  readonly delta?: number;
}

/** Mean reward of a policy, by every estimator that the log allows. */
export interface PolicyValue extends WeightDiagnostics {
  readonly n: number;
  /** Mean reward that was logged. */
  readonly logged: Estimate;
  /** Inverse propensity score: mean(w r). */
  readonly ips: Estimate;
  /** IPS with weights of at most lambda: less variance, biased towards zero. */
  readonly clippedIps: Tuned;
  /** Self-normalised: sum(w r) / sum(w); less variance, a little bias. Delta method. */
  readonly snips: Estimate;
  /** Direct method: mean reward by the model alone. As good as the model, and the interval does not know how good. */
  readonly directMethod: Estimate;
  /** Doubly robust: the model, corrected by weighted residuals. */
  readonly doublyRobust: Estimate;
  /** The same with the correction over the sum of weights. */
  readonly selfNormalisedDoublyRobust: Estimate;
  /** The correction only where w is at most lambda (Wang, Agarwal and Dudik, 2017). */
  readonly switchDoublyRobust: Tuned;
  /** Weights lambda w / (w^2 + lambda) (Su and others, 2020). */
  readonly shrunkDoublyRobust: Tuned;
  /** Empirical Bernstein bounds for go or no-go. */
  readonly bounds: LowerBounds;
}

/**
 * Mean reward that another policy would have earned on logged rounds. Without support (it might choose what the
 * logging policy never chose) everything that weighs rounds is refused: the data cannot speak of it.
 * Formulas as in Saito and others (2021), "Open bandit dataset and pipeline".
 * @throws AnalysisInputError for rounds that are none, and options outside their range.
 */
export function evaluatePolicy(rounds: readonly LoggedRound[], options: PolicyOptions = {}): PolicyValue {
  const { confidence = CONFIDENCE } = options;
  checkOptions(options);
  const n = rounds.length;
  const weights = Float64Array.from(rounds, weightOf);
  const diagnostics = diagnose(rounds, weights, confidence);
  const refusal = refusalOf(rounds, weights, diagnostics.unsupportedRounds);
  const terms = termsOf(rounds, weights);
  const mean = (values: Float64Array): Estimate => meanEstimate(momentsOf(values), confidence);
  const noModel = unknown(n, 'No model predicts the rewards.');
  const modelled = terms.model === null ? noModel : refusal;
  const { base, residuals } = terms.model ?? { base: weights, residuals: weights };
  const tuned = (missing: Estimate | null, candidate: () => Tuned): Tuned =>
    missing === null ? candidate() : { lambda: null, estimate: missing };
  const robust: Terms = { base, weights, residuals };
  return {
    n,
    ...diagnostics,
    logged: mean(Float64Array.from(rounds, ({ reward }) => reward)),
    ips: refusal ?? mean(multiplied(weights, terms.rewards)),
    clippedIps: tuned(refusal, () =>
      best(
        { base: new Float64Array(n), weights, residuals: terms.rewards },
        clipAt,
        options.clip,
        confidence,
      ),
    ),
    snips: refusal ?? selfNormalised(new Float64Array(n), weights, terms.rewards, confidence),
    directMethod: terms.model === null ? noModel : mean(base),
    doublyRobust: modelled ?? mean(added(base, multiplied(weights, residuals))),
    selfNormalisedDoublyRobust: modelled ?? selfNormalised(base, weights, residuals, confidence),
    switchDoublyRobust: tuned(modelled, () => best(robust, switchAt, options.switchAt, confidence)),
    shrunkDoublyRobust: tuned(modelled, () => best(robust, shrinkAt, options.shrinkage, confidence)),
    bounds: lowerBoundsOf(rounds, weights, refusal, options),
  };
}

function checkOptions(options: PolicyOptions): void {
  const given = (values: readonly (number | undefined)[]): number[] =>
    values.filter((value) => value !== undefined);
  const {
    clip,
    switchAt: at,
    shrinkage,
    delta,
    confidence,
    rewardRange: [least, most] = [0, 1],
    mostWeight,
  } = options;
  if (!given([clip, at, shrinkage, mostWeight]).every((value) => value > 0)) {
    throw new AnalysisInputError('A limit of the weights must be positive.');
  }
  if (!given([delta, confidence]).every((value) => value > 0 && value < 1)) {
    throw new AnalysisInputError('A level lies between 0 and 1.');
  }
  if (!(least < most && Number.isFinite(most - least))) {
    throw new AnalysisInputError('The least reward must be below the greatest one.');
  }
}

interface RoundTerms {
  readonly rewards: Float64Array;
  /** Expected reward of the policy by the model, and reward minus prediction; null when a round has no prediction. */
  readonly model: { readonly base: Float64Array; readonly residuals: Float64Array } | null;
}

function termsOf(rounds: readonly LoggedRound[], weights: Float64Array): RoundTerms {
  const rewards = Float64Array.from(rounds, ({ reward }) => reward);
  if (weights.length === 0 || rounds.some(({ predicted }) => predicted === undefined))
    return { rewards, model: null };
  const base = Float64Array.from(rounds, ({ target, predicted = [] }) =>
    target.reduce((sum, share, action) => sum + share * (predicted[action] ?? Number.NaN), 0),
  );
  const residuals = Float64Array.from(
    rounds,
    ({ action, reward, predicted = [] }) => reward - (predicted[action] ?? NaN),
  );
  return { rewards, model: { base, residuals } };
}

function multiplied(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value * f64(b, index));
}

function added(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, index) => value + f64(b, index));
}

/** mean(base) + sum(w x) / sum(w), with its interval by the delta method. */
function selfNormalised(
  base: Float64Array,
  weights: Float64Array,
  values: Float64Array,
  confidence: number,
): Estimate {
  const n = weights.length;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const ratio = multiplied(weights, values).reduce((total, value) => total + value, 0) / sum;
  const middle = base.reduce((total, value) => total + value, 0) / n;
  const squares = weights.reduce((total, weight, index) => {
    const influence = f64(base, index) - middle + (n / sum) * weight * (f64(values, index) - ratio);
    return total + influence * influence;
  }, 0);
  const half = (twoSidedZ(confidence) * Math.sqrt(squares)) / n;
  const value = middle + ratio;
  return { value, n, low: value - half, high: value + half };
}
