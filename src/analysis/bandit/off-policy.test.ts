import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import type { Estimate } from '../statistics/estimate.js';
import { randomStream } from '../statistics/random.js';
import { evaluatePolicy } from './evaluate-policy.js';
import type { LoggedRound } from './logged-rounds.js';
import { empiricalBernstein } from './lower-bound.js';
import { promotionVerdict } from './promotion.js';
import { crossFitRewards, type RewardRound } from './reward-model.js';

/** Rewards depend on context and action; the policy under evaluation prefers what is right for the context. */
function log(n: number, seed: number): { rounds: LoggedRound[]; seen: RewardRound[]; truth: number } {
  const { uniform } = randomStream(seed);
  const rounds: LoggedRound[] = [];
  const seen: RewardRound[] = [];
  let truth = 0;
  for (let round = 0; round < n; round += 1) {
    const x = uniform();
    const chances = [0.2 + 0.5 * x, 0.6 - 0.3 * x, 0.4];
    const target = x > 0.5 ? [0.8, 0.1, 0.1] : [0.1, 0.8, 0.1];
    const logged = [0.2, 0.3, 0.5];
    const draw = uniform();
    const action = draw < 0.2 ? 0 : draw < 0.5 ? 1 : 2;
    const reward = uniform() < (chances[action] ?? 0) ? 1 : 0;
    truth += target.reduce((sum, share, index) => sum + share * (chances[index] ?? 0), 0) / n;
    rounds.push({ action, reward, logged, target });
    seen.push({ context: Float64Array.of(1, x), action, reward });
  }
  return { rounds, seen, truth };
}

const modelled = (n: number, seed: number): { rounds: LoggedRound[]; truth: number } => {
  const { rounds, seen, truth } = log(n, seed);
  const predicted = crossFitRewards(seen, { actions: 3 });
  return { rounds: rounds.map((round, index) => ({ ...round, predicted: predicted[index] ?? [] })), truth };
};

describe('estimators of another policy', () => {
  const { rounds, truth } = modelled(6000, 11);
  const value = evaluatePolicy(rounds, { rewardRange: [0, 1] });
  const weights = rounds.map(({ action, logged, target }) => (target[action] ?? 0) / (logged[action] ?? 0));
  const mean = (of: (round: LoggedRound, index: number) => number): number =>
    rounds.reduce((sum, round, index) => sum + of(round, index), 0) / rounds.length;
  const base = ({ target, predicted = [] }: LoggedRound): number =>
    target.reduce((sum, share, index) => sum + share * (predicted[index] ?? 0), 0);
  const residual = ({ action, reward, predicted = [] }: LoggedRound): number =>
    reward - (predicted[action] ?? 0);

  test('are their formulas', () => {
    const w = (index: number): number => weights[index] ?? 0;
    expect(value.ips.value).toBeCloseTo(
      mean(({ reward }, i) => w(i) * reward),
      13,
    );
    expect(value.snips.value).toBeCloseTo(mean(({ reward }, i) => w(i) * reward) / mean((_, i) => w(i)), 13);
    expect(value.directMethod.value).toBeCloseTo(mean(base), 13);
    expect(value.doublyRobust.value).toBeCloseTo(
      mean((round, i) => base(round) + w(i) * residual(round)),
      13,
    );
    const correction = mean((round, i) => w(i) * residual(round)) / mean((_, i) => w(i));
    expect(value.selfNormalisedDoublyRobust.value).toBeCloseTo(mean(base) + correction, 13);
    const fixed = evaluatePolicy(rounds, { clip: 1.5, switchAt: 2, shrinkage: 3 });
    expect(fixed.clippedIps.estimate.value).toBeCloseTo(
      mean(({ reward }, i) => Math.min(1.5, w(i)) * reward),
      13,
    );
    const switched = mean((round, i) => base(round) + (w(i) <= 2 ? w(i) : 0) * residual(round));
    expect(fixed.switchDoublyRobust).toMatchObject({ lambda: 2 });
    expect(fixed.switchDoublyRobust.estimate.value).toBeCloseTo(switched, 13);
    const shrunk = mean((round, i) => base(round) + ((3 * w(i)) / (w(i) ** 2 + 3)) * residual(round));
    expect(fixed.shrunkDoublyRobust.estimate.value).toBeCloseTo(shrunk, 13);
  });

  test('are narrower with a model, and near the truth where they are tuned', () => {
    const width = (estimate: Estimate): number =>
      estimate.value === null ? NaN : estimate.high - estimate.low;
    expect(width(value.doublyRobust)).toBeLessThan(width(value.ips));
    for (const { estimate } of [value.clippedIps, value.switchDoublyRobust, value.shrunkDoublyRobust]) {
      expect(Math.abs((estimate.value ?? NaN) - truth)).toBeLessThan(0.04);
    }
    expect(value.isMeanWeightOne).toBe(true);
  });

  test('have intervals that hold in about 95 of 100 logs', () => {
    // Mean over x of what the policy earns: (0.5375 + 0.4925) / 2.
    const expected = 0.515;
    const held = { ips: 0, snips: 0, doublyRobust: 0, selfNormalisedDoublyRobust: 0 };
    const names = ['ips', 'snips', 'doublyRobust', 'selfNormalisedDoublyRobust'] as const;
    for (let seed = 100; seed < 300; seed += 1) {
      const one = evaluatePolicy(modelled(400, seed).rounds);
      for (const name of names) {
        const own = one[name];
        if (own.value !== null && own.low <= expected && expected <= own.high) held[name] += 1;
      }
    }
    for (const name of names) expect(held[name]).toBeGreaterThanOrEqual(180);
  });

  test('have lower bounds below the estimates, and above nothing without a range', () => {
    const { ips, doublyRobust, loggedUpper } = value.bounds;
    expect(ips.value).toBeLessThan(truth);
    expect(doublyRobust.value).toBeLessThan(truth);
    expect(loggedUpper.value).toBeGreaterThan(value.logged.value ?? NaN);
    expect(evaluatePolicy(rounds).bounds.ips).toMatchObject({
      value: null,
      reason: 'The range of the rewards is not given.',
    });
    expect(evaluatePolicy(rounds, { rewardRange: [0, 0.5] }).bounds.ips).toMatchObject({
      reason: 'A reward lies outside the range.',
    });
    expect(evaluatePolicy(rounds, { rewardRange: [0, 1], mostWeight: 1 }).bounds.ips).toMatchObject({
      value: null,
    });
    const values = Float64Array.of(0, 1, 1, 0);
    const log2 = Math.log(2 / 0.1);
    expect(empiricalBernstein(values, 1, 0.1)).toBeCloseTo(
      0.5 - Math.sqrt((2 * (1 / 3) * log2) / 4) - (7 * log2) / 9,
      13,
    );
  });

  test('say why there is none: no model, no support, no rounds', () => {
    const { rounds: plain } = log(50, 1);
    const without = evaluatePolicy(plain);
    expect(without.doublyRobust).toMatchObject({ value: null, reason: 'No model predicts the rewards.' });
    expect(without.switchDoublyRobust).toMatchObject({ lambda: null });
    const certain = { action: 0, reward: 1, logged: [1, 0], target: [0.5, 0.5], predicted: [1, 0] };
    const refused = evaluatePolicy([certain, certain], { rewardRange: [0, 1] });
    expect(refused).toMatchObject({
      ips: { value: null },
      doublyRobust: { value: null },
      directMethod: { value: 0.5 },
    });
    expect(refused.bounds.ips).toMatchObject({ value: null });
    expect(evaluatePolicy([])).toMatchObject({ n: 0, directMethod: { value: null }, isMeanWeightOne: null });
  });

  test.each([
    { clip: 0 },
    { delta: 1 },
    { confidence: 0 },
    { rewardRange: [1, 0] as const },
    { shrinkage: -1 },
  ])('refuse %j', (options) => {
    expect(() => evaluatePolicy(rounds.slice(0, 3), options)).toThrow(AnalysisInputError);
  });

  test('refuse rounds whose propensities are no distribution, or whose predictions do not fit', () => {
    const round = { action: 0, reward: 1, logged: [0.5, 0.5], target: [0.5, 0.5] };
    expect(() => evaluatePolicy([{ ...round, logged: [0.5, 0.6] }])).toThrow('no distribution');
    expect(() => evaluatePolicy([{ ...round, predicted: [1] }])).toThrow('one finite predicted reward');
  });
});

