import { AnalysisInputError } from '../errors.js';
import { type ActionModel, predictReward } from './linear-model.js';
import {
  bestOf,
  boundPropensities,
  type Bounds,
  drawAction,
  epsilonGreedy,
  type Scores,
  squareCb,
} from './propensities.js';
import { type Belief, thompsonPropensities } from './thompson.js';

/** How to explore. */
export type Exploration =
  | { readonly kind: 'greedy' }
  | { readonly kind: 'epsilon-greedy'; readonly epsilon: number }
  /** Mean plus `optimism` confidence widths; certain of the best (Li and others, 2010). */
  | { readonly kind: 'lin-ucb'; readonly optimism: number }
  | { readonly kind: 'square-cb'; readonly gamma: number }
  /** Draws of N(mean, (scale width)^2) (Agrawal and Goyal, 2013). */
  | { readonly kind: 'thompson'; readonly scale: number };

/** One choice to be made. */
export interface ExploreRequest {
  readonly context: Float64Array;
  readonly actions: readonly ActionModel[];
  /** Names of the actions that hard constraints leave: a mask before anything else. */
  readonly permitted: readonly string[];
  readonly exploration: Exploration;
  /** Least and greatest probability of each action while it is permitted, in the order of `actions`. */
  readonly bounds?: readonly Bounds[];
  /** Uniform draw in [0, 1), logged by the caller. */
  readonly seedUniform: number;
}

/** What was chosen, and with which probabilities: they are the ones to log. */
export interface Explored {
  readonly action: string;
  readonly propensities: readonly number[];
  readonly scores: Scores;
}

/**
 * Chooses an action by the propensities of a method of exploration, within the bounds. The propensities are exact, also
 * for Thompson sampling, so that other policies can be judged on the log.
 * @throws AnalysisInputError when nothing is permitted, a name is unknown, or the bounds cannot be kept.
 */
export function explore(request: ExploreRequest): Explored {
  const { actions, permitted, exploration, bounds, seedUniform } = request;
  const stranger = permitted.find((name) => !actions.some(({ action }) => action === name));
  if (stranger !== undefined) throw new AnalysisInputError(`'${stranger}' is not among the actions.`);
  if (bounds !== undefined && bounds.length !== actions.length) {
    throw new AnalysisInputError('There are not bounds for every action.');
  }
  const beliefs = actions.map((model): Belief | null => {
    if (!permitted.includes(model.action)) return null;
    const { mean, width } = predictReward(model, request.context);
    return { mean, deviation: width };
  });
  const optimism = exploration.kind === 'lin-ucb' ? exploration.optimism : 0;
  const scores = beliefs.map((belief) =>
    belief === null ? null : belief.mean + optimism * belief.deviation,
  );
  const free = propensitiesOf(exploration, scores, beliefs);
  const propensities = bounds === undefined ? free : boundPropensities(free, scores, bounds);
  const action = actions[drawAction(propensities, seedUniform)]?.action ?? '';
  return { action, propensities, scores };
}

function propensitiesOf(
  exploration: Exploration,
  scores: Scores,
  beliefs: readonly (Belief | null)[],
): number[] {
  switch (exploration.kind) {
    case 'epsilon-greedy':
      return epsilonGreedy(scores, exploration.epsilon);
    case 'square-cb':
      return squareCb(scores, exploration.gamma);
    case 'thompson':
      return thompsonPropensities(
        beliefs.map((belief) =>
          belief === null ? null : { mean: belief.mean, deviation: exploration.scale * belief.deviation },
        ),
      );
    case 'greedy':
    case 'lin-ucb': {
      const best = bestOf(scores);
      return scores.map((_, index) => (index === best ? 1 : 0));
    }
  }
}
