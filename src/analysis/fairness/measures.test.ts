import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { randomStream } from '../statistics/random.js';
import { aequitasAudit } from './aequitas.js';
import { conditionalParity, countByStratum } from './conditional.js';
import { consistency } from './consistency.js';
import { contrastGroups } from './contrasts.js';
import { countGroups, type GroupCodes, type GroupCounts } from './counts.js';
import { differentialFairness } from './differential.js';
import { entropyReport, generalizedEntropy } from './entropy.js';
import { fairnessReport } from './report.js';
import { weightedGroups } from './weighted.js';

function cellsOf(group: string, [tp, fp, fn, tn]: readonly [number, number, number, number]): GroupCounts {
  const cells = { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn };
  return { group, n: tp + fp + fn + tn, selected: tp + fp, cells, squaredError: null, overestimate: null };
}

const GROUPS = [
  cellsOf('a', [120, 30, 40, 210]),
  cellsOf('b', [60, 40, 60, 140]),
  cellsOf('c', [50, 60, 20, 90]),
];
const counted = (groups: readonly GroupCounts[]): Parameters<typeof fairnessReport>[0] => ({
  attribute: 'group',
  groups,
  unknown: 0,
});

describe('spreads over groups', () => {
  const report = fairnessReport(counted(GROUPS));

  test('to the share of all, and both error rates at once', () => {
    const rate = report.disparities.find(({ metric }) => metric === 'selectionRate');
    const overall = 360 / 920;
    const rates = [150 / 400, 100 / 300, 110 / 220];
    expect(rate?.differenceToOverall.value).toBeCloseTo(
      Math.max(...rates.map((one) => Math.abs(one - overall))),
      14,
    );
    const ratios = rates.map((one) => Math.min(one / overall, overall / one));
    expect(rate?.ratioToOverall.value).toBeCloseTo(Math.min(...ratios), 14);
    const tpr = [120 / 160, 60 / 120, 50 / 70];
    const fpr = [30 / 240, 40 / 180, 60 / 150];
    const gap = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
    const { equalizedOdds } = report;
    expect(equalizedOdds.difference.value).toBeCloseTo(Math.max(gap(tpr), gap(fpr)), 14);
    expect(equalizedOdds.meanDifference.value).toBeCloseTo((gap(tpr) + gap(fpr)) / 2, 14);
    const lowest = (values: readonly number[]): number => Math.min(...values) / Math.max(...values);
    expect(equalizedOdds.ratio.value).toBeCloseTo(Math.min(lowest(tpr), lowest(fpr)), 14);
    if (equalizedOdds.difference.value === null) throw new Error('no difference');
    expect(equalizedOdds.difference.low).toBeLessThan(equalizedOdds.difference.value);
    expect(equalizedOdds.difference.high).toBeGreaterThan(equalizedOdds.difference.value);
  });

  test('every share has its complement, and tests are adjusted in two ways', () => {
    const metrics = report.groups[0]?.metrics;
    expect(metrics?.trueNegativeRate.value).toBeCloseTo(1 - (metrics?.falsePositiveRate.value ?? NaN), 14);
    expect(metrics?.falseOmissionRate.value).toBeCloseTo(
      1 - (metrics?.negativePredictiveValue.value ?? NaN),
      14,
    );
    for (const { adjustedPValue, falseDiscoveryPValue } of report.comparisons) {
      expect(falseDiscoveryPValue).toBeLessThanOrEqual(adjustedPValue ?? NaN);
    }
  });

  test('shares that give away a small count are withheld where that is asked for', () => {
    const groups = [cellsOf('a', [300, 4, 90, 200]), cellsOf('b', [200, 60, 80, 100])];
    const [shown] = fairnessReport(counted(groups)).groups;
    const [hidden] = fairnessReport(counted(groups), { hideSmallCounts: true }).groups;
    expect(shown?.metrics.falsePositiveRate.value).not.toBeNull();
    expect(hidden?.metrics.falsePositiveRate).toMatchObject({ value: null, n: null });
    expect(hidden?.metrics.precision).toMatchObject({ value: null });
    expect(hidden?.metrics.selectionRate.value).not.toBeNull();
  });

  test('is empty, not wrong, without groups and with one', () => {
    expect(fairnessReport(counted([]))).toMatchObject({ n: 0, reference: null, groups: [], comparisons: [] });
    const one = fairnessReport(counted([cellsOf('a', [40, 0, 0, 0])]));
    expect(one.disparities.every(({ difference }) => difference.value === null)).toBe(true);
    expect(one.equalizedOdds.difference).toMatchObject({ value: null });
    expect(one.groups[0]?.metrics.falsePositiveRate).toMatchObject({
      value: null,
      reason: 'No rows to count.',
    });
  });
});

