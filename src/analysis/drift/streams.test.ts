import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { areaUnderCurve } from '../performance/auc.js';
import { randomStream } from '../statistics/random.js';
import { adwin } from './adwin.js';
import { expectedByGroup, expectedPerformance } from './cbpe.js';
import { calibrate, isotonicMap } from './isotonic.js';
import { ddm, pageHinkley } from './sequential.js';

const stepAt = (change: number, rows: number, from: number, to: number, seed: number): number[] => {
  const { uniform } = randomStream(seed);
  return Array.from({ length: rows }, (_, row) => (uniform() < (row < change ? from : to) ? 1 : 0));
};
const alarms = (values: readonly number[], update: (value: number) => boolean): number[] =>
  values.flatMap((value, row) => (update(value) ? [row] : []));

describe('detectors of change in a stream', () => {
  test('ADWIN sees a step soon, keeps what came after it, and is quiet without one', () => {
    const detector = adwin();
    const found = alarms(stepAt(1000, 2000, 0.2, 0.6, 3), detector.update);

    expect(found[0]).toBeGreaterThan(1000);
    expect(found[0]).toBeLessThan(1200);
    expect(detector.window().mean).toBeCloseTo(0.6, 1);
    expect(detector.window().n).toBeLessThan(1100);
    expect(alarms(stepAt(0, 5000, 0.3, 0.3, 4), adwin().update)).toEqual([]);
  });

  test('the window of ADWIN has the mean and the variance of its values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (values) => {
          const detector = adwin({ clock: 1_000_000 });
          values.forEach((value) => detector.update(value));
          const { n, mean, variance } = detector.window();
          const wanted = values.reduce((sum, value) => sum + value, 0) / values.length;
          expect(n).toBe(values.length);
          expect(mean).toBeCloseTo(wanted, 9);
          expect(variance).toBeCloseTo(values.reduce((sum, value) => sum + (value - wanted) ** 2, 0) / n, 8);
        },
      ),
    );
  });

  test('Page-Hinkley sees a rise and a fall alike', () => {
    const rise = [...new Array<number>(200).fill(0), ...new Array<number>(200).fill(1)];
    const options = { threshold: 20, alpha: 1 };
    const found = alarms(rise, pageHinkley(options).update);
    expect(found[0]).toBeGreaterThan(200);
    expect(
      alarms(
        rise.map((value) => -value),
        pageHinkley(options).update,
      ),
    ).toEqual(found);
  });

  test('DDM warns before it alarms, and starts anew after it', () => {
    const detector = ddm();
    const states = stepAt(500, 1000, 0.1, 0.6, 7).map((error) => detector.update(error === 1 ? 1 : 0));
    const first = states.indexOf('DRIFT');
    expect(first).toBeGreaterThan(500);
    expect(states.slice(500, first)).toContain('WARNING');
    expect(states[first + 1]).toBe('STEADY');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is refused', (value) => {
    for (const { update } of [adwin(), pageHinkley()]) {
      expect(() => update(value)).toThrow('not a finite number');
    }
  });
});

describe('isotonic calibration', () => {
  test('pools what falls, takes equal scores as one, and rises', () => {
    const map = isotonicMap(Uint8Array.of(0, 1, 0, 1, 1), Float64Array.of(0.1, 0.4, 0.4, 0.3, 0.9));
    // 0.3 has share 1 and 0.4 share ½: pooled to ⅔.
    expect([...map.scores]).toEqual([0.1, 0.3, 0.4, 0.9]);
    expect([...map.probabilities]).toEqual([0, 2 / 3, 2 / 3, 1]);
    expect([...calibrate(map, Float64Array.of(0, 0.2, 0.35, 1))]).toEqual(
      [0, 1 / 3, 2 / 3, 1].map((p) => expect.closeTo(p, 12) as number),
    );
  });

  test('does not depend on the order of the rows, and keeps the mean of the reference', () => {
    const row = fc.record({ score: fc.constantFrom(0.1, 0.2, 0.5, 0.7, 0.9), label: fc.constantFrom(0, 1) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const mapOf = (some: typeof rows) =>
          isotonicMap(
            Uint8Array.from(some, ({ label }) => label),
            Float64Array.from(some, ({ score }) => score),
          );
        expect(mapOf(rows)).toEqual(mapOf(rows.toReversed()));
        const calibrated = calibrate(
          mapOf(rows),
          Float64Array.from(rows, ({ score }) => score),
        );
        const mean = (values: Iterable<number>): number =>
          [...values].reduce((a, b) => a + b, 0) / rows.length;
        expect(mean(calibrated)).toBeCloseTo(mean(rows.map(({ label }) => label)), 10);
      }),
    );
  });
});

