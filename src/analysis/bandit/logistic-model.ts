import { AnalysisInputError } from '../errors.js';
import { cholesky, solveCholesky } from '../numeric/cholesky.js';
import { f64 } from '../numeric/typed.js';
import type { Belief } from './thompson.js';

/**
 * Logistic regression of a reward of 0 or 1 with a normal belief about every weight by itself (diagonal Laplace;
 * Chapelle and Li, 2011, algorithm 3). Plain data, so that it can be stored as it is.
 */
export interface LogisticModel {
  readonly action: string;
  readonly means: Float64Array;
  /** Inverse variances. */
  readonly precisions: Float64Array;
  readonly updates: number;
}

/** One context, of the dimension of the model, and its reward. */
export interface LogisticRound {
  readonly context: Float64Array;
  readonly reward: 0 | 1;
}

const MOST_STEPS = 50;

/** A model that has seen nothing: every weight is believed to be N(0, 1/precision). */
export function newLogisticModel(action: string, dimension: number, precision = 1): LogisticModel {
  if (!Number.isInteger(dimension) || dimension < 1 || !(precision > 0 && precision < Infinity)) {
    throw new AnalysisInputError('A logistic model needs a positive dimension and a positive precision.');
  }
  const means = new Float64Array(dimension);
  return { action, means, precisions: new Float64Array(dimension).fill(precision), updates: 0 };
}

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * f64(b, index), 0);
}

function check({ action, means }: LogisticModel, context: Float64Array): void {
  if (context.length === means.length && context.every(Number.isFinite)) return;
  throw new AnalysisInputError(
    `The context of action '${action}' must be ${String(means.length)} finite numbers.`,
  );
}

/** Half the squared distance from the belief, plus the loss of the rounds: what an update minimises. */
function objective(model: LogisticModel, rounds: readonly LogisticRound[], weights: Float64Array): number {
  const prior = weights.reduce(
    (sum, weight, index) =>
      sum + (f64(model.precisions, index) * (weight - f64(model.means, index)) ** 2) / 2,
    0,
  );
  return rounds.reduce((sum, { context, reward }) => {
    const margin = (reward === 1 ? 1 : -1) * dot(weights, context);
    return sum + (margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin);
  }, prior);
}

/** Newton's step from `weights`, and the size of the gradient. */
function newtonStep(
  model: LogisticModel,
  rounds: readonly LogisticRound[],
  weights: Float64Array,
): Float64Array {
  const size = weights.length;
  const hessian = new Float64Array(size * size);
  const gradient = new Float64Array(size);
  for (let index = 0; index < size; index += 1) {
    const precision = f64(model.precisions, index);
    hessian[index * (size + 1)] = precision;
    gradient[index] = precision * (f64(weights, index) - f64(model.means, index));
  }
  for (const { context, reward } of rounds) {
    const p = sigmoid(dot(weights, context));
    for (let row = 0; row < size; row += 1) {
      gradient[row] = f64(gradient, row) + (p - reward) * f64(context, row);
      for (let column = 0; column < size; column += 1) {
        const at = row * size + column;
        hessian[at] = f64(hessian, at) + p * (1 - p) * f64(context, row) * f64(context, column);
      }
    }
  }
  const lower = cholesky(hessian, size);
  if (lower === null) throw new AnalysisInputError('The contexts are too large to learn from.');
  return solveCholesky(lower, gradient);
}

/**
 * The model after a batch of rounds: the mode of the posterior by Newton's method, then every precision grows by
 * sum x^2 p (1 - p) at the mode. The model given stays as it is.
 * @throws AnalysisInputError for contexts of another dimension or values that are not finite.
 */
export function updateLogistic(model: LogisticModel, rounds: readonly LogisticRound[]): LogisticModel {
  for (const { context } of rounds) check(model, context);
  let weights: Float64Array = Float64Array.from(model.means);
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const move = newtonStep(model, rounds, weights);
    const before = objective(model, rounds, weights);
    const at = (scale: number): Float64Array =>
      weights.map((weight, index) => weight - scale * f64(move, index));
    let scale = 1;
    while (scale > 1e-6 && objective(model, rounds, at(scale)) > before) scale /= 2;
    weights = at(scale);
    if (move.every((value) => Math.abs(value) < 1e-12)) break;
  }
  const precisions = model.precisions.map((precision, index) =>
    rounds.reduce((sum, { context }) => {
      const p = sigmoid(dot(weights, context));
      return sum + f64(context, index) ** 2 * p * (1 - p);
    }, precision),
  );
  return { ...model, means: weights, precisions, updates: model.updates + rounds.length };
}

/**
 * What is believed of the logit of the reward in a context: N(x'm, alpha sum x^2 / q). Highest logit is highest
 * probability, so Thompson sampling needs no more. `spread` is alpha: less than 1 explores less.
 */
export function logisticBelief(model: LogisticModel, context: Float64Array, spread = 1): Belief {
  check(model, context);
  if (!(spread >= 0 && spread < Infinity))
    throw new AnalysisInputError('The spread must be a number of at least 0.');
  const variance = context.reduce((sum, x, index) => sum + (x * x) / f64(model.precisions, index), 0);
  return { mean: dot(model.means, context), deviation: Math.sqrt(spread * variance) };
}
