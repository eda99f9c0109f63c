import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { randomStream } from '../statistics/random.js';
import {
  countGroups,
  type CountedGroups,
  type GroupCodes,
  type GroupCounts,
  intersectGroups,
} from './counts.js';
import { fairnessReport } from './report.js';
import { suppressSmallCells } from './suppression.js';

function selectedOf(group: string, selected: number, n: number): GroupCounts {
  return { group, n, selected, cells: null, squaredError: null, overestimate: null };
}

function cellsOf(group: string, [tp, fp, fn, tn]: readonly [number, number, number, number]): GroupCounts {
  const cells = { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn };
  return { group, n: tp + fp + fn + tn, selected: tp + fp, cells, squaredError: null, overestimate: null };
}

const counted = (...groups: GroupCounts[]): CountedGroups => ({ attribute: 'group', groups, unknown: 0 });

/** Rank of a matrix, by elimination. */
function rankOf(lines: readonly (readonly number[])[]): number {
  const matrix = lines.map((line) => [...line]);
  let rank = 0;
  for (let column = 0; column < (matrix[0]?.length ?? 0); column += 1) {
    const pivot = matrix.findIndex((line, row) => row >= rank && Math.abs(line[column] ?? 0) > 1e-9);
    const found = matrix[pivot];
    if (found === undefined) continue;
    [matrix[pivot], matrix[rank]] = [matrix[rank] ?? [], found];
    matrix.forEach((line, row) => {
      if (row === rank) return;
      const factor = (line[column] ?? 0) / (found[column] ?? 1);
      line.forEach((value, at) => (line[at] = value - factor * (found[at] ?? 0)));
    });
    rank += 1;
  }
  return rank;
}

/** For each hidden count of a table: does it follow from all totals together? Columns: n, then the four cells. */
function derivedFrom(table: readonly (readonly (number | null)[])[]): boolean[] {
  const unknowns = table.flatMap((row, r) =>
    row.flatMap((count, c) => (count === null ? [[r, c] as const] : [])),
  );
  const lines = [
    ...table.map((_, r) => unknowns.map(([row, c]) => (row === r ? (c === 0 ? -1 : 1) : 0))),
    ...[0, 1, 2, 3, 4].map((c) => unknowns.map(([, column]) => (column === c ? 1 : 0))),
  ];
  const rank = rankOf(lines);
  return unknowns.map((_, index) => {
    const alone = unknowns.map((_unknown, other) => (other === index ? 1 : 0));
    return rankOf([...lines, alone]) === rank;
  });
}

const HMDA = counted(selectedOf('white', 1852, 2041), selectedOf('black', 243, 339));
const RESUMES = counted(selectedOf('white-sounding', 235, 2435), selectedOf('black-sounding', 157, 2435));

describe('known cases', () => {
  test('Boston mortgages: ratio 0.790 just below four fifths, interval 0.738 to 0.846 straddling it', () => {
    const { fourFifths } = fairnessReport(HMDA);
    expect(fourFifths.highest).toBe('white');
    const [row] = fourFifths.rows;
    expect(row).toMatchObject({ group: 'black', verdict: 'straddles', isPointBelow: true });
    if (row === undefined || row.ratio.value === null) throw new Error('no ratio');
    expect(row.ratio.value).toBeCloseTo(0.79, 3);
    expect(row.ratio.low).toBeCloseTo(0.738, 3);
    expect(row.ratio.high).toBeCloseTo(0.846, 3);
    expect(row.test).toMatchObject({ method: 'two-proportion-z' });
    expect(row.test.method === null ? 1 : row.test.pValue).toBeLessThan(1e-15);
  });

  test('résumés: ratio 0.668 with interval 0.550 to 0.811', () => {
    const comparison = fairnessReport(RESUMES, { reference: 'white-sounding' }).comparisons.find(
      ({ metric }) => metric === 'selectionRate',
    );
    if (comparison === undefined || comparison.ratio.value === null) throw new Error('no ratio');
    expect(comparison.ratio.value).toBeCloseTo(0.668, 3);
    expect(comparison.ratio.low).toBeCloseTo(0.55, 3);
    expect(comparison.ratio.high).toBeCloseTo(0.811, 3);
    expect(comparison.difference.value).toBeCloseTo(-0.032, 3);
    expect(comparison.adjustedPValue).toBeLessThan(0.001);
  });

  test('the four fifths view says when a ratio lies wholly below or above', () => {
    const view = fairnessReport(
      counted(
        selectedOf('a', 900, 1000),
        selectedOf('b', 300, 1000),
        selectedOf('c', 890, 1000),
        selectedOf('d', 0, 0),
      ),
    ).fourFifths;
    expect(view.rows.map(({ group, verdict }) => [group, verdict])).toEqual([
      ['b', 'below'],
      ['c', 'above'],
    ]);
    expect(view.excluded).toEqual([{ group: 'd', reason: 'No rows to count.' }]);
    expect(
      fairnessReport(counted(selectedOf('a', 0, 100), selectedOf('b', 0, 100))).fourFifths.rows[0],
    ).toMatchObject({ verdict: 'unknown', isPointBelow: null });
    expect(fairnessReport(counted()).fourFifths).toMatchObject({ highest: null, rows: [] });
  });
});