describe('contrasts of two sides', () => {
  test('are unprivileged minus privileged, several groups pooled', () => {
    const own = contrastGroups(GROUPS, { privileged: ['a'] });
    expect([own.unprivileged, own.privileged]).toEqual(['b or c', 'a']);
    const share = own.shares.find(({ metric }) => metric === 'selectionRate');
    expect(share?.difference.value).toBeCloseTo(210 / 520 - 150 / 400, 14);
    expect(share?.ratio.value).toBeCloseTo(210 / 520 / (150 / 400), 14);
    const tpr = 110 / 190 - 120 / 160;
    const fpr = 100 / 330 - 30 / 240;
    expect(own.averageOddsDifference.value).toBeCloseTo((tpr + fpr) / 2, 14);
    expect(own.averageAbsoluteOddsDifference.value).toBeCloseTo((Math.abs(tpr) + Math.abs(fpr)) / 2, 14);
    const value = 110 / 210 - 120 / 150 + (80 / 310 - 40 / 250);
    expect(own.averagePredictiveValueDifference.value).toBeCloseTo(value / 2, 14);
  });

  test('are null where a side is too small, and refuse sides that are none', () => {
    const own = contrastGroups([cellsOf('a', [1, 2, 3, 4]), ...GROUPS.slice(1)], { privileged: ['a'] });
    expect(own.shares[0]?.test).toEqual({ method: null, reason: 'a: Fewer than 30 rows.' });
    expect(own.averageOddsDifference).toMatchObject({ value: null });
    expect(() => contrastGroups(GROUPS, { privileged: ['x'] })).toThrow("'x' is not among the groups");
    expect(() => contrastGroups(GROUPS, { privileged: [] })).toThrow('No group is named');
    expect(() => contrastGroups(GROUPS, { privileged: ['a'], unprivileged: ['a'] })).toThrow('both sides');
  });
});

describe('inequality of benefits', () => {
  test('follows the formulas, from counts as from rows', () => {
    const benefits = [
      ...new Array<number>(130).fill(2),
      ...new Array<number>(670).fill(1),
      ...new Array<number>(120).fill(0),
    ];
    const mean = benefits.reduce((sum, one) => sum + one, 0) / 920;
    const squares = benefits.reduce((sum, one) => sum + (one / mean) ** 2 - 1, 0) / (920 * 2);
    const theil =
      benefits.reduce((sum, one) => sum + (one === 0 ? 0 : (one / mean) * Math.log(one / mean)), 0) / 920;
    expect(entropyReport(GROUPS, 2).total.value).toBeCloseTo(squares, 13);
    expect(entropyReport(GROUPS, 2).coefficientOfVariation.value).toBeCloseTo(Math.sqrt(2 * squares), 13);
    expect(entropyReport(GROUPS, 1).total.value).toBeCloseTo(theil, 13);
    expect(generalizedEntropy([1, 3], [1, 1], 0)).toBeCloseTo(-(Math.log(0.5) + Math.log(1.5)) / 2, 14);
    const between = entropyReport(GROUPS, 2).betweenGroups.value;
    expect(between).toBeGreaterThan(0);
    expect(between).toBeLessThan(squares);
  });

  test('is null with the reason where it is undefined', () => {
    expect(entropyReport(GROUPS, 0).total).toMatchObject({ value: null });
    expect(entropyReport([cellsOf('a', [0, 0, 50, 0])], 2).total).toMatchObject({ value: null });
    expect(entropyReport([], 2).total).toMatchObject({ value: null, reason: 'No rows to count.' });
    const unknown = GROUPS.map((group) => ({ ...group, cells: null }));
    expect(entropyReport(unknown, 2).total).toMatchObject({
      reason: 'The truth of these decisions is not known.',
    });
    expect(() => entropyReport(GROUPS, NaN)).toThrow(AnalysisInputError);
  });
});

test('differential fairness is the largest log ratio, of selection or refusal', () => {
  const epsilon = differentialFairness(GROUPS, 1);
  const [low, high] = [100.5 / 301, 110.5 / 221];
  expect(epsilon.value).toBeCloseTo(Math.max(Math.log(high / low), Math.log((1 - low) / (1 - high))), 14);
  expect(differentialFairness([GROUPS[0] as GroupCounts])).toMatchObject({ value: null });
  expect(() => differentialFairness(GROUPS, 0)).toThrow('concentration');
  const zero = differentialFairness([cellsOf('a', [0, 0, 5, 45]), cellsOf('b', [20, 20, 5, 5])]);
  expect(zero.value).toBeLessThan(Infinity);
});

