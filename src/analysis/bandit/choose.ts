import { AnalysisInputError } from '../errors.js';
import { type ActionModel, predictReward } from './linear-model.js';

export interface ChoiceRequest {
  readonly context: Float64Array;
  /** All actions, with what was learnt about each. */
  readonly actions: readonly ActionModel[];
  /** Names of the actions that hard constraints leave. Nothing else is ever chosen. */
  readonly permitted: readonly string[];
  /** Names of the actions that may be tried although another one scores higher. */
  readonly explorable: readonly string[];
  /** Most probability that may leave the best action, 0 to 1. With 0 the best action is certain. */
  readonly exploration: number;
  /** Uniform draw in [0, 1) that decides; logged by the caller, so that the choice can be repeated. */
  readonly seedUniform: number;
  /** Times the confidence width that is added to the mean (LinUCB); 0 scores by the mean alone. */
  readonly optimism?: number;
  /** How fast exploration shrinks with the gap of the scores (SquareCB). */
  readonly gamma?: number;
  /** Least share of the explored probability for each explorable action. */
  readonly floor?: number;
}

export interface Choice {
  readonly action: string;
  /** Probability with which each action would have been chosen, in the order of `actions`; they sum to one. */
  readonly propensities: readonly number[];
  /** Score of each action, in the same order; null where not permitted. */
  readonly scores: readonly (number | null)[];
}

const GAMMA = 10;
const FLOOR = 0.05;

/**
 * Chooses an action: the best score among the permitted ones, except that up to `exploration` of the probability
 * follows SquareCB (Foster and Rakhlin, 2020) among the explorable ones. Ties go to the first in order.
 */
export function choose(request: ChoiceRequest): Choice {
  checkRequest(request);
  const permitted = new Set(request.permitted);
  const scores = request.actions.map((model) =>
    permitted.has(model.action) ? scoreOf(model, request) : null,
  );
  const best = argmax(scores);
  const propensities = propensitiesOf(request, scores, best);
  return { action: nameAt(request, draw(propensities, request.seedUniform, best)), propensities, scores };
}

function scoreOf(model: ActionModel, { context, optimism = 0 }: ChoiceRequest): number {
  const { mean, width } = predictReward(model, context);
  return mean + optimism * width;
}

function argmax(scores: readonly (number | null)[]): number {
  let best = -1;
  let top = Number.NEGATIVE_INFINITY;
  scores.forEach((score, index) => {
    if (score === null || score <= top) return;
    top = score;
    best = index;
  });
  return best;
}

function propensitiesOf(request: ChoiceRequest, scores: readonly (number | null)[], best: number): number[] {
  const { exploration, gamma = GAMMA, floor = FLOOR, actions } = request;
  const explorable = new Set(request.explorable);
  const tried = actions.map(
    ({ action }, index) => index !== best && scores[index] !== null && explorable.has(action),
  );
  const count = tried.filter(Boolean).length + 1;
  const top = scores[best] ?? 0;
  const least = Math.min(floor, 1 / count);
  const propensities = scores.map((score, index) => {
    if (tried[index] !== true || score === null) return 0;
    return exploration * Math.max(least, 1 / (count + gamma * (top - score)));
  });
  // 1/(count + ...) <= 1/count for each of the others, so at least that much is left for the best.
  propensities[best] = 1 - propensities.reduce((sum, share) => sum + share, 0);
  return propensities;
}

function draw(propensities: readonly number[], uniform: number, best: number): number {
  let cumulated = 0;
  for (const [index, share] of propensities.entries()) {
    cumulated += share;
    if (uniform < cumulated) return index;
  }
  // Rounding may leave the sum a hair below one; the rest belongs to the best.
  return best;
}

function nameAt({ actions }: ChoiceRequest, index: number): string {
  const name = actions[index]?.action;
  if (name === undefined) throw new AnalysisInputError('No action has a finite score.');
  return name;
}

function checkRequest(request: ChoiceRequest): void {
  const { actions, permitted, explorable, exploration, seedUniform } = request;
  const names = new Set(actions.map(({ action }) => action));
  if (names.size !== actions.length) throw new AnalysisInputError('Two actions have the same name.');
  const stranger = [...permitted, ...explorable].find((name) => !names.has(name));
  if (stranger !== undefined) throw new AnalysisInputError(`'${stranger}' is not among the actions.`);
  if (permitted.length === 0) throw new AnalysisInputError('No action is permitted, so none can be chosen.');
  if (!(exploration >= 0 && exploration <= 1))
    throw new AnalysisInputError('Exploration lies between 0 and 1.');
  if (!(seedUniform >= 0 && seedUniform < 1)) throw new AnalysisInputError('The draw lies in [0, 1).');
}
