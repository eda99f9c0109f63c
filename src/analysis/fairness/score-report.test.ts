import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { randomStream } from '../statistics/random.js';
import type { GroupCodes } from './counts.js';
import { scoreReport } from './score-report.js';

describe('scores by group', () => {
  const { uniform } = randomStream(8);
  const n = 4000;
  const codes: GroupCodes = {
    attribute: 'g',
    groups: ['calibrated', 'inflated', 'tiny'],
    codes: Int32Array.from({ length: n }, (_, row) => (row < 5 ? 2 : row % 2)),
  };
  const probabilities = Float64Array.from({ length: n }, () => 0.05 + 0.9 * uniform());
  const labels = Uint8Array.from(probabilities, (p, row) =>
    uniform() < (row % 2 === 0 ? p : p * 0.6) ? 1 : 0,
  );

  test('tell the calibrated group from the one whose scores are too high', () => {
    const [fine, inflated, tiny] = scoreReport(codes, { labels, probabilities });
    expect(fine?.calibrationSlope.value).toBeCloseTo(1, 0);
    expect(Math.abs(fine?.calibrationIntercept.value ?? NaN)).toBeLessThan(0.15);
    expect(inflated?.calibrationIntercept.value).toBeLessThan(-0.5);
    expect(inflated?.calibrationError.value).toBeGreaterThan(fine?.calibrationError.value ?? NaN);
    expect(fine?.kolmogorovSmirnov).toBeLessThan(0.06);
    expect(fine?.sameDistribution.method).toBe('kolmogorov-smirnov');
    expect(tiny).toMatchObject({ n: null, areaUnderCurve: { value: null }, wasserstein: null });
  });

  test('leave out bins of few rows, and one more where it would follow from the others', () => {
    const one: GroupCodes = { attribute: 'g', groups: ['all'], codes: new Int32Array(95) };
    const scores = Float64Array.from({ length: 95 }, (_, row) => (row < 5 ? 0.05 : row < 45 ? 0.55 : 0.95));
    const labels95 = Uint8Array.from(scores, (_, row) => row % 2);
    const [own] = scoreReport(one, { labels: labels95, probabilities: scores });
    expect(own?.reliability.map(({ n: rows }) => rows)).toEqual([0, 0, 0, 0, 0, 0, 0, 50]);
  });

  test('one class, constant and separated scores have no line, with the reason', () => {
    const one: GroupCodes = { attribute: 'g', groups: ['all'], codes: new Int32Array(40) };
    const half = Uint8Array.from({ length: 40 }, (_, row) => row % 2);
    const constant = scoreReport(one, { labels: half, probabilities: new Float64Array(40).fill(0.4) })[0];
    expect(constant?.calibrationSlope).toMatchObject({
      value: null,
      reason: 'All probabilities are the same.',
    });
    const same = scoreReport(one, {
      labels: new Uint8Array(40),
      probabilities: Float64Array.from(half, (_, row) => row / 40),
    })[0];
    expect(same?.calibrationSlope).toMatchObject({
      value: null,
      reason: 'The line needs two rows of each class.',
    });
    expect(same?.areaUnderCurve).toMatchObject({ value: null });
    const apart = scoreReport(one, {
      labels: half,
      probabilities: Float64Array.from(half, (label, row) => (label === 1 ? 0.6 : 0.2) + row / 1000),
    })[0];
    expect(apart?.calibrationSlope).toMatchObject({ value: null });
    expect(apart?.areaUnderCurve.value).toBe(1);
    expect(apart?.sameDistribution).toMatchObject({ method: null });
    expect(() =>
      scoreReport(one, { labels: half, probabilities: new Float64Array(40).fill(Infinity) }),
    ).toThrow('not a probability');
    expect(() =>
      scoreReport(
        { ...one, codes: new Int32Array(3) },
        { labels: half, probabilities: new Float64Array(40) },
      ),
    ).toThrow(AnalysisInputError);
  });
});
