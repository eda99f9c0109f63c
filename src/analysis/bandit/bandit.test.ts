import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { randomStream } from '../statistics/random.js';
import { choose, type ChoiceRequest } from './choose.js';
import { evaluatePolicy } from './evaluate-policy.js';
import { type ActionModel, newActionModel, predictReward, updateModel } from './linear-model.js';
import type { LoggedRound } from './logged-rounds.js';

const ACTIONS = ['accept', 'ask', 'refer'];

function trained(seed: number): ActionModel[] {
  const { uniform } = randomStream(seed);
  return ACTIONS.map((action, index) => {
    let model = newActionModel(action, 3);
    for (let round = 0; round < 20; round += 1) {
      const context = Float64Array.of(1, uniform(), uniform());
      model = updateModel(model, context, index * 0.3 + uniform() * 0.1);
    }
    return model;
  });
}

const request = (changes: Partial<ChoiceRequest> = {}): ChoiceRequest => ({
  context: Float64Array.of(1, 0.5, 0.5),
  actions: trained(1),
  permitted: ACTIONS,
  explorable: [],
  exploration: 0,
  seedUniform: 0.5,
  ...changes,
});

describe('learning', () => {
  test('is ridge regression, one reward at a time', () => {
    let model = newActionModel('a', 2, 0.5);
    const rounds = [
      [1, 2, 3],
      [0.5, -1, 0.2],
      [2, 0, 1],
    ] as const;
    for (const [a, b, reward] of rounds) model = updateModel(model, Float64Array.of(a, b), reward);
    let [p, q, r, u, v] = [0.5, 0, 0.5, 0, 0];
    for (const [a, b, reward] of rounds)
      [p, q, r, u, v] = [p + a * a, q + a * b, r + b * b, u + reward * a, v + reward * b];
    const determinant = p * r - q * q;
    const theta = [(r * u - q * v) / determinant, (p * v - q * u) / determinant];
    expect(predictReward(model, Float64Array.of(1, 0)).mean).toBeCloseTo(theta[0] ?? Number.NaN, 13);
    expect(predictReward(model, Float64Array.of(0, 1)).mean).toBeCloseTo(theta[1] ?? Number.NaN, 13);
    expect(predictReward(model, Float64Array.of(1, 0)).width).toBeCloseTo(Math.sqrt(r / determinant), 13);
    expect(model.updates).toBe(3);
    expect(model.inverse[1]).toBe(model.inverse[2]);
  });

  test('does not change the model it started from', () => {
    const before = newActionModel('a', 1);
    updateModel(before, Float64Array.of(3), 1);
    expect(before).toEqual(newActionModel('a', 1));
  });

  test('refuses contexts and rewards that are none', () => {
    const model = newActionModel('a', 2);
    expect(() => predictReward(model, Float64Array.of(1))).toThrow("action 'a' must be 2 finite numbers");
    expect(() => updateModel(model, Float64Array.of(1, Number.NaN), 1)).toThrow(AnalysisInputError);
    expect(() => updateModel(model, Float64Array.of(1, 1), Number.POSITIVE_INFINITY)).toThrow('finite');
    expect(() => newActionModel('a', 0)).toThrow('positive dimension');
  });
});