describe('performance without labels', () => {
  const { uniform } = randomStream(21);
  const probabilities = Float64Array.from({ length: 4000 }, () => Math.round(uniform() * 50) / 50);
  const selected = Uint8Array.from(probabilities, (p) => (p >= 0.5 ? 1 : 0));
  const rows = { probabilities, selected, scores: probabilities };
  /** What outcomes show. */
  const seen = (labels: Uint8Array) => {
    const count = (chosen: number, label: number): number =>
      labels.filter((one, row) => one === label && selected[row] === chosen).length;
    const [tp, fp, fn, tn] = [count(1, 1), count(1, 0), count(0, 1), count(0, 0)];
    return {
      accuracy: (tp + tn) / labels.length,
      truePositiveRate: tp / (tp + fn),
      falsePositiveRate: fp / (fp + tn),
      f1: (2 * tp) / (2 * tp + fp + fn),
      areaUnderCurve: areaUnderCurve({ labels, probabilities }).value ?? Number.NaN,
    };
  };

  test('is what the outcomes show when the probabilities are right: intervals hold in about 95 of 100 draws', () => {
    const expected = expectedPerformance(rows);
    const names = ['accuracy', 'truePositiveRate', 'falsePositiveRate', 'f1', 'areaUnderCurve'] as const;
    const trials = Array.from({ length: 300 }, () =>
      seen(Uint8Array.from(probabilities, (p) => (uniform() < p ? 1 : 0))),
    );
    for (const name of names) {
      const estimate = expected[name];
      if (estimate.value === null) throw new Error(`${name} has no value`);
      const held = trials.filter((trial) => estimate.low <= trial[name] && trial[name] <= estimate.high);
      expect(held.length / trials.length).toBeGreaterThan(0.9);
      expect(held.length / trials.length).toBeLessThan(0.99);
    }
  });

  test('the area does not depend on the order of rows with equal scores', () => {
    const turned = {
      probabilities: probabilities.toReversed(),
      selected: selected.toReversed(),
      scores: probabilities.toReversed(),
    };
    const [one, other] = [expectedPerformance(rows), expectedPerformance(turned)];
    expect(one.areaUnderCurve.value).toBeCloseTo(other.areaUnderCurve.value ?? Number.NaN, 12);
  });

  test('is given by group, a small one having none', () => {
    const codes = Int32Array.from(probabilities, (_, row) => (row < 20 ? 0 : 1));
    const groups = expectedByGroup(rows, { attribute: 'sex', groups: ['few', 'many'], codes });
    expect(groups).toMatchObject([
      { group: 'few', performance: null, reason: 'Fewer than 30 rows.' },
      { group: 'many', performance: { n: 3980 }, reason: null },
    ]);
  });

  test('what is undefined has no value and says why', () => {
    const none = expectedPerformance({
      probabilities: new Float64Array(),
      selected: new Uint8Array(),
      scores: null,
    });
    expect(none).toMatchObject({
      accuracy: { value: null },
      precision: { value: null },
      areaUnderCurve: { value: null, reason: 'There are no scores, only predictions.' },
    });
    const certain = {
      probabilities: Float64Array.of(1, 1),
      selected: Uint8Array.of(1, 0),
      scores: Float64Array.of(1, 0),
    };
    expect(expectedPerformance(certain)).toMatchObject({
      truePositiveRate: { value: 0.5 },
      falsePositiveRate: { value: null },
      areaUnderCurve: { value: null, reason: 'Only one class is expected.' },
    });
    expect(() => expectedPerformance({ ...certain, probabilities: Float64Array.of(2, 0) })).toThrow(
      'outside of 0 and 1',
    );
  });
});
