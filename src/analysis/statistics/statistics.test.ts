import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { bootstrapCounts, quantileOf, resampleCounts } from './bootstrap.js';
import {
  betaCdf,
  betaQuantile,
  chiSquareQuantile,
  chiSquareTail,
  hypergeometric,
  normalCdf,
  normalQuantile,
  twoSidedZ,
} from './distributions.js';
import { erf, erfc, gammaTail, logGamma } from './gamma.js';
import { compareProportions, fisherExact, katzRatio, newcombe, wilson } from './proportions.js';
import { randomStream } from './random.js';
import { holm, homogeneity } from './tests.js';

const close = (actual: number, wanted: number, relative = 1e-12): void => {
  expect(Math.abs(actual - wanted)).toBeLessThanOrEqual(relative * Math.max(Math.abs(wanted), 1e-300));
};

describe('special functions', () => {
  test('agree with tabulated values', () => {
    close(erf(0.5), 0.5204998778130465);
    close(erf(-2), -0.9953222650189527);
    close(erfc(0.3), 0.6713732405408726);
    close(erfc(5), 1.5374597944280349e-12, 1e-11);
    close(logGamma(0.5), Math.log(Math.sqrt(Math.PI)));
    close(logGamma(11), Math.log(3628800));
    close(logGamma(0.1), 2.252712651734206);
    expect(erf(0)).toBe(0);
    expect(gammaTail(2, 0)).toBe(1);
    close(gammaTail(1, 3), Math.exp(-3));
    close(gammaTail(3, 0.5), Math.exp(-0.5) * (1 + 0.5 + 0.125));
  });

  test('give the quantiles that every table lists', () => {
    close(normalQuantile(0.975), 1.959963984540054);
    close(normalQuantile(0.001), -3.090232306167813);
    close(normalQuantile(1e-12), -7.034483825301131, 1e-10);
    close(twoSidedZ(0.99), 2.5758293035489004);
    close(chiSquareTail(3.841458820694124, 1), 0.05);
    close(chiSquareTail(20, 10), 0.029252688076961, 1e-11);
    close(chiSquareQuantile(0.95, 4), 9.487729036781154, 1e-10);
    close(betaCdf(0.3, 2, 5), 0.579825, 1e-12);
    close(betaCdf(0.9, 2, 5), 0.999945, 1e-12);
    close(betaQuantile(0.5, 3, 3), 0.5);
    close(betaQuantile(0.025, 8, 4), 0.3902574404275787, 1e-10);
    expect([normalQuantile(0), normalQuantile(1)]).toEqual([
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(normalQuantile(2)).toBeNaN();
    expect([betaCdf(0, 1, 1), betaCdf(1, 1, 1)]).toEqual([0, 1]);
  });

  test('quantiles invert their distributions', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (p, a, b) => {
          expect(normalCdf(normalQuantile(p))).toBeCloseTo(p, 12);
          expect(betaCdf(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 9);
        },
      ),
    );
  });

  test('the hypergeometric chances are those of counting, and sum to one', () => {
    close(hypergeometric(1, 2, 2, 4), 4 / 6);
    expect(hypergeometric(3, 2, 2, 4)).toBe(0);
    const sum = Array.from({ length: 21 }, (_, k) => hypergeometric(k, 20, 35, 90)).reduce(
      (a, b) => a + b,
      0,
    );
    expect(sum).toBeCloseTo(1, 11);
  });
});

