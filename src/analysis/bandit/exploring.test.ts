import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { cholesky, solveCholesky } from '../numeric/cholesky.js';
import { normalCdf } from '../statistics/distributions.js';
import { randomStream } from '../statistics/random.js';
import { explore, type Exploration } from './explore.js';
import { newActionModel, predictReward, updateModel } from './linear-model.js';
import { logisticBelief, newLogisticModel, updateLogistic } from './logistic-model.js';
import { boundPropensities, drawAction, epsilonGreedy, gammaAt, squareCb } from './propensities.js';
import { thompsonPropensities } from './thompson.js';

describe('propensities', () => {
  test('of epsilon-greedy and SquareCB over the eligible actions', () => {
    expect(epsilonGreedy([0.1, null, 0.9, 0.3], 0.3)).toEqual(
      [0.1, 0, 0.8, 0.1].map((share) => expect.closeTo(share, 14) as number),
    );
    const [a, b, c] = squareCb([0.1, null, 0.9], 10);
    expect(a).toBeCloseTo(1 / (2 + 8), 14);
    expect([b, c]).toEqual([0, expect.closeTo(0.9, 14)]);
    expect(gammaAt(400)).toBeCloseTo(200, 12);
    expect(() => epsilonGreedy([null], 0.1)).toThrow('No action is eligible');
    expect(() => epsilonGreedy([1], 2)).toThrow('Epsilon');
    expect(() => squareCb([Infinity], 1)).toThrow('not a finite number');
    expect(() => squareCb([1], -1)).toThrow('Gamma');
  });

  test('of Thompson sampling: two actions in closed form, three by draws', () => {
    const [first] = thompsonPropensities([
      { mean: 0.3, deviation: 0.5 },
      { mean: 0, deviation: 1.2 },
    ]);
    expect(first).toBeCloseTo(normalCdf(0.3 / Math.hypot(0.5, 1.2)), 10);
    const sharp = thompsonPropensities([
      { mean: 0.001, deviation: 1e-6 },
      { mean: 0, deviation: 1 },
    ]);
    expect(sharp[0]).toBeCloseTo(normalCdf(0.001), 9);
    const beliefs = [
      { mean: 0, deviation: 1 },
      { mean: 0.5, deviation: 0.3 },
      { mean: 0.2, deviation: 0.8 },
    ];
    const exact = thompsonPropensities(beliefs);
    const { normal } = randomStream(7);
    const wins = [0, 0, 0];
    for (let draw = 0; draw < 60_000; draw += 1) {
      const scores = beliefs.map(({ mean, deviation }) => mean + deviation * normal());
      const best = scores.indexOf(Math.max(...scores));
      wins[best] = (wins[best] ?? 0) + 1;
    }
    exact.forEach((share, index) => {
      expect(Math.abs(share - (wins[index] ?? 0) / 60_000)).toBeLessThan(0.008);
    });
  });

  test('of Thompson sampling without doubt are certain, and the first of equals wins', () => {
    const sure = { mean: 1, deviation: 0 };
    expect(thompsonPropensities([{ mean: 0, deviation: 0 }, sure, null, sure])).toEqual([0, 1, 0, 0]);
    expect(
      thompsonPropensities([
        { mean: 0, deviation: 1 },
        { mean: 0, deviation: 0 },
      ])[0],
    ).toBeCloseTo(0.5, 12);
    expect(() => thompsonPropensities([null])).toThrow('No action is eligible');
    expect(() => thompsonPropensities([{ mean: NaN, deviation: 1 }])).toThrow(AnalysisInputError);
  });

  test('are moved as little as possible to keep their bounds', () => {
    const bound = { least: 0.1, most: 0.6 };
    const kept = boundPropensities([0, 0, 1], [1, null, 2], [bound, bound, { least: 0, most: 0.7 }]);
    expect(kept).toEqual([expect.closeTo(0.3, 12), 0, expect.closeTo(0.7, 12)]);
    expect(() =>
      boundPropensities(
        [0, 1],
        [1, 2],
        [
          { least: 0, most: 0.3 },
          { least: 0, most: 0.3 },
        ],
      ),
    ).toThrow('cannot add up');
    expect(() => boundPropensities([1], [1], [])).toThrow('Every action needs');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 6 }), (actions) => {
        const scores = actions.map(([score, isOut], index) => (isOut && index > 0 ? null : score));
        const count = scores.filter((score) => score !== null).length;
        const bounds = actions.map(() => ({ least: 0.5 / count, most: Math.min(1, 2 / count) }));
        const own = boundPropensities(epsilonGreedy(scores, 0.1), scores, bounds);
        expect(own.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
        own.forEach((share, index) => {
          if (scores[index] === null) expect(share).toBe(0);
          else expect(share >= 0.5 / count - 1e-12 && share <= 2 / count + 1e-12).toBe(true);
        });
      }),
    );
  });

  test('a draw picks by them, and never what has none', () => {
    expect([0, 0.29, 0.31, 0.999_999].map((draw) => drawAction([0.3, 0, 0.7 - 1e-7], draw))).toEqual([
      0, 0, 2, 2,
    ]);
    expect(() => drawAction([0, 0], 0.5)).toThrow('No action has a probability');
    expect(() => drawAction([1], 1)).toThrow('[0, 1)');
  });
});