describe('consistency', () => {
  test('is one when neighbours are decided alike, and does not depend on the order of rows', () => {
    const { uniform } = randomStream(3);
    const values = Float64Array.from({ length: 120 }, () => Math.round(uniform() * 4));
    const selected = Uint8Array.from({ length: 60 }, () => (uniform() < 0.5 ? 1 : 0));
    const own = consistency({ columns: 2, values }, selected);
    const order = [...selected.keys()].reverse();
    const turned = consistency(
      {
        columns: 2,
        values: Float64Array.from(order.flatMap((row) => [values[2 * row] ?? 0, values[2 * row + 1] ?? 0])),
      },
      Uint8Array.from(order, (row) => selected[row] ?? 0),
    );
    expect(turned.value).toBeCloseTo(own.value ?? NaN, 12);
    expect(consistency({ columns: 2, values }, new Uint8Array(60)).value).toBe(1);
  });

  test('refuses what it cannot compare', () => {
    expect(() => consistency({ columns: 2, values: Float64Array.of(1) }, Uint8Array.of(1))).toThrow(
      'one row for each',
    );
    expect(() => consistency({ columns: 1, values: Float64Array.of(NaN) }, Uint8Array.of(1))).toThrow(
      'finite',
    );
    expect(consistency({ columns: 1, values: Float64Array.of(1) }, Uint8Array.of(1))).toMatchObject({
      value: null,
    });
    const many = { columns: 1, values: new Float64Array(20_001) };
    expect(() => consistency(many, new Uint8Array(20_001))).toThrow('At most 20000 rows');
  });
});

describe('an audit by reference group', () => {
  test('takes the reference that is asked for', () => {
    const ratioOf = (audit: ReturnType<typeof aequitasAudit>, group: string, metric: string): unknown =>
      audit.find((one) => one.group === group)?.disparities.find((one) => one.metric === metric);
    const majority = aequitasAudit(GROUPS, { reference: 'majority' });
    expect(ratioOf(majority, 'b', 'predictedPositiveRate')).toMatchObject({
      reference: 'a',
      ratio: { value: 100 / 150 },
      isFair: false,
    });
    expect(ratioOf(majority, 'a', 'precision')).toMatchObject({ ratio: { value: 1 }, isFair: true });
    const least = aequitasAudit(GROUPS, { reference: 'min-metric' });
    expect(ratioOf(least, 'a', 'predictedPositivePrevalence')).toMatchObject({
      reference: 'b',
      isFair: true,
    });
    const named = aequitasAudit(GROUPS, { reference: { group: 'c' } });
    expect(ratioOf(named, 'b', 'falsePositiveRate')).toMatchObject({ reference: 'c' });
    expect(majority[1]?.parities).toMatchObject({
      statistical: false,
      unsupervised: false,
      typeOne: false,
      supervised: false,
    });
    expect(() => aequitasAudit(GROUPS, { reference: { group: 'x' } })).toThrow("'x' is not among");
    expect(() => aequitasAudit(GROUPS, { reference: 'majority', tau: 0 })).toThrow('Tau');
  });

  test('leaves a verdict open where a part is unknown', () => {
    const groups = GROUPS.map((group) => ({ ...group, cells: null }));
    const [first, second] = aequitasAudit(groups, { reference: 'majority' });
    expect(first?.parities).toMatchObject({ impact: true, typeOne: null, supervised: null });
    expect(second?.parities).toMatchObject({ impact: true, statistical: false, unsupervised: false });
  });
});