describe('the fairness report', () => {
  const groups = [
    cellsOf('a', [120, 30, 40, 210]),
    cellsOf('b', [60, 40, 60, 140]),
    cellsOf('tiny', [3, 1, 2, 6]),
  ];
  const report = fairnessReport(counted(...groups));

  test('carries every share with sample size and interval', () => {
    const [a] = report.groups;
    expect(a?.metrics.selectionRate).toMatchObject({ value: 150 / 400, n: 400 });
    expect(a?.metrics.truePositiveRate).toMatchObject({ value: 120 / 160, n: 160 });
    expect(a?.metrics.falsePositiveRate).toMatchObject({ value: 30 / 240, n: 240 });
    expect(a?.metrics.precision).toMatchObject({ value: 120 / 150, n: 150 });
    expect(a?.metrics.accuracy).toMatchObject({ value: 330 / 400, n: 400 });
    expect(a?.metrics.prevalence).toMatchObject({ value: 160 / 400, n: 400 });
    expect(report).toMatchObject({ n: 712, unknown: 0, reference: 'a' });
  });

  test('suppresses shares of fewer than thirty rows and keeps them out of minima and maxima', () => {
    expect(report.groups[2]?.metrics.accuracy).toMatchObject({ value: null, reason: 'Fewer than 30 rows.' });
    const rate = report.disparities.find(({ metric }) => metric === 'selectionRate');
    expect(rate).toMatchObject({
      highest: 'a',
      lowest: 'b',
      excluded: [{ group: 'tiny', reason: 'Fewer than 30 rows.' }],
    });
    expect(rate?.difference.value).toBeCloseTo(150 / 400 - 100 / 300, 14);
    expect(rate?.ratio.value).toBeCloseTo(100 / 300 / (150 / 400), 14);
    expect(rate?.homogeneity).toMatchObject({ method: 'chi-square' });
    expect(rate?.bias).toBeGreaterThan(0);
  });

  test('a share without rows is null with the reason, never zero', () => {
    const noPositives = fairnessReport(counted(cellsOf('a', [0, 20, 0, 80]), cellsOf('b', [40, 10, 20, 30])));
    expect(noPositives.groups[0]?.metrics.truePositiveRate).toMatchObject({
      value: null,
      reason: 'No rows to count.',
    });
    const disparity = noPositives.disparities.find(({ metric }) => metric === 'truePositiveRate');
    expect(disparity).toMatchObject({
      highest: null,
      difference: { value: null },
      homogeneity: { method: null },
    });
    const comparison = noPositives.comparisons.find(({ metric }) => metric === 'truePositiveRate');
    expect(comparison).toMatchObject({
      difference: { value: null },
      ratio: { value: null },
      adjustedPValue: null,
    });
  });

  test('without known outcomes only selections are compared', () => {
    const {
      groups: [white],
      comparisons,
    } = fairnessReport(HMDA);
    expect(white?.metrics.precision).toMatchObject({
      value: null,
      reason: 'The truth of these decisions is not known.',
    });
    expect(white?.brier).toMatchObject({ value: null });
    expect(comparisons.filter(({ adjustedPValue }) => adjustedPValue !== null)).toHaveLength(1);
  });

  test('corrects p-values for the number of comparisons, and names the reference', () => {
    const tested = report.comparisons.filter(({ test: { method } }) => method !== null);
    expect(tested).toHaveLength(7);
    for (const { test: one, adjustedPValue } of tested) {
      if (one.method !== null) expect(adjustedPValue).toBeGreaterThanOrEqual(one.pValue);
    }
    expect(fairnessReport(counted(...groups), { reference: 'b' }).reference).toBe('b');
    expect(fairnessReport(counted(...groups), { reference: 'nobody' })).toMatchObject({
      reference: null,
      comparisons: [],
    });
    const small = fairnessReport(counted(...groups), { reference: 'tiny' }).comparisons[0];
    expect(small?.test).toEqual({ method: null, reason: 'tiny: Fewer than 30 rows.' });
  });

  test('a group of which none counts leaves the ratio an interval with a width', () => {
    const { disparities } = fairnessReport(counted(selectedOf('a', 20, 200), selectedOf('b', 0, 40)));
    const ratio = disparities.find(({ metric }) => metric === 'selectionRate')?.ratio;

    // Wilson for 0 of 40 reaches to 0.088: a ratio of 0.5 and more is well possible.
    expect(ratio).toMatchObject({ value: 0, low: 0 });
    expect(ratio?.value === null ? 0 : ratio?.high).toBeGreaterThan(0.4);
  });

  test('a share that is too small does not stand beside the rows of its whole group', () => {
    const [group] = fairnessReport(
      counted(cellsOf('a', [5, 40, 8, 68]), cellsOf('b', [50, 40, 80, 68])),
    ).groups;

    expect(group?.counts.n).toBe(121);
    expect(group?.metrics.truePositiveRate).toEqual({ value: null, n: null, reason: 'Fewer than 30 rows.' });
  });

  test('repeats bit by bit', () => {
    expect(fairnessReport(counted(...groups))).toEqual(report);
  });
});