describe('shares', () => {
  test('carry Wilson intervals, exact at nothing and all', () => {
    const estimate = wilson({ successes: 15, n: 20 });
    expect(estimate).toMatchObject({ value: 0.75, n: 20 });
    if (estimate.value === null) throw new Error('no estimate');
    close(estimate.low, 0.531299122381256, 1e-12);
    close(estimate.high, 0.8881382985923343, 1e-12);
    expect(wilson({ successes: 0, n: 10 })).toMatchObject({ value: 0, low: 0 });
    expect(wilson({ successes: 10, n: 10 })).toMatchObject({ value: 1, high: 1 });
    expect(wilson({ successes: 0, n: 0 })).toEqual({ value: null, n: 0, reason: 'No rows to count.' });
  });

  test('differ with the interval of Newcombe’s published example (56/70 against 48/80)', () => {
    const difference = newcombe({ successes: 56, n: 70 }, { successes: 48, n: 80 });
    if (difference.value === null) throw new Error('no estimate');
    close(difference.value, 0.2);
    expect(difference.low).toBeCloseTo(0.0524, 4);
    expect(difference.high).toBeCloseTo(0.3339, 4);
    expect(newcombe({ successes: 0, n: 0 }, { successes: 1, n: 2 }).value).toBeNull();
  });

  test('have no ratio to zero, and an open lower end below zero successes', () => {
    expect(katzRatio({ successes: 3, n: 9 }, { successes: 0, n: 9 })).toMatchObject({ value: null });
    expect(katzRatio({ successes: 3, n: 9 }, { successes: 0, n: 0 })).toMatchObject({ value: null });
    const none = katzRatio({ successes: 0, n: 40 }, { successes: 10, n: 40 });
    expect(none).toMatchObject({ value: 0, low: 0 });
    expect(none.value === null ? 1 : none.high).toBeGreaterThan(0.1);
  });

  test('are compared by the exact test where a cell is expected below five', () => {
    expect(fisherExact({ successes: 3, n: 4 }, { successes: 1, n: 4 })).toBeCloseTo(0.4857142857, 10);
    expect(compareProportions({ successes: 3, n: 4 }, { successes: 1, n: 4 })).toMatchObject({
      method: 'fisher-exact',
    });
    expect(fisherExact({ successes: 1, n: 10 }, { successes: 11, n: 14 })).toBeCloseTo(0.0027594562, 9);
    expect(compareProportions({ successes: 0, n: 0 }, { successes: 1, n: 4 })).toMatchObject({
      method: null,
    });
    const z = compareProportions({ successes: 56, n: 70 }, { successes: 48, n: 80 });
    expect(z).toMatchObject({ method: 'two-proportion-z' });
    expect(z.method === null ? null : z.statistic).toBeCloseTo(2.6501719512585336, 12);
  });

  test('are tested together, and corrected for being many', () => {
    const test = homogeneity([
      { successes: 10, n: 100 },
      { successes: 20, n: 100 },
      { successes: 30, n: 100 },
    ]);
    expect(test).toMatchObject({ method: 'chi-square' });
    if (test.method !== null) {
      expect(test.statistic).toBeCloseTo(12.5, 10);
      expect(test.pValue).toBeCloseTo(Math.exp(-6.25), 12);
    }
    expect(
      homogeneity([
        { successes: 1, n: 9 },
        { successes: 0, n: 0 },
      ]),
    ).toMatchObject({ method: null });
    expect(
      homogeneity([
        { successes: 9, n: 9 },
        { successes: 3, n: 3 },
      ]),
    ).toMatchObject({ method: null });
    expect(holm([0.01, 0.04, 0.03, 0.5])).toEqual([0.04, 0.09, 0.09, 0.5]);
    expect(holm([])).toEqual([]);
  });
});

describe('random streams', () => {
  test('repeat with the seed and differ without', () => {
    const draws = (seed: number): number[] => Array.from({ length: 5 }, randomStream(seed).uniform);
    expect(draws(7)).toEqual(draws(7));
    expect(draws(7)).not.toEqual(draws(8));
    expect(draws(7).every((value) => value >= 0 && value < 1)).toBe(true);
  });

  test('draw binomial counts with the right mean and variance, for few and many trials', () => {
    for (const [n, p] of [
      [10, 0.3],
      [500, 0.07],
      [40_000, 0.93],
    ] as const) {
      const stream = randomStream(n);
      const draws = Array.from({ length: 4000 }, () => stream.binomial(n, p));
      const mean = draws.reduce((a, b) => a + b, 0) / draws.length;
      const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
      expect(Math.abs(mean - n * p)).toBeLessThan(5 * Math.sqrt((n * p * (1 - p)) / draws.length));
      expect(variance / (n * p * (1 - p))).toBeGreaterThan(0.88);
      expect(variance / (n * p * (1 - p))).toBeLessThan(1.12);
    }
    expect([randomStream(1).binomial(100, 0), randomStream(1).binomial(100, 1)]).toEqual([0, 100]);
  });

  test('resample counts without changing their total', () => {
    const stream = randomStream(3);
    for (let round = 0; round < 50; round += 1) {
      const drawn = resampleCounts([5, 0, 120, 33], stream);
      expect(drawn.reduce((a, b) => a + b, 0)).toBe(158);
      expect(drawn[1]).toBe(0);
    }
  });

  test('give bootstrap intervals near the analytic ones', () => {
    const share = (groups: readonly (readonly number[])[]): number => (groups[0]?.[0] ?? 0) / 1000;
    const interval = bootstrapCounts([[300, 700]], share, randomStream(5));
    const exact = wilson({ successes: 300, n: 1000 });
    if (interval === null || exact.value === null) throw new Error('no interval');
    expect(interval.low).toBeCloseTo(exact.low, 2);
    expect(interval.high).toBeCloseTo(exact.high, 2);
    expect(Math.abs(interval.bias)).toBeLessThan(0.002);
    expect(bootstrapCounts([[0, 1]], () => null, randomStream(1))).toBeNull();
    let calls = 0;
    expect(
      bootstrapCounts([[1]], () => (calls++ === 0 ? 1 : null), randomStream(1), { replicates: 20 }),
    ).toBeNull();
    expect(quantileOf([1, 2, 3, 4], 0.5)).toBe(2.5);
  });
});
