import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../../errors.js';
import type { ScoredRows } from '../../performance/validate.js';
import { randomStream } from '../../statistics/random.js';
import type { GroupCodes } from '../counts.js';
import { paretoFront, searchAlternatives } from './alternatives.js';
import { calibrateGroups, isotonicCurve } from './group-calibration.js';
import { mixtureAt, upperHull } from './hull.js';
import { rejectOption } from './reject-option.js';
import { reweighing } from './reweighing.js';
import { cutAt, cutsOf } from './sorted-scores.js';
import { optimizeThresholds } from './threshold-optimizer.js';
import { GROUP_AWARE_WARNING } from './warning.js';

/** Two groups of which the second scores lower than it deserves. */
function sample(
  n: number,
  seed = 6,
  step = 0.02,
): { codes: GroupCodes; rows: ScoredRows; truth: Float64Array } {
  const { uniform } = randomStream(seed);
  const codes = Int32Array.from({ length: n }, () => (uniform() < 0.4 ? 1 : 0));
  const truth = Float64Array.from(codes, (code) =>
    Math.min(0.99, Math.max(0.01, uniform() ** (code === 1 ? 1.4 : 0.8))),
  );
  const labels = Uint8Array.from(truth, (p) => (uniform() < p ? 1 : 0));
  const probabilities = Float64Array.from(
    truth,
    (p, row) => Math.round((codes[row] === 1 ? p * 0.8 : p) / step) * step,
  );
  return {
    codes: { attribute: 'g', groups: ['a', 'b'], codes },
    rows: { labels, probabilities: probabilities.map((p) => Math.min(1, p)) },
    truth,
  };
}

describe('cuts', () => {
  test('lie between distinct scores, from nobody to everybody', () => {
    const cuts = cutsOf(Float64Array.of(0.2, 0.9, 0.2, 0.5), Uint8Array.of(1, 1, 0, 0));
    expect([...cuts.thresholds]).toEqual([Infinity, 0.7, 0.35, -Infinity]);
    expect([...cuts.selected]).toEqual([0, 1, 2, 4]);
    expect([...cuts.hits]).toEqual([0, 1, 1, 2]);
    expect([1, 0.7, 0.6, 0.35, 0, -1].map((threshold) => cuts.selected[cutAt(cuts, threshold)])).toEqual([
      0, 1, 1, 2, 2, 2,
    ]);
  });
});

describe('alternatives that do not look at the group', () => {
  const { codes, rows, truth } = sample(1500);
  const search = {
    versions: [
      { version: 'today', probabilities: rows.probabilities },
      { version: 'fairer', probabilities: truth },
    ],
    labels: rows.labels,
    codes,
    current: { version: 'today', threshold: 0.5 },
  };
  const report = searchAlternatives(search);

  test('are the front of all versions and thresholds, as a slow search finds it', () => {
    const points = search.versions.flatMap(({ version, probabilities }) =>
      [...new Set(probabilities)]
        .sort((a, b) => a - b)
        .slice(1)
        .map((threshold) => {
          const chosen = [...probabilities].map((p) => (p >= threshold ? 1 : 0));
          const right = chosen.filter((decision, row) => decision === rows.labels[row]).length;
          const rate = (group: number): number => {
            const own = chosen.filter((_, row) => codes.codes[row] === group);
            return own.reduce<number>((sum, decision) => sum + decision, 0) / own.length;
          };
          return { version, accuracy: right / chosen.length, difference: Math.abs(rate(0) - rate(1)) };
        }),
    );
    const slow = paretoFront(points);
    expect(report.front.length).toBe(Math.min(25, slow.length));
    for (const [own, end] of [
      [report.front[0], slow[0]],
      [report.front.at(-1), slow.at(-1)],
    ] as const) {
      expect(own?.version).toBe(end?.version);
      expect(own?.accuracy).toBeCloseTo(end?.accuracy ?? NaN, 12);
      expect(own?.difference).toBeCloseTo(end?.difference ?? NaN, 12);
    }
    expect(report.compared).toBe(points.length);
  });

  test('carry the uncertainty of accuracy, of its change on the same rows, and of the difference', () => {
    expect(report.current).toMatchObject({
      version: 'today',
      threshold: 0.5,
      accuracyChange: { value: 0, low: 0, high: 0 },
    });
    for (const { accuracy, accuracyChange, accuracyInterval, disparity, difference } of report.front) {
      expect(accuracyChange.value).toBeCloseTo(accuracy - report.current.accuracy, 12);
      expect(accuracyInterval.value).toBeCloseTo(accuracy, 12);
      expect(disparity.difference.value).toBeCloseTo(difference, 12);
    }
    const front = report.front.map((one) => one.difference);
    expect(front).toEqual(front.toSorted((a, b) => b - a));
  });

  test('keep to the share that may be selected, and to the metric', () => {
    const narrow = searchAlternatives({
      ...search,
      selectionRange: [0.3, 0.4],
      metric: 'truePositiveRate',
      most: 5,
    });
    expect(narrow.front.length).toBeLessThanOrEqual(5);
    for (const { selectionRate } of narrow.front) {
      expect(selectionRate).toBeGreaterThanOrEqual(0.3);
      expect(selectionRate).toBeLessThanOrEqual(0.4);
    }
    expect(narrow.metric).toBe('truePositiveRate');
  });

  test('refuse what cannot be searched', () => {
    expect(() => searchAlternatives({ ...search, current: { version: 'x', threshold: 0.5 } })).toThrow(
      "'x' is not among",
    );
    expect(() => searchAlternatives({ ...search, labels: Uint8Array.of(1) })).toThrow(AnalysisInputError);
    expect(() => searchAlternatives({ ...search, smallest: 1e6 })).toThrow('Fewer than two groups');
    const nobody = { attribute: 'g', groups: [], codes: new Int32Array(0) };
    expect(() =>
      searchAlternatives({ ...search, versions: [], labels: new Uint8Array(0), codes: nobody }),
    ).toThrow('no rows');
  });
});