describe('counting', () => {
  const sex: GroupCodes = { attribute: 'sex', groups: ['f', 'm'], codes: Int32Array.of(0, 0, 1, 1, -1) };
  const race: GroupCodes = { attribute: 'race', groups: ['x', 'y'], codes: Int32Array.of(0, 1, 1, 1, 0) };
  const rows = {
    selected: Uint8Array.of(1, 0, 1, 0, 1),
    labels: Uint8Array.of(1, 1, 0, 0, 1),
    probabilities: Float64Array.of(0.9, 0.4, 0.7, 0.1, 0.5),
  };

  test('puts each row into its group and its cell', () => {
    const { groups, unknown } = countGroups(sex, rows);
    expect(unknown).toBe(1);
    expect(groups[0]).toMatchObject({
      group: 'f',
      n: 2,
      selected: 1,
      cells: { truePositives: 1, falsePositives: 0, falseNegatives: 1, trueNegatives: 0 },
    });
    expect(groups[1]).toMatchObject({ group: 'm', cells: { falsePositives: 1, trueNegatives: 1 } });
    expect(groups[0]?.squaredError?.sum).toBeCloseTo(0.01 + 0.36, 14);
    expect(groups[0]?.overestimate?.sum).toBeCloseTo(-0.7, 14);
    expect(groups[1]?.overestimate?.sum).toBeCloseTo(0.8, 14);
  });

  test('measures calibration within large groups', () => {
    const n = 60;
    const codes: GroupCodes = { attribute: 'one', groups: ['all'], codes: new Int32Array(n) };
    const labels = Uint8Array.from({ length: n }, (_, row) => row % 2);
    const [group] = fairnessReport(
      countGroups(codes, { selected: labels, labels, probabilities: new Float64Array(n).fill(0.6) }),
    ).groups;
    expect(group?.overestimate.value).toBeCloseTo(0.1, 12);
    expect(group?.brier.value).toBeCloseTo(0.26, 12);
    const few = fairnessReport(countGroups(sex, rows)).groups[0];
    expect(few?.brier).toMatchObject({ value: null, n: null });
  });

  test('combines two attributes into the groups that occur', () => {
    const both = intersectGroups(sex, race);
    expect(both).toMatchObject({ attribute: 'sex & race', groups: ['f & x', 'f & y', 'm & y'] });
    expect([...both.codes]).toEqual([0, 1, 2, 2, -1]);
    expect(() => intersectGroups(sex, { ...race, codes: Int32Array.of(0) })).toThrow('different rows');
  });

  test.each([
    [{ ...rows, selected: Uint8Array.of(1) }, 'is given for 5 rows'],
    [{ ...rows, labels: Uint8Array.of(1) }, 'is given for 5 rows'],
    [{ ...rows, selected: Uint8Array.of(2, 0, 0, 0, 0) }, '0 or 1'],
    [{ ...rows, labels: Uint8Array.of(2, 0, 0, 0, 0) }, '0 or 1'],
    [{ ...rows, probabilities: Float64Array.of(2, 0, 0, 0, 0) }, 'outside 0 to 1'],
  ])('refuses rows that do not fit (%#)', (bad, message) => {
    expect(() => countGroups(sex, bad)).toThrow(message);
    expect(() => countGroups({ ...sex, codes: Int32Array.of(0, 1, 2, 0, 0) }, rows)).toThrow(
      AnalysisInputError,
    );
  });
});