describe('weighted rows', () => {
  const codes: GroupCodes = {
    attribute: 'g',
    groups: ['a', 'b'],
    codes: Int32Array.from({ length: 80 }, (_, row) => row % 2),
  };
  const selected = Uint8Array.from({ length: 80 }, (_, row) => (row % 3 === 0 ? 1 : 0));
  const labels = Uint8Array.from({ length: 80 }, (_, row) => (row % 5 === 0 ? 1 : 0));

  test('of equal weight are the plain shares, whatever the weight', () => {
    const plain = fairnessReport(countGroups(codes, { selected, labels, probabilities: null })).groups;
    for (const [index, { metrics, effectiveN }] of weightedGroups(
      codes,
      { selected, labels },
      new Float64Array(80).fill(7),
    ).entries()) {
      expect(effectiveN).toBeCloseTo(40, 12);
      const own = plain[index]?.metrics.selectionRate;
      if (own?.value === null || own === undefined || metrics.selectionRate.value === null)
        throw new Error('no share');
      expect(metrics.selectionRate.value).toBeCloseTo(own.value, 14);
      expect(metrics.selectionRate.low).toBeCloseTo(own.low, 12);
    }
  });

  test('refuses weights that are none, and says where they are worth too little', () => {
    expect(() => weightedGroups(codes, { selected, labels }, new Float64Array(80).fill(-1))).toThrow(
      'negative',
    );
    expect(() => weightedGroups(codes, { selected, labels }, new Float64Array(3))).toThrow('one weight');
    const one = weightedGroups(
      codes,
      { selected, labels: null },
      Float64Array.from({ length: 80 }, (_, row) => (row === 0 ? 1 : 1e-9)),
    );
    expect(one[0]?.metrics.selectionRate).toMatchObject({ value: null });
    expect(one[0]?.metrics.precision).toMatchObject({ reason: 'The truth of these decisions is not known.' });
    const none = weightedGroups(codes, { selected, labels }, new Float64Array(80));
    expect(none[0]?.metrics.selectionRate).toMatchObject({ value: null, reason: 'No weight to count.' });
  });
});

describe('conditional parity', () => {
  /** The paradox of Berkeley in small: within each department alike, over all very different. */
  const table = [
    ['easy', 'm', 400, 240],
    ['easy', 'f', 100, 60],
    ['hard', 'm', 100, 20],
    ['hard', 'f', 400, 80],
  ] as const;
  const rows = table.flatMap(([stratum, group, n, chosen]) =>
    Array.from({ length: n }, (_, row) => ({ stratum, group, selected: row < chosen ? 1 : 0 })),
  );
  const codes: GroupCodes = {
    attribute: 'sex',
    groups: ['f', 'm'],
    codes: Int32Array.from(rows, ({ group }) => (group === 'm' ? 1 : 0)),
  };
  const strata: GroupCodes = {
    attribute: 'department',
    groups: ['easy', 'hard'],
    codes: Int32Array.from(rows, ({ stratum }) => (stratum === 'hard' ? 1 : 0)),
  };
  const decided = {
    selected: Uint8Array.from(rows, ({ selected }) => selected),
    labels: null,
    probabilities: null,
  };

  test('finds none within strata where all differ', () => {
    const [own] = conditionalParity(countByStratum(codes, strata, decided), 'm');
    expect(own?.commonDifference.value).toBeCloseTo(0, 14);
    expect(own?.test).toMatchObject({ method: 'cochran-mantel-haenszel' });
    expect(own?.test.method === null ? 0 : own?.test.pValue).toBeCloseTo(1, 10);
    expect(own?.strata.map(({ difference }) => difference.value)).toEqual([0, 0]);
    const all = fairnessReport(countGroups(codes, decided));
    expect(all.disparities[0]?.difference.value).toBeCloseTo(260 / 500 - 140 / 500, 12);
  });

  test('refuses strata that do not fit, and says where nothing can be tested', () => {
    expect(() => countByStratum(codes, { ...strata, codes: Int32Array.of(0) }, decided)).toThrow(
      'different rows',
    );
    expect(() => conditionalParity(countByStratum(codes, strata, decided), 'x')).toThrow("'x' is not among");
    const none = countByStratum(codes, strata, { ...decided, selected: new Uint8Array(rows.length) });
    expect(conditionalParity(none, 'm')[0]).toMatchObject({
      test: { method: null },
      commonDifference: { value: null },
    });
    const wrong = { ...strata, codes: strata.codes.map(() => 5) };
    expect(() => countByStratum(codes, wrong, decided)).toThrow('without a stratum');
  });
});

test('no count, however small, makes a report throw or give what is not a number', () => {
  const cell = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(200));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell, cell), { maxLength: 4 }), (cells) => {
      const groups = cells.map((one, index) => cellsOf(String(index), one));
      const report = fairnessReport(counted(groups), { smallest: 1, replicates: 20 });
      const text = JSON.stringify(
        { report, entropy: entropyReport(groups, 1, { seed: 1, replicates: 20 }) },
        (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? 'not finite' : value),
      );
      expect(text).not.toContain('not finite');
    }),
    { numRuns: 60 },
  );
});
