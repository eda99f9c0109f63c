import { AnalysisInputError } from '../errors.js';
import { addTo, f64 } from '../numeric/typed.js';

/**
 * Ridge regression of the reward of one action on the context, kept as (lambda I + sum x x')^-1 and sum r x.
 * Plain data, so that it can be stored as it is.
 */
export interface ActionModel {
  readonly action: string;
  readonly dimension: number;
  /** Row-major, dimension squared. */
  readonly inverse: Float64Array;
  readonly target: Float64Array;
  readonly updates: number;
}

/** A model that has seen nothing. `ridge` is lambda. */
export function newActionModel(action: string, dimension: number, ridge = 1): ActionModel {
  if (!Number.isInteger(dimension) || dimension < 1 || !(ridge > 0)) {
    throw new AnalysisInputError('An action model needs a positive dimension and a positive ridge.');
  }
  const inverse = new Float64Array(dimension * dimension);
  for (let index = 0; index < dimension; index += 1) inverse[index * (dimension + 1)] = 1 / ridge;
  return { action, dimension, inverse, target: new Float64Array(dimension), updates: 0 };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += f64(a, index) * f64(b, index);
  return sum;
}

/** Inverse times a vector. */
function apply(model: ActionModel, vector: Float64Array): Float64Array {
  const result = new Float64Array(model.dimension);
  for (let row = 0; row < model.dimension; row += 1) {
    result[row] = dot(model.inverse.subarray(row * model.dimension, (row + 1) * model.dimension), vector);
  }
  return result;
}

/** Refuses a context that the model was not made for. */
function checkContext(model: ActionModel, context: Float64Array): void {
  if (context.length === model.dimension && context.every(Number.isFinite)) return;
  throw new AnalysisInputError(
    `The context of action '${model.action}' must be ${String(model.dimension)} finite numbers, not ${String(context.length)}.`,
  );
}

export interface Prediction {
  /** Expected reward. */
  readonly mean: number;
  /** sqrt(x' A^-1 x): how unlike the contexts seen so far this one is. */
  readonly width: number;
}

/** Expected reward of the action in this context, with its confidence width (Li and others, 2010). */
export function predictReward(model: ActionModel, context: Float64Array): Prediction {
  checkContext(model, context);
  const spread = apply(model, context);
  return { mean: dot(spread, model.target), width: Math.sqrt(Math.max(0, dot(spread, context))) };
}

/** The model after one more reward (Sherman-Morrison). The model given stays as it is. */
export function updateModel(model: ActionModel, context: Float64Array, reward: number): ActionModel {
  checkContext(model, context);
  if (!Number.isFinite(reward)) throw new AnalysisInputError('A reward must be a finite number.');
  const spread = apply(model, context);
  const scale = 1 / (1 + dot(spread, context));
  const inverse = Float64Array.from(model.inverse);
  for (let row = 0; row < model.dimension; row += 1) {
    for (let column = 0; column < model.dimension; column += 1) {
      // The product is the same on both sides of the diagonal, so the inverse stays symmetric to the last bit.
      addTo(inverse, row * model.dimension + column, -scale * (f64(spread, row) * f64(spread, column)));
    }
  }
  const target = model.target.map((value, index) => value + reward * f64(context, index));
  return { ...model, inverse, target, updates: model.updates + 1 };
}