describe('small counts', () => {
  test('are hidden together with what would give them away', () => {
    const [first, second] = suppressSmallCells([
      cellsOf('a', [100, 50, 4, 200]),
      cellsOf('b', [90, 60, 30, 80]),
    ]);
    expect(first?.falseNegatives).toBeNull();
    const hiddenInRow = Object.values(first ?? {}).filter((count) => count === null).length;
    expect(hiddenInRow).toBeGreaterThanOrEqual(2);
    expect(second?.falseNegatives).toBeNull();
    expect(first?.trueNegatives).toBe(200);
  });

  test('zero and large counts stay visible where nothing is hidden', () => {
    expect(suppressSmallCells([cellsOf('a', [0, 50, 40, 200])])).toEqual([
      { n: 290, truePositives: 0, falsePositives: 50, falseNegatives: 40, trueNegatives: 200 },
    ]);
    expect(suppressSmallCells([selectedOf('a', 20, 50)])[0]).toMatchObject({ n: 50, truePositives: null });
    expect(suppressSmallCells([])).toEqual([]);
  });

  test('do not follow from several totals added up', () => {
    // Two squares of hidden counts, and between them one that the totals of the first square would give away.
    const groups = [
      cellsOf('a', [5, 5, 5, 400]),
      cellsOf('b', [5, 5, 300, 400]),
      cellsOf('c', [200, 100, 5, 5]),
      cellsOf('d', [200, 100, 5, 5]),
    ];
    const table = suppressSmallCells(groups).map((row) => Object.values(row) as (number | null)[]);
    for (const isDerived of derivedFrom(table)) expect(isDerived).toBe(false);
  });

  test('of many groups are hidden fast', () => {
    const { uniform } = randomStream(4);
    const count = (): number => Math.floor(uniform() * 40);
    const groups = Array.from({ length: 400 }, (_, at) =>
      cellsOf(String(at), [count(), count(), count(), count()]),
    );
    const started = performance.now();
    suppressSmallCells(groups);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('can never be derived from the totals of their line', () => {
    const cell = fc.oneof(fc.nat(12), fc.integer({ min: 11, max: 500 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 2, maxLength: 5 }), (cells) => {
        const groups = cells.map((one, index) => cellsOf(String(index), one));
        const table = suppressSmallCells(groups).map(
          ({ n, truePositives, falsePositives, falseNegatives, trueNegatives }) => [
            n,
            truePositives,
            falsePositives,
            falseNegatives,
            trueNegatives,
          ],
        );
        expect(derivedFrom(table)).not.toContain(true);
        const hidden = (line: readonly (number | null | undefined)[]): number =>
          line.filter((count) => count === null).length;
        for (const row of table) expect(hidden(row)).not.toBe(1);
        for (let column = 0; column < 5; column += 1)
          expect(hidden(table.map((row) => row[column]))).not.toBe(1);
        for (const count of table.flat()) if (count !== null) expect(count === 0 || count > 10).toBe(true);
      }),
    );
  });
});
