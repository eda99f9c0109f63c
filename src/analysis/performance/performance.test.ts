import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { randomStream } from '../statistics/random.js';
import { areaUnderCurve } from './auc.js';
import { calibrationError, reliabilityBins } from './calibration.js';
import { performanceReport } from './report.js';
import type { ScoredRows } from './validate.js';

const rowsOf = (labels: readonly number[], probabilities: readonly number[]): ScoredRows => ({
  labels: Uint8Array.from(labels),
  probabilities: Float64Array.from(probabilities),
});

/** Rows whose labels follow their probabilities, so that they are calibrated. */
function calibratedRows(n: number, seed: number): ScoredRows {
  const { uniform } = randomStream(seed);
  const probabilities = Float64Array.from({ length: n }, uniform);
  return { probabilities, labels: Uint8Array.from(probabilities, (p) => (uniform() < p ? 1 : 0)) };
}

describe('the area under the curve', () => {
  test('is the share of pairs in the right order, ties counting half', () => {
    expect(areaUnderCurve(rowsOf([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))).toMatchObject({ value: 0.75, n: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(6)), { minLength: 4, maxLength: 40 }), (pairs) => {
        const rows = rowsOf(
          pairs.map(([label]) => label),
          pairs.map(([, score]) => score / 6),
        );
        const positives = pairs.filter(([label]) => label === 1);
        const negatives = pairs.filter(([label]) => label === 0);
        const estimate = areaUnderCurve(rows);
        if (positives.length < 2 || negatives.length < 2) {
          expect(estimate.value).toBeNull();
          return;
        }
        const wins = positives.flatMap(([, p]) => negatives.map(([, q]) => (p > q ? 1 : p === q ? 0.5 : 0)));
        const wanted = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
        expect(estimate.value).toBeCloseTo(wanted, 12);
      }),
    );
  });

  test('has an interval that covers the truth about as often as it says', () => {
    // For uniform p with labels drawn from p the area is 5/6.
    let covered = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const estimate = areaUnderCurve(calibratedRows(150, seed));
      if (estimate.value !== null && estimate.low <= 5 / 6 && estimate.high >= 5 / 6) covered += 1;
    }
    expect(covered).toBeGreaterThanOrEqual(180);
    expect(covered).toBeLessThanOrEqual(199);
  });

  test('is one without spread when the classes are apart', () => {
    expect(areaUnderCurve(rowsOf([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]))).toEqual({
      value: 1,
      n: 4,
      low: 1,
      high: 1,
    });
  });
});

describe('calibration', () => {
  test('bins cover zero to one, and an empty bin says so', () => {
    const bins = reliabilityBins(rowsOf([0, 1, 1, 1], [0, 0.1, 0.95, 1]), 10);
    expect(bins[0]).toMatchObject({ from: 0, to: 0.1, n: 1, predicted: 0 });
    expect(bins[9]).toMatchObject({ n: 2, predicted: 0.975, observed: { value: 1 } });
    expect(bins[5]).toMatchObject({ n: 0, predicted: null, observed: { value: null } });
  });

  test('the error is the weighted distance, near zero for calibrated rows and plain for others', () => {
    const biased = rowsOf([0, 0, 0, 1], [0.75, 0.75, 0.75, 0.75]);
    expect(calibrationError(biased, 10, 1)).toMatchObject({ value: 0.5, n: 4 });
    const estimate = calibrationError(calibratedRows(20_000, 4), 10, 1);
    if (estimate.value === null) throw new Error('no estimate');
    expect(estimate.value).toBeLessThan(0.015);
    expect(estimate.low).toBeLessThan(estimate.value + 1e-12);
    expect(calibrationError(rowsOf([], []), 10, 1)).toMatchObject({ value: null });
  });
});

describe('the performance report', () => {
  test('counts, rates and losses of a small example are those done by hand', () => {
    const report = performanceReport(rowsOf([1, 1, 0, 0, 1], [0.9, 0.4, 0.6, 0.2, 0.5]), { threshold: 0.5 });
    expect(report.confusion).toEqual({
      truePositives: 2,
      falsePositives: 1,
      falseNegatives: 1,
      trueNegatives: 1,
    });
    expect(report.accuracy).toMatchObject({ value: 0.6, n: 5 });
    expect(report.truePositiveRate).toMatchObject({ value: 2 / 3, n: 3 });
    expect(report.falsePositiveRate).toMatchObject({ value: 0.5, n: 2 });
    expect(report.precision).toMatchObject({ value: 2 / 3, n: 3 });
    expect(report.prevalence).toMatchObject({ value: 0.6 });
    expect(report.selectionRate).toMatchObject({ value: 0.6 });
    expect(report.brier.value).toBeCloseTo((0.01 + 0.36 + 0.36 + 0.04 + 0.25) / 5, 14);
    const loss = -(Math.log(0.9) + Math.log(0.4) + Math.log(0.4) + Math.log(0.8) + Math.log(0.5)) / 5;
    expect(report.logLoss.value).toBeCloseTo(loss, 14);
    expect(report.reliability).toHaveLength(10);
  });

  test('says of no rows that nothing is known, never zero', () => {
    const { confusion, reliability, n, threshold, ...numbers } = performanceReport(rowsOf([], []), {
      threshold: 0.5,
    });
    expect([n, threshold, confusion.truePositives, reliability.length]).toEqual([0, 0.5, 0, 10]);
    for (const number of Object.values(numbers))
      expect(number).toMatchObject({ value: null, reason: expect.stringMatching(/\w/) });
  });

  test('a certain and wrong prediction has a large but finite loss', () => {
    const { logLoss } = performanceReport(rowsOf([1, 0], [0, 1]), { threshold: 0.5 });
    expect(logLoss.value).toBeCloseTo(-Math.log(1e-15), 1);
  });

  test('repeats bit by bit, and every value lies in its interval', () => {
    const rows = calibratedRows(500, 9);
    const report = performanceReport(rows, { threshold: 0.4 });
    expect(performanceReport(rows, { threshold: 0.4 })).toEqual(report);
    for (const number of [
      report.accuracy,
      report.areaUnderCurve,
      report.brier,
      report.logLoss,
      report.calibrationError,
    ]) {
      if (number.value === null) throw new Error('no estimate');
      expect(number.low).toBeLessThanOrEqual(number.value);
      expect(number.high).toBeGreaterThanOrEqual(number.value);
      expect(number.high).toBeGreaterThan(number.low);
    }
  });

  test.each([
    [[1], [0.5, 0.5], 'There are 1 labels'],
    [[2], [0.5], 'neither 0 nor 1'],
    [[1], [1.5], 'not a probability'],
    [[1], [Number.NaN], 'not a probability'],
  ])('labels %j with probabilities %j are refused', (labels, probabilities, message) => {
    expect(() => performanceReport(rowsOf(labels, probabilities), { threshold: 0.5 })).toThrow(message);
    expect(() => areaUnderCurve(rowsOf(labels, probabilities))).toThrow(AnalysisInputError);
  });
});
