import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { chiSquareQuantile } from '../statistics/distributions.js';
import { randomStream } from '../statistics/random.js';
import { quantileEdges, topCategories, type DriftCounts, type NumericBins } from './baseline.js';
import { columnDrift } from './column-drift.js';
import { categoricalCounter, mergeCounts, numericCounter, rowsOf } from './counts.js';
import { chiSquareTwoSamples, hellinger, jensenShannon, populationStability } from './distances.js';
import { kolmogorovOnBins, kolmogorovSmirnov } from './kolmogorov.js';
import { wasserstein, wassersteinOnBins } from './wasserstein.js';

const counted = (bins: NumericBins, values: Iterable<number>): DriftCounts => {
  const counter = numericCounter(bins);
  counter.add(Float64Array.from(values));
  return counter.counts();
};

const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('a frozen baseline', () => {
  test('has edges at reference quantiles, and open ends that hold nothing of the reference', () => {
    const values = Float64Array.from({ length: 100 }, (_, row) => row + 1);
    const bins = quantileEdges(values, 4);

    expect(bins.edges.slice(1)).toEqual([25, 50, 75, 100]);
    expect(bins.edges[0]).toBeLessThan(1);
    expect(counted(bins, values).bins).toEqual([0, 25, 25, 25, 25, 0]);
    expect(counted(bins, [0.999, 101, Number.NaN])).toMatchObject({ bins: [1, 0, 0, 0, 0, 1], missing: 1 });
  });

  test('gives a value that fills several quantiles a bin of its own, so that leaving it either way shows', () => {
    const bins = quantileEdges(new Float64Array(50).fill(7), 10);

    expect(counted(bins, [6.999, 7, 7.001]).bins).toEqual([1, 1, 1]);
  });

  test('puts every number into exactly one bin, the same as a plain search', () => {
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 2, max: 60 }), (reference, current, size) => {
        const bins = quantileEdges(Float64Array.from(reference), size);
        const wanted = new Array<number>(bins.edges.length + 1).fill(0);
        for (const value of current) {
          const place = bins.edges.filter((edge) => edge < value).length;
          wanted[place] = (wanted[place] ?? 0) + 1;
        }
        expect(counted(bins, current).bins).toEqual(wanted);
      }),
    );
  });

  test('keeps the most frequent names; others and missing ones have a place of their own', () => {
    const { categories } = topCategories(
      new Map([
        ['b', 3],
        ['a', 3],
        ['c', 9],
        ['d', 1],
      ]),
      3,
    );
    expect(categories).toEqual(['c', 'a', 'b']);
    const counter = categoricalCounter(categories);
    for (const name of ['c', 'd', 'e', null, 'a']) counter.add(name);
    expect(counter.counts()).toMatchObject({ bins: [1, 1, 0, 2], missing: 1 });
  });

  test('counts of parts add up to those of the whole, in any order', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (reference, one, other) => {
        const bins = quantileEdges(Float64Array.from(reference), 10);
        const parts = [counted(bins, one), counted(bins, other)];
        const whole = counted(bins, [...one, ...other]);
        expect(mergeCounts(bins, parts)).toEqual(whole);
        expect(mergeCounts(bins, parts.toReversed())).toEqual(whole);
        expect(rowsOf(whole)).toBe(one.length + other.length);
      }),
    );
  });

  test.each([
    ['no finite value', () => quantileEdges(Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY))],
    ['one bin', () => quantileEdges(Float64Array.of(1), 1)],
    [
      'counts of other bins',
      () =>
        mergeCounts({ kind: 'NUMERIC', edges: [1] }, [
          { bins: [1], missing: 0, infinite: 0, low: null, high: null },
        ]),
    ],
    [
      'half a row',
      () =>
        mergeCounts({ kind: 'NUMERIC', edges: [1] }, [
          { bins: [0.5, 1], missing: 0, infinite: 0, low: null, high: null },
        ]),
    ],
  ])('%s is refused', (_, freeze) => {
    expect(freeze).toThrow(expect.objectContaining({ name: 'AnalysisInputError' }) as Error);
  });
});

