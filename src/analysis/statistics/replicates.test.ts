import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { drawBinomial } from './binomial.js';
import { bootstrapStatistics } from './bootstrap.js';
import { chiSquareTail, twoSidedZ } from './distributions.js';
import { logGamma } from './gamma.js';
import { katzRatio, newcombe } from './proportions.js';
import { randomStream } from './random.js';
import { scoreDifference, scoreRatio } from './score-intervals.js';
import { benjaminiHochberg } from './tests.js';
import { kolmogorovSmirnovTest, kolmogorovTail, sampleDistance } from './two-samples.js';

describe('binomial draws', () => {
  const mass = (k: number, n: number, p: number): number =>
    Math.exp(
      logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log1p(-p),
    );

  test.each([
    [40, 0.05],
    [40, 0.4],
    [300, 0.97],
    [5000, 0.01],
    [100_000, 0.3],
  ])('of %i with chance %f follow the distribution', (n, p) => {
    const { uniform } = randomStream(n);
    const draws = 40_000;
    const middle = n * p;
    const spread = Math.sqrt(n * p * (1 - p));
    // Bins of about half a standard deviation, the outermost open.
    const binOf = (k: number): number => Math.max(-6, Math.min(6, Math.round((k - middle) / (spread / 2))));
    const seen = new Map<number, number>();
    for (let draw = 0; draw < draws; draw += 1) {
      const bin = binOf(drawBinomial(uniform, n, p));
      seen.set(bin, (seen.get(bin) ?? 0) + 1);
    }
    const expected = new Map<number, number>();
    const [from, to] = [
      Math.max(0, Math.floor(middle - 12 * spread)),
      Math.min(n, Math.ceil(middle + 12 * spread)),
    ];
    for (let k = from; k <= to; k += 1)
      expected.set(binOf(k), (expected.get(binOf(k)) ?? 0) + mass(k, n, p) * draws);
    let statistic = 0;
    for (const [bin, count] of expected) statistic += ((seen.get(bin) ?? 0) - count) ** 2 / count;
    expect(chiSquareTail(statistic, expected.size - 1)).toBeGreaterThan(1e-4);
  });

  test('are certain at chances of 0 and 1, and never outside 0 to n', () => {
    const { uniform } = randomStream(1);
    expect([drawBinomial(uniform, 9, 0), drawBinomial(uniform, 9, 1), drawBinomial(uniform, 0, 0.5)]).toEqual(
      [0, 9, 0],
    );
    for (let draw = 0; draw < 2000; draw += 1) {
      const drawn = drawBinomial(uniform, 25, 0.5);
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn <= 25).toBe(true);
    }
  });
});

describe('several statistics of one bootstrap', () => {
  test('have the intervals that theory gives, and null where most replicates leave them undefined', () => {
    const evaluate = (cells: Float64Array, out: Float64Array): void => {
      out[0] = (cells[0] ?? 0) / 1000 - (cells[2] ?? 0) / 500;
      out[1] = Number.NaN;
    };
    const groups = [
      [400, 600],
      [150, 350],
    ];
    const [interval, missing] = bootstrapStatistics(groups, { count: 2, evaluate }, randomStream(5));
    const theory = newcombe({ successes: 400, n: 1000 }, { successes: 150, n: 500 });
    if (theory.value === null) throw new Error('no theory');
    expect(interval?.low).toBeCloseTo(theory.low, 2);
    expect(interval?.high).toBeCloseTo(theory.high, 2);
    expect(interval?.replicates).toBe(2000);
    expect(missing).toBeNull();
  });
});