describe('choosing', () => {
  test('without exploration takes the best permitted action with certainty', () => {
    expect(choose(request())).toMatchObject({ action: 'refer', propensities: [0, 0, 1] });
    const narrowed = choose(request({ permitted: ['accept', 'ask'] }));
    expect(narrowed).toMatchObject({ action: 'ask', propensities: [0, 1, 0] });
    expect(narrowed.scores[2]).toBeNull();
  });

  test('gives ties to the first action', () => {
    const actions = ACTIONS.map((action) => newActionModel(action, 3));
    expect(choose(request({ actions })).action).toBe('accept');
  });

  test('with optimism prefers what is less known', () => {
    const actions = [...trained(1).slice(0, 2), newActionModel('refer', 3)];
    expect(choose(request({ actions })).action).toBe('ask');
    expect(choose(request({ actions, optimism: 5 })).action).toBe('refer');
  });

  test('propensities sum to one, stay within the permitted and explorable, and never exceed the exploration', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1000),
          permitted: fc.subarray(ACTIONS, { minLength: 1 }),
          explorable: fc.subarray(ACTIONS),
          exploration: fc.double({ min: 0, max: 1, noNaN: true }),
          seedUniform: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          floor: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        ({ seed, ...changes }) => {
          const actions = trained(seed);
          const best = choose(request({ actions, permitted: changes.permitted })).action;
          const { action, propensities } = choose(request({ actions, ...changes }));
          expect(propensities.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
          expect(changes.permitted).toContain(action);
          ACTIONS.forEach((name, index) => {
            const share = propensities[index] ?? Number.NaN;
            expect(share).toBeGreaterThanOrEqual(0);
            if (!changes.permitted.includes(name)) expect(share).toBe(0);
            if (name !== best && !changes.explorable.includes(name)) expect(share).toBe(0);
            if (name === best) expect(share).toBeGreaterThanOrEqual(1 - changes.exploration - 1e-12);
            if (name === action) expect(share).toBeGreaterThan(0);
          });
        },
      ),
    );
  });

  test('explores as SquareCB says, with the floor', () => {
    const { propensities, scores } = choose(
      request({ explorable: ACTIONS, exploration: 1, gamma: 4, floor: 0 }),
    );
    const [a, b, top] = scores;
    expect(propensities[0]).toBeCloseTo(1 / (3 + 4 * ((top ?? 0) - (a ?? 0))), 14);
    expect(propensities[1]).toBeCloseTo(1 / (3 + 4 * ((top ?? 0) - (b ?? 0))), 14);
    const floored = choose(request({ explorable: ACTIONS, exploration: 0.5, gamma: 1e9, floor: 0.1 }));
    expect(floored.propensities).toEqual([0.05, 0.05, 0.9]);
  });

  test('chooses as often as the propensities say', () => {
    const { uniform } = randomStream(2);
    const counts = new Map<string, number>();
    const settings = request({ explorable: ACTIONS, exploration: 1, gamma: 1 });
    const once = choose(settings);
    for (let draw = 0; draw < 5000; draw += 1) {
      const { action } = choose(
        request({ explorable: ACTIONS, exploration: 1, gamma: 1, seedUniform: uniform() }),
      );
      counts.set(action, (counts.get(action) ?? 0) + 1);
    }
    ACTIONS.forEach((action, index) => {
      expect(Math.abs((counts.get(action) ?? 0) / 5000 - (once.propensities[index] ?? 0))).toBeLessThan(0.03);
    });
  });

  test.each([
    [{ permitted: [] }, 'No action is permitted'],
    [{ permitted: ['deny'] }, "'deny' is not among the actions"],
    [{ explorable: ['deny'] }, "'deny' is not among the actions"],
    [{ exploration: 1.2 }, 'between 0 and 1'],
    [{ seedUniform: 1 }, 'lies in [0, 1)'],
    [{ actions: [newActionModel('a', 3), newActionModel('a', 3)], permitted: ['a'] }, 'same name'],
  ])('refuses %j', (changes, message) => {
    expect(() => choose(request(changes))).toThrow(message);
  });
});

describe('judging another policy on logged rounds', () => {
  /** Rewards 0.2 and 0.7; logged with propensities 0.6 and 0.4. */
  function log(n: number, target: readonly number[], seed = 3): LoggedRound[] {
    const { uniform } = randomStream(seed);
    return Array.from({ length: n }, () => {
      const action = uniform() < 0.6 ? 0 : 1;
      return { action, reward: uniform() < (action === 0 ? 0.2 : 0.7) ? 1 : 0, logged: [0.6, 0.4], target };
    });
  }

  test('finds the value that the policy would have had, within its interval', () => {
    const value = evaluatePolicy(log(4000, [0.1, 0.9]));
    for (const estimate of [value.ips, value.snips]) {
      if (estimate.value === null) throw new Error('no estimate');
      expect(estimate.low).toBeLessThan(0.65);
      expect(estimate.high).toBeGreaterThan(0.65);
      expect(estimate.high - estimate.low).toBeLessThan(0.08);
    }
    if (value.meanWeight.value === null) throw new Error('no estimate');
    expect(value.meanWeight.low).toBeLessThan(1);
    expect(value.meanWeight.high).toBeGreaterThan(1);
    expect(value.effectiveSampleSize).toBeLessThan(4000);
    expect(value.largestWeight).toBeCloseTo(2.25, 12);
  });

  test('is the plain mean for the policy that was logged', () => {
    const rounds = log(500, [0.6, 0.4]);
    const mean = rounds.reduce((sum, { reward }) => sum + reward, 0) / 500;
    const value = evaluatePolicy(rounds);
    expect(value.ips.value).toBeCloseTo(mean, 13);
    expect(value.snips.value).toBeCloseTo(mean, 13);
    expect(value.effectiveSampleSize).toBeCloseTo(500, 9);
  });

  test('is refused without support, without rounds, and without agreement', () => {
    const certain: LoggedRound = { action: 0, reward: 1, logged: [1, 0], target: [0.5, 0.5] };
    const refused = evaluatePolicy([certain, certain]);
    expect(refused).toMatchObject({ unsupportedRounds: 2, ips: { value: null }, snips: { value: null } });
    expect(refused.ips.value === null ? refused.ips.reason : '').toContain('2 of 2 rounds');
    expect(evaluatePolicy([])).toMatchObject({
      ips: { value: null },
      effectiveSampleSize: 0,
      lowPropensityShare: 0,
    });
    const never: LoggedRound = { action: 0, reward: 1, logged: [0.005, 0.995], target: [0, 1] };
    expect(evaluatePolicy([never, never])).toMatchObject({ snips: { value: null }, lowPropensityShare: 1 });
  });

  test.each<Partial<LoggedRound>>([
    { action: 2 },
    { logged: [0, 1] },
    { target: [1.5, 0] },
    { reward: Number.NaN },
    { target: [1] },
  ])('refuses a round with %j', (changes) => {
    const round: LoggedRound = { action: 0, reward: 1, logged: [0.5, 0.5], target: [0.5, 0.5] };
    expect(() => evaluatePolicy([round, { ...round, ...changes }])).toThrow(AnalysisInputError);
  });
});