describe('the reward model', () => {
  test('predicts each round without it', () => {
    const seen = log(40, 5).seen;
    const changed = seen.map((round, index) => (index === 7 ? { ...round, reward: 100 } : round));
    const [before, after] = [crossFitRewards(seen, { actions: 3 }), crossFitRewards(changed, { actions: 3 })];
    expect(after[7]).toEqual(before[7]);
    expect(after[8]).not.toEqual(before[8]);
    expect(crossFitRewards([], { actions: 2 })).toEqual([]);
  });

  test('refuses what it cannot learn from', () => {
    const round = { context: Float64Array.of(1), action: 0, reward: 1 };
    expect(() => crossFitRewards([{ ...round, action: 3 }], { actions: 2 })).toThrow(
      'action that there is not',
    );
    expect(() =>
      crossFitRewards([round, { ...round, context: Float64Array.of(1, 2) }], { actions: 2 }),
    ).toThrow('differ in length');
    expect(() => crossFitRewards([{ ...round, reward: NaN }], { actions: 2 })).toThrow(AnalysisInputError);
    expect(() => crossFitRewards([round], { actions: 1, folds: 1 })).toThrow('two folds');
  });
});

describe('promotion', () => {
  /** A policy that always earns, beside one that rarely did. */
  const clear = (n: number, target: readonly number[]): LoggedRound[] =>
    Array.from({ length: n }, (_, index) => ({
      action: index % 2,
      reward: index % 2,
      logged: [0.5, 0.5],
      target,
      predicted: [0, 1],
    }));

  test('needs a lower bound above what was logged, overall and in every group', () => {
    const better = evaluatePolicy(clear(4000, [0.05, 0.95]), { rewardRange: [0, 1] });
    const worse = evaluatePolicy(clear(4000, [0.95, 0.05]), { rewardRange: [0, 1] });
    expect(promotionVerdict(better, [{ group: 'a', value: better }], 100)).toEqual({
      isAllowed: true,
      reasons: [],
    });
    const verdict = promotionVerdict(better, [{ group: 'b', value: worse }], 100);
    expect(verdict.isAllowed).toBe(false);
    expect(verdict.reasons[0]).toContain('b: the lower bound');
    expect(promotionVerdict(better, [{ group: 'b', value: worse }], 5000).isAllowed).toBe(true);
    const unbound = evaluatePolicy(clear(10, [0, 1]));
    expect(promotionVerdict(unbound, [], 1).reasons[0]).toContain('range of the rewards');
  });
});