describe('distances of counts', () => {
  test('are those of their formulas', () => {
    const [before, now] = [
      [50, 30, 20],
      [20, 30, 50],
    ];
    expect(hellinger(before, now).value).toBeCloseTo(
      Math.sqrt(((Math.sqrt(0.5) - Math.sqrt(0.2)) ** 2 * 2) / 2),
      14,
    );
    const js = 0.5 * Math.log(0.5 / 0.35) + 0.2 * Math.log(0.2 / 0.35);
    expect(jensenShannon(before, now).value).toBeCloseTo(Math.sqrt(js), 14);
    expect(jensenShannon(before, now, '2').value).toBeCloseTo(Math.sqrt(js / Math.LN2), 14);
    const [p, q] = [50.5 / 101.5, 20.5 / 101.5];
    expect(populationStability(before, now).value).toBeCloseTo(2 * (p - q) * Math.log(p / q), 14);
  });

  test('are zero for equal shares, at their largest for disjoint ones, and the same both ways', () => {
    expect(jensenShannon([1, 2], [10, 20]).value).toBeCloseTo(0, 12);
    expect(jensenShannon([5, 0], [0, 9], '2').value).toBeCloseTo(1, 14);
    expect(hellinger([5, 0], [0, 9]).value).toBeCloseTo(1, 14);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { minLength: 2, maxLength: 20 }),
        (pairs) => {
          const [a, b] = [pairs.map(([one]) => one), pairs.map(([, other]) => other)];
          fc.pre(a.some((n) => n > 0) && b.some((n) => n > 0));
          expect(jensenShannon(a, b).value).toBeCloseTo(jensenShannon(b, a).value ?? Number.NaN, 12);
          expect(hellinger(a, b).value).toBeLessThanOrEqual(1 + 1e-12);
          expect(populationStability(a, b).value).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });

  test('a sample without rows has no distance, and one row has one', () => {
    for (const distance of [jensenShannon, hellinger, populationStability]) {
      expect(distance([0, 0], [1, 2])).toMatchObject({ value: null, reason: expect.any(String) as string });
      expect(distance([1, 0], [0, 1]).value).toBeGreaterThan(0);
    }
    expect(chiSquareTwoSamples([3, 1], [1, 3], true)).toMatchObject({ method: null });
  });

  test('without drift, the threshold of the stability index is passed about as often as it says', () => {
    const stream = randomStream(11);
    const draw = (rows: number): number[] => {
      const counts = new Array<number>(10).fill(0);
      for (let row = 0; row < rows; row += 1) {
        const bin = Math.floor(stream.uniform() * 10);
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      return counts;
    };
    let passed = 0;
    for (let trial = 0; trial < 1000; trial += 1) {
      const psi = populationStability(draw(2000), draw(500));
      if (psi.value !== null && psi.value > psi.threshold) passed += 1;
    }
    expect(passed).toBeGreaterThan(25);
    expect(passed).toBeLessThan(80);
    const psi = populationStability(draw(2000), draw(500));
    expect(psi).toMatchObject({ threshold: chiSquareQuantile(0.95, 9) * (1 / 2000 + 1 / 500) });
  });

  test('the chi-square test joins bins that expect fewer than five rows', () => {
    const joined = chiSquareTwoSamples([40, 2, 1, 30, 27], [30, 1, 2, 40, 27], true);
    const plain = chiSquareTwoSamples([40, 33, 27], [30, 43, 27], true);
    expect(joined).toEqual(plain);
    expect(chiSquareTwoSamples([100, 3], [90, 4], true)).toMatchObject({ method: null });
  });
});

describe('distances of values', () => {
  test('Kolmogorov-Smirnov: ties count on both sides, small samples have exact p-values', () => {
    expect(kolmogorovSmirnov(Float64Array.of(1, 1, 2), Float64Array.of(1, 1, 2)).value).toBe(0);
    // All 20 orders of two samples of three are equally likely; two of them keep the samples apart.
    expect(kolmogorovSmirnov(Float64Array.of(1, 2, 3), Float64Array.of(4, 5, 6))).toMatchObject({
      value: 1,
      method: 'exact',
      pValue: expect.closeTo(0.1, 12) as number,
    });
    expect(kolmogorovSmirnov(Float64Array.of(), Float64Array.of(1)).value).toBeNull();
  });

  test('Wasserstein: the shift of a shifted sample, the work of moving one value', () => {
    const values = Float64Array.of(3, 1, 4, 1, 5);
    expect(
      wasserstein(
        values,
        values.map((x) => x + 2),
      ).value,
    ).toBeCloseTo(2, 14);
    expect(wasserstein(Float64Array.of(0, 0), Float64Array.of(0, 1)).value).toBeCloseTo(0.5, 14);
    expect(wasserstein(Float64Array.of(0), Float64Array.of(Number.POSITIVE_INFINITY)).value).toBeNull();
  });

  test('on frozen bins, the stated bounds hold the distance of the values', () => {
    fc.assert(
      fc.property(numbers, numbers, fc.integer({ min: 2, max: 20 }), (reference, current, size) => {
        const [a, b] = [Float64Array.from(reference), Float64Array.from(current)];
        const bins = quantileEdges(a, size);
        const [before, now] = [counted(bins, a), counted(bins, b)];
        const ks = kolmogorovOnBins(before.bins, now.bins);
        const exact = kolmogorovSmirnov(a, b).value ?? Number.NaN;
        if (ks.value === null) throw new Error('No statistic');
        expect(ks.value).toBeLessThanOrEqual(exact + 1e-12);
        expect(ks.high).toBeGreaterThanOrEqual(exact - 1e-12);
        const moved = wassersteinOnBins(bins, before, now);
        const work = wasserstein(a, b).value ?? Number.NaN;
        if (moved.value === null) throw new Error('No distance');
        const slack = 1e-9 * (1 + Math.abs(work));
        expect(moved.low).toBeLessThanOrEqual(work + slack);
        expect(moved.high).toBeGreaterThanOrEqual(work - slack);
        expect(moved.value).toBeGreaterThanOrEqual(moved.low - slack);
        expect(moved.value).toBeLessThanOrEqual(moved.high + slack);
      }),
    );
  });
});

describe('the drift of a column', () => {
  const stream = randomStream(5);
  const drawn = (shift: number, rows = 5000): Float64Array =>
    Float64Array.from({ length: rows }, () => stream.normal() + shift);
  const reference = drawn(0);
  const bins = quantileEdges(reference);

  test('grows with the shift, and stays within chance without one', () => {
    const before = counted(bins, reference);
    const still = columnDrift(bins, before, counted(bins, drawn(0)));
    const moved = columnDrift(bins, before, counted(bins, drawn(1)));

    expect(still.psi.value).toBeLessThan(0.02);
    expect(moved.psi.value).toBeGreaterThan(0.5);
    expect(moved.psi).toMatchObject({ pValue: expect.closeTo(0, 6) as number });
    expect(moved.wasserstein.value).toBeCloseTo(1, 0);
    expect(moved.kolmogorov.value).toBeGreaterThan(0.3);
    expect(moved.unseen).toBeGreaterThan(0);
  });

  test('infinite values are counted, out of range, and leave Wasserstein without a value', () => {
    const drift = columnDrift(bins, counted(bins, reference), counted(bins, [Number.POSITIVE_INFINITY, 0]));
    expect(drift).toMatchObject({ rows: 2, unseen: 1, wasserstein: { value: null } });
    expect(drift.kolmogorov.value).not.toBeNull();
  });

  test('rows that lose their value show, although the values that are left do not move', () => {
    const now = counted(bins, [...reference.slice(0, 2500), ...new Array<number>(2500).fill(Number.NaN)]);
    const drift = columnDrift(bins, counted(bins, reference), now);
    expect(drift.psi.value).toBeGreaterThan(1);
    expect(drift.missing).toBe(2500);
  });

  test('names have no order, so two measures do not apply', () => {
    const names = topCategories(
      new Map([
        ['a', 90],
        ['b', 10],
      ]),
    );
    const of = (a: number, b: number, other: number): DriftCounts => ({
      ...{ bins: [a, b, other], missing: 0, infinite: 0, low: null, high: null },
    });
    const drift = columnDrift(names, of(90, 10, 0), of(50, 40, 10));
    expect(drift).toMatchObject({ unseen: 10, kolmogorov: { value: null }, wasserstein: { value: null } });
    expect(drift.chiSquare).toMatchObject({ method: 'chi-square' });
  });
});