describe('thresholds by group, simulated', () => {
  test('reach the common level exactly, and no pair of cuts at that level is more accurate', () => {
    const { codes, rows } = sample(600);
    for (const constraint of ['selectionRate', 'truePositiveRate', 'falsePositiveRate'] as const) {
      const own = optimizeThresholds(codes, rows, constraint);
      expect(own.warning).toBe(GROUP_AWARE_WARNING);
      for (const rule of own.rules) expect(rule[constraint]).toBeCloseTo(own.level, 12);
    }
  });

  test('are the best of a fine grid, for each constraint', () => {
    const { codes, rows } = sample(300, 2, 0.1);
    const accuracyAt = (level: number): number =>
      [0, 1].reduce((sum, group) => {
        const places = [...codes.codes.keys()].filter((row) => codes.codes[row] === group);
        const labels = Uint8Array.from(places, (row) => rows.labels[row] ?? 0);
        const { selected, hits, n, positives } = cutsOf(
          Float64Array.from(places, (row) => rows.probabilities[row] ?? 0),
          labels,
        );
        const points = Array.from(selected, (chosen, cut) => ({
          x: chosen / n,
          y: 2 * (hits[cut] ?? 0) - chosen + n - positives,
          cut,
        }));
        return sum + mixtureAt(upperHull(points), level).y;
      }, 0) / 300;
    const grid = Array.from({ length: 2001 }, (_, at) => accuracyAt(at / 2000));
    const own = optimizeThresholds(codes, rows, 'selectionRate');
    expect(own.accuracy).toBeGreaterThanOrEqual(Math.max(...grid) - 1e-12);
    expect(own.accuracy).toBeCloseTo(accuracyAt(own.level), 12);
  });

  test('equalize both error rates at once', () => {
    const { codes, rows } = sample(900);
    const own = optimizeThresholds(codes, rows, 'equalizedOdds');
    const [a, b] = own.rules;
    expect(a?.truePositiveRate).toBeCloseTo(b?.truePositiveRate ?? NaN, 12);
    expect(a?.falsePositiveRate).toBeCloseTo(b?.falsePositiveRate ?? NaN, 12);
    expect(a?.falsePositiveRate).toBeCloseTo(own.level, 12);
    expect(own.rules.some(({ ignore }) => ignore > 0)).toBe(true);
    const { accuracy } = optimizeThresholds(codes, rows, 'selectionRate');
    expect(accuracy).toBeGreaterThan(0.5);
  });

  test('refuse a group of one class where its rate is undefined', () => {
    const codes: GroupCodes = { attribute: 'g', groups: ['a', 'b'], codes: Int32Array.of(0, 0, 1, 1) };
    const rows = { labels: Uint8Array.of(1, 0, 0, 0), probabilities: Float64Array.of(0.9, 0.1, 0.4, 0.2) };
    expect(() => optimizeThresholds(codes, rows, 'equalizedOdds')).toThrow("'b' has rows of one class only");
    expect(() => optimizeThresholds(codes, rows, 'truePositiveRate')).toThrow(AnalysisInputError);
    expect(optimizeThresholds(codes, rows, 'selectionRate').rules[1]?.truePositiveRate).toBeNull();
    const nobody = { ...codes, codes: codes.codes.map(() => -1) };
    expect(() => optimizeThresholds(nobody, rows, 'selectionRate')).toThrow("No row has a known 'g'");
  });
});