describe('exploring', () => {
  const actions = ['a', 'b', 'c'].map((action, index) =>
    updateModel(newActionModel(action, 2), Float64Array.of(1, 0.5), index),
  );
  const request = {
    context: Float64Array.of(1, 0.5),
    actions,
    permitted: ['a', 'b', 'c'],
    seedUniform: 0.01,
  };

  test.each<Exploration>([
    { kind: 'greedy' },
    { kind: 'lin-ucb', optimism: 1 },
    { kind: 'epsilon-greedy', epsilon: 0.2 },
    { kind: 'square-cb', gamma: 5 },
    { kind: 'thompson', scale: 0.5 },
  ])('by %j keeps to what is permitted', (exploration) => {
    const own = explore({ ...request, exploration, permitted: ['a', 'b'] });
    expect(own.propensities[2]).toBe(0);
    expect(own.propensities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(own.propensities[1]).toBeGreaterThan(0.5);
    expect(own.scores[2]).toBeNull();
  });

  test('keeps bounds, and refuses what it does not know', () => {
    const bounds = actions.map(() => ({ least: 0.2, most: 0.6 }));
    const own = explore({ ...request, exploration: { kind: 'greedy' }, bounds });
    expect(own.action).toBe('a');
    expect(own.propensities[2]).toBeCloseTo(0.6, 12);
    expect(() => explore({ ...request, exploration: { kind: 'greedy' }, bounds: [] })).toThrow(
      'bounds for every',
    );
    expect(() => explore({ ...request, exploration: { kind: 'greedy' }, permitted: ['x'] })).toThrow(
      "'x' is not among",
    );
    expect(() => explore({ ...request, exploration: { kind: 'greedy' }, permitted: [] })).toThrow(
      'No action is eligible',
    );
  });
});

describe('learners', () => {
  test('ridge by single steps stays with the solution of all rounds at once', () => {
    const { normal } = randomStream(12);
    const size = 6;
    let model = newActionModel('a', size);
    const gram = Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
    const target = new Float64Array(size);
    for (let round = 0; round < 20_000; round += 1) {
      const context = Float64Array.from({ length: size }, (_, at) => normal() * 10 ** (at - 3));
      const reward = normal();
      model = updateModel(model, context, reward);
      context.forEach((x, row) => {
        target[row] = (target[row] ?? 0) + reward * x;
        context.forEach(
          (y, column) => (gram[row * size + column] = (gram[row * size + column] ?? 0) + x * y),
        );
      });
    }
    const lower = cholesky(gram, size);
    if (lower === null) throw new Error('not positive definite');
    const weights = solveCholesky(lower, target);
    for (let at = 0; at < size; at += 1) {
      const unit = new Float64Array(size);
      unit[at] = 1;
      expect(predictReward(model, unit).mean).toBeCloseTo(weights[at] ?? NaN, 9);
    }
    expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull();
  });

  test('the logistic learner finds the mode, and its doubt shrinks', () => {
    const { uniform, normal } = randomStream(5);
    const rounds = Array.from({ length: 4000 }, () => {
      const context = Float64Array.of(1, normal());
      const p = 1 / (1 + Math.exp(-(-0.5 + 1.2 * (context[1] ?? 0))));
      return { context, reward: uniform() < p ? (1 as const) : (0 as const) };
    });
    const start = newLogisticModel('a', 2);
    const model = updateLogistic(start, rounds);
    expect(model.means[0]).toBeCloseTo(-0.5, 0);
    expect(model.means[1]).toBeCloseTo(1.2, 0);
    // At the mode the gradient vanishes: precision (w - m) = sum x (y - p).
    const gradient = rounds.reduce((sum, { context, reward }) => {
      const p = 1 / (1 + Math.exp(-((model.means[0] ?? 0) + (model.means[1] ?? 0) * (context[1] ?? 0))));
      return sum + (context[1] ?? 0) * (p - reward);
    }, model.means[1] ?? 0);
    expect(Math.abs(gradient)).toBeLessThan(1e-8);
    expect(start.means).toEqual(new Float64Array(2));
    const context = Float64Array.of(1, 0);
    expect(logisticBelief(model, context).deviation).toBeLessThan(0.1);
    // The doubt is the square root of alpha over q, not alpha over q.
    expect(logisticBelief(start, context, 0.25)).toEqual({ mean: 0, deviation: 0.5 });
    expect(logisticBelief(newLogisticModel('a', 2, 4), context, 1).deviation).toBe(0.5);
  });

  test('the logistic learner stays finite where the classes are apart, and refuses what is no context', () => {
    const apart = Array.from({ length: 50 }, (_, at) => ({
      context: Float64Array.of(at - 25),
      reward: at >= 25 ? (1 as const) : (0 as const),
    }));
    const model = updateLogistic(newLogisticModel('a', 1), apart);
    expect(Number.isFinite(model.means[0])).toBe(true);
    expect(updateLogistic(model, []).means[0]).toBeCloseTo(model.means[0] ?? NaN, 12);
    expect(() => updateLogistic(model, [{ context: Float64Array.of(NaN), reward: 1 }])).toThrow(
      '1 finite numbers',
    );
    expect(() => newLogisticModel('a', 0)).toThrow('positive dimension');
    expect(() => logisticBelief(model, Float64Array.of(1), -1)).toThrow('spread');
  });
});
