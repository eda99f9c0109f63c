import { AnalysisInputError } from '../errors.js';

/** Score of each action, null where it is not eligible. Nothing that is not eligible ever has a probability. */
export type Scores = readonly (number | null)[];

/** Least and greatest probability of an action, while it is eligible. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
}

/** Place of the highest score, the first of equals. */
export function bestOf(scores: Scores): number {
  let best = -1;
  let top = Number.NEGATIVE_INFINITY;
  scores.forEach((score, index) => {
    if (score === null) return;
    if (!Number.isFinite(score)) throw new AnalysisInputError('A score is not a finite number.');
    if (score > top) [best, top] = [index, score];
  });
  if (best < 0) throw new AnalysisInputError('No action is eligible, so none can be chosen.');
  return best;
}

const countEligible = (scores: Scores): number => scores.filter((score) => score !== null).length;

/** Epsilon-greedy: epsilon/K for every eligible action, and the rest for the best. */
export function epsilonGreedy(scores: Scores, epsilon: number): number[] {
  if (!(epsilon >= 0 && epsilon <= 1)) throw new AnalysisInputError('Epsilon lies between 0 and 1.');
  const best = bestOf(scores);
  const share = epsilon / countEligible(scores);
  return withRest(
    scores.map((score, index) => (score === null || index === best ? 0 : share)),
    best,
  );
}

/** The best keeps what the others leave, so that the sum is one. */
function withRest(propensities: number[], best: number): number[] {
  propensities[best] =
    1 - propensities.reduce((sum, share, index) => (index === best ? sum : sum + share), 0);
  return propensities;
}

/**
 * SquareCB (Foster and Rakhlin, 2020): 1 / (K + gamma gap) for all but the best, K being the eligible actions counted
 * afresh. Rewards: the gap is best minus own score.
 */
export function squareCb(scores: Scores, gamma: number): number[] {
  if (!(gamma >= 0 && gamma < Infinity))
    throw new AnalysisInputError('Gamma must be a number of at least 0.');
  const best = bestOf(scores);
  const top = scores[best] ?? 0;
  const count = countEligible(scores);
  return withRest(
    scores.map((score, index) =>
      score === null || index === best ? 0 : 1 / (count + gamma * (top - score)),
    ),
    best,
  );
}

/** Gamma of SquareCB after `rounds` rounds: scale rounds^exponent. */
export function gammaAt(rounds: number, scale = 10, exponent = 0.5): number {
  return scale * Math.max(1, rounds) ** exponent;
}

/**
 * The nearest propensities (least squares) that keep the bounds of the eligible actions: all are moved by the same
 * amount and cut at their bounds.
 * @throws AnalysisInputError when the bounds leave no way to add up to one.
 */
export function boundPropensities(
  propensities: readonly number[],
  scores: Scores,
  bounds: readonly Bounds[],
): number[] {
  const own = scores.map((score, index) => (score === null ? { least: 0, most: 0 } : checked(bounds[index])));
  const [least, most] = [total(own.map((one) => one.least)), total(own.map((one) => one.most))];
  if (least > 1 + 1e-12 || most < 1 - 1e-12) {
    throw new AnalysisInputError(
      'The least and greatest probabilities of the eligible actions cannot add up to one.',
    );
  }
  const moved = (by: number): number[] =>
    propensities.map((share, index) => {
      const bound = own[index] ?? { least: 0, most: 0 };
      return Math.min(bound.most, Math.max(bound.least, share + by));
    });
  let [low, high] = [-1, 1];
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    if (total(moved(middle)) < 1) low = middle;
    else high = middle;
  }
  const result = moved(high);
  const free = result.findIndex(
    (share, index) => share > (own[index]?.least ?? 0) && share < (own[index]?.most ?? 0),
  );
  if (free >= 0) result[free] = (result[free] ?? 0) + (1 - total(result));
  return result;
}

function checked(bound: Bounds | undefined): Bounds {
  if (bound === undefined || !(bound.least >= 0 && bound.least <= bound.most && bound.most <= 1)) {
    throw new AnalysisInputError(
      'Every action needs a least probability that is not above its greatest one.',
    );
  }
  return bound;
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** The action of a uniform draw in [0, 1): the same draw and propensities give the same action. */
export function drawAction(propensities: readonly number[], uniform: number): number {
  if (!(uniform >= 0 && uniform < 1)) throw new AnalysisInputError('The draw lies in [0, 1).');
  let cumulated = 0;
  let last = -1;
  for (const [index, share] of propensities.entries()) {
    if (share > 0) last = index;
    cumulated += share;
    if (share > 0 && uniform < cumulated) return index;
  }
  // Rounding may leave the sum a hair below one.
  if (last < 0) throw new AnalysisInputError('No action has a probability.');
  return last;
}
