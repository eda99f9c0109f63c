import { AnalysisInputError } from '../errors.js';
import { cholesky, solveCholesky } from '../numeric/cholesky.js';
import { addTo, f64 } from '../numeric/typed.js';

/** A logged round as the reward model sees it: the context, which action was taken, and its reward. */
export interface RewardRound {
  readonly context: Float64Array;
  readonly action: number;
  readonly reward: number;
}

/** How the model is fitted. */
export interface RewardModelOptions {
  readonly actions: number;
  /** Folds of the cross-fit, 5 by default; a round belongs to the fold of its number. */
  readonly folds?: number;
  /** Ridge of the regression, 1 by default. */
  readonly ridge?: number;
}

/** sum x x' and sum r x of one action in one fold. */
interface Sums {
  readonly gram: Float64Array;
  readonly target: Float64Array;
}

/**
 * Expected reward of every action in every round by ridge regression per action, each round by the model of the other
 * folds: what doubly robust estimates need to stay honest. An action that the other folds never took is predicted 0,
 * where the ridge pulls. Give the context a constant 1 for an intercept.
 * @throws AnalysisInputError for contexts that differ in length or are not finite, and unknown actions.
 */
export function crossFitRewards(rounds: readonly RewardRound[], options: RewardModelOptions): number[][] {
  const { actions, folds = 5, ridge = 1 } = options;
  const size = rounds[0]?.context.length ?? 0;
  checkRounds(rounds, size, options);
  const sums = Array.from({ length: folds * actions }, (): Sums => ({
    gram: new Float64Array(size * size),
    target: new Float64Array(size),
  }));
  rounds.forEach((round, index) => {
    const own = sums[(index % folds) * actions + round.action];
    if (own !== undefined) addRound(own, round, size);
  });
  const models = Array.from({ length: folds * actions }, (_, place) => {
    const [fold, action] = [Math.floor(place / actions), place % actions];
    const others = sums.filter(
      (_sum, index) => index % actions === action && Math.floor(index / actions) !== fold,
    );
    return solve(others, size, ridge);
  });
  return rounds.map(({ context }, index) =>
    Array.from({ length: actions }, (_, action) => {
      const weights = models[(index % folds) * actions + action];
      return context.reduce(
        (sum, value, at) => sum + value * (weights === undefined ? NaN : f64(weights, at)),
        0,
      );
    }),
  );
}

function checkRounds(
  rounds: readonly RewardRound[],
  size: number,
  { actions, folds = 5, ridge = 1 }: RewardModelOptions,
): void {
  if (!Number.isInteger(folds) || folds < 2 || !(ridge > 0)) {
    throw new AnalysisInputError('A cross-fit needs at least two folds and a positive ridge.');
  }
  const isFinite = ({ context, reward }: RewardRound): boolean =>
    context.length === size && context.every(Number.isFinite) && Number.isFinite(reward);
  if (!rounds.every(isFinite)) {
    throw new AnalysisInputError('A context or reward is not finite, or contexts differ in length.');
  }
  if (!rounds.every(({ action }) => Number.isInteger(action) && action >= 0 && action < actions)) {
    throw new AnalysisInputError('A round names an action that there is not.');
  }
}

function addRound({ gram, target }: Sums, { context, reward }: RewardRound, size: number): void {
  for (let row = 0; row < size; row += 1) {
    addTo(target, row, reward * f64(context, row));
    for (let column = 0; column < size; column += 1) {
      addTo(gram, row * size + column, f64(context, row) * f64(context, column));
    }
  }
}

function solve(parts: readonly Sums[], size: number, ridge: number): Float64Array {
  const gram = new Float64Array(size * size);
  const target = new Float64Array(size);
  for (let index = 0; index < size; index += 1) gram[index * (size + 1)] = ridge;
  for (const part of parts) {
    part.gram.forEach((value, index) => addTo(gram, index, value));
    part.target.forEach((value, index) => addTo(target, index, value));
  }
  const lower = cholesky(gram, size);
  if (lower === null) throw new AnalysisInputError('The contexts are too large to learn from.');
  return solveCholesky(lower, target);
}