describe('the reject option, simulated', () => {
  const { codes, rows } = sample(2000);

  test('keeps within the limit, and costs accuracy', () => {
    const free = rejectOption(codes, rows, { privileged: ['a'], limit: 1 });
    const bound = rejectOption(codes, rows, { privileged: ['a'], limit: 0.02 });
    expect(bound).toMatchObject({ warning: GROUP_AWARE_WARNING, isFeasible: true, tried: 5000 });
    expect(Math.abs(bound.difference)).toBeLessThanOrEqual(0.02);
    expect(bound.balancedAccuracy).toBeLessThanOrEqual(free.balancedAccuracy);
    const count = (threshold: number, group: number): number =>
      codes.codes.reduce(
        (sum, code, row) => sum + (code === group && (rows.probabilities[row] ?? 0) >= threshold ? 1 : 0),
        0,
      );
    const size = (group: number): number => codes.codes.filter((code) => code === group).length;
    const difference =
      count(bound.threshold - bound.margin, 1) / size(1) - count(bound.threshold + bound.margin, 0) / size(0);
    expect(bound.difference).toBeCloseTo(difference, 1);
  });

  test('when nothing reaches the limit gives the smallest size, never the most negative', () => {
    const own = rejectOption(codes, rows, {
      privileged: ['a'],
      metric: 'averageOdds',
      limit: 0,
      thresholds: 9,
      margins: 3,
    });
    if (!own.isFeasible) expect(Math.abs(own.difference)).toBeLessThan(0.2);
    expect(() => rejectOption(codes, rows, { privileged: ['a'], limit: 2 })).toThrow('between 0 and 1');
    expect(() => rejectOption(codes, rows, { privileged: ['x'], limit: 0.1 })).toThrow("'x' is not among");
    expect(() => rejectOption(codes, rows, { privileged: [], limit: 0.1 })).toThrow(
      'privileged do not have rows',
    );
    expect(() => rejectOption(codes, rows, { privileged: ['a'], limit: 0.1, thresholds: 0 })).toThrow(
      'No threshold',
    );
  });
});

test('reweighing makes group and label independent', () => {
  const { codes, rows } = sample(500);
  const { cells, weights } = reweighing(codes, rows.labels);
  const sum = (group: number, label: number | null): number =>
    weights.reduce(
      (total, weight, row) =>
        total + (codes.codes[row] === group && (label === null || rows.labels[row] === label) ? weight : 0),
      0,
    );
  expect(sum(0, 1) / sum(0, null)).toBeCloseTo(sum(1, 1) / sum(1, null), 12);
  expect(cells).toHaveLength(4);
  const one = reweighing({ ...codes, codes: Int32Array.of(0, -1) }, Uint8Array.of(1, 0));
  expect(one.cells.map(({ weight }) => weight)).toEqual([null, 1, null, null]);
  expect(one.weights[1]).toBeNaN();
  expect(() => reweighing(codes, Uint8Array.of(1))).toThrow(AnalysisInputError);
});

describe('calibration of each group, simulated', () => {
  test.each(['platt', 'isotonic'] as const)('by %s lowers the error of the group that is off', (method) => {
    const { codes, rows } = sample(6000, 3, 1e-6);
    const own = calibrateGroups(codes, rows, method);
    expect(own).toMatchObject({ warning: GROUP_AWARE_WARNING, method });
    const [, off] = own.groups;
    expect(off?.after.value).toBeLessThan((off?.before.value ?? NaN) / 2);
    expect(own.probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
  });

  test('leaves groups as they are that cannot be fitted, and says so', () => {
    const codes: GroupCodes = {
      attribute: 'g',
      groups: ['few', 'same'],
      codes: Int32Array.from({ length: 60 }, (_, row) => (row < 10 ? 0 : 1)),
    };
    const probabilities = new Float64Array(60).fill(0.3);
    const own = calibrateGroups(codes, { labels: new Uint8Array(60), probabilities }, 'platt');
    expect(own.groups).toMatchObject([
      { after: { value: null, n: null } },
      { after: { value: null, reason: 'A fold of the group cannot be fitted.' } },
    ]);
    expect(own.probabilities).toEqual(probabilities);
    const nobody = { attribute: 'g', groups: [], codes: new Int32Array(0) };
    expect(() =>
      calibrateGroups(nobody, { labels: new Uint8Array(0), probabilities: new Float64Array(0) }, 'platt'),
    ).toThrow('no rows');
  });

  test('isotonic steps rise, and keep the mean', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat(1)), { minLength: 2 }),
        (pairs) => {
          const probabilities = Float64Array.from(pairs, ([p]) => p / 10);
          const labels = Uint8Array.from(pairs, ([, label]) => label);
          const curve = isotonicCurve({ labels, probabilities });
          const positives = labels.reduce((sum, label) => sum + label, 0);
          if (curve === null) {
            expect([0, labels.length]).toContain(positives);
            return;
          }
          const fitted = [...probabilities].sort().map(curve);
          expect(fitted).toEqual(fitted.toSorted((a, b) => a - b));
          expect(fitted.reduce((sum, value) => sum + value, 0)).toBeCloseTo(positives, 10);
        },
      ),
    );
  });
});