describe('intervals of Miettinen and Nurminen', () => {
  /** Score by maximising the constrained likelihood numerically: slow, and nothing in common with the formula. */
  const scoreByHand = (
    x1: number,
    n1: number,
    x2: number,
    n2: number,
    first: (p: number) => number,
  ): number => {
    const like = (p: number): number => {
      const q = first(p);
      if (q < 0 || q > 1) return Number.NEGATIVE_INFINITY;
      const part = (x: number, n: number, share: number): number =>
        (x > 0 ? x * Math.log(share) : 0) + (n > x ? (n - x) * Math.log(1 - share) : 0);
      return part(x1, n1, q) + part(x2, n2, p);
    };
    const grid = Array.from({ length: 20_001 }, (_, at) => at / 20_000);
    let best = grid.reduce((top, p) => (like(p) > like(top) ? p : top), 0.5);
    for (let step = 1e-5; step > 1e-13; step /= 2) {
      for (const p of [best - step, best + step]) if (p > 0 && p < 1 && like(p) > like(best)) best = p;
    }
    return best;
  };

  test('of a difference: a known case, and the score at the bound is z', () => {
    const known = scoreDifference({ successes: 56, n: 70 }, { successes: 48, n: 80 });
    expect(known).toMatchObject({ value: 56 / 70 - 48 / 80, n: 150 });
    if (known.value === null) throw new Error('no interval');
    // Newcombe (1998), method 6.
    expect(known.low).toBeCloseTo(0.0528, 4);
    expect(known.high).toBeCloseTo(0.3382, 4);
    for (const [x1, n1, x2, n2] of [
      [5, 56, 0, 29],
      [9, 10, 3, 10],
    ] as const) {
      const interval = scoreDifference({ successes: x1, n: n1 }, { successes: x2, n: n2 });
      if (interval.value === null) throw new Error('no interval');
      for (const bound of [interval.low, interval.high]) {
        const p2 = scoreByHand(x1, n1, x2, n2, (p) => p + bound);
        const [q1, q2] = [p2 + bound, p2];
        const variance = ((q1 * (1 - q1)) / n1 + (q2 * (1 - q2)) / n2) * ((n1 + n2) / (n1 + n2 - 1));
        expect(Math.abs(interval.value - bound) / Math.sqrt(variance)).toBeCloseTo(twoSidedZ(0.95), 4);
      }
    }
  });

  test('of a ratio: the score at the bound is z, also with a count of zero', () => {
    const interval = scoreRatio({ successes: 12, n: 60 }, { successes: 25, n: 70 });
    if (interval.value === null) throw new Error('no interval');
    for (const bound of [interval.low, interval.high]) {
      const p2 = scoreByHand(12, 60, 25, 70, (p) => p * bound);
      const p1 = p2 * bound;
      const variance = ((p1 * (1 - p1)) / 60 + (bound ** 2 * p2 * (1 - p2)) / 70) * (130 / 129);
      expect(Math.abs(12 / 60 - (bound * 25) / 70) / Math.sqrt(variance)).toBeCloseTo(twoSidedZ(0.95), 4);
    }
    const zero = scoreRatio({ successes: 0, n: 40 }, { successes: 20, n: 40 });
    expect(zero).toMatchObject({ value: 0, low: 0 });
    expect(zero.value === null ? 0 : zero.high).toBeGreaterThan(0.05);
    expect(scoreRatio({ successes: 1, n: 4 }, { successes: 0, n: 4 })).toMatchObject({ value: null });
    expect(scoreDifference({ successes: 0, n: 0 }, { successes: 1, n: 4 })).toMatchObject({ value: null });
    const full = katzRatio({ successes: 50, n: 50 }, { successes: 60, n: 60 });
    if (full.value === null) throw new Error('no ratio');
    expect(full.low).toBeLessThan(0.96);
    expect(full.high).toBeGreaterThan(1.03);
    expect(scoreRatio({ successes: 1, n: 1 }, { successes: 1, n: 1 })).toMatchObject({ value: 1 });
  });
});

describe('two samples', () => {
  test('are compared by their distribution functions', () => {
    expect(sampleDistance(Float64Array.of(0, 1, 3), Float64Array.of(5, 6, 8))).toEqual({
      kolmogorovSmirnov: 1,
      wasserstein: 5,
    });
    expect(sampleDistance(Float64Array.of(1, 1), Float64Array.of(1))).toEqual({
      kolmogorovSmirnov: 0,
      wasserstein: 0,
    });
    expect(sampleDistance(Float64Array.of(), Float64Array.of(1))).toBeNull();
    expect(() => sampleDistance(Float64Array.of(Infinity), Float64Array.of(1))).toThrow(AnalysisInputError);
    expect(() => sampleDistance(Float64Array.of(NaN), Float64Array.of(1))).toThrow('not finite');
  });

  test('the tail of Kolmogorov is the same from both series', () => {
    expect(kolmogorovTail(0)).toBe(1);
    expect(kolmogorovTail(1 - 1e-9)).toBeCloseTo(kolmogorovTail(1), 8);
    expect(kolmogorovTail(1.358)).toBeCloseTo(0.05, 3);
    expect(kolmogorovSmirnovTest(0.5, 0, 3)).toMatchObject({ method: null });
    expect(kolmogorovSmirnovTest(0.5, 20, 20)).toMatchObject({
      method: 'kolmogorov-smirnov',
      statistic: 0.5,
    });
  });
});

test('the false discovery adjustment steps up', () => {
  const adjusted = benjaminiHochberg([0.01, 0.04, 0.03, 0.005]);
  [0.02, 0.04, 0.04, 0.02].forEach((value, index) => {
    expect(adjusted[index]).toBeCloseTo(value, 14);
  });
  expect(benjaminiHochberg([])).toEqual([]);
});
