import { AnalysisInputError } from '../errors.js';
import type { Moments } from '../statistics/mean.js';

/** A protected attribute: the group of each row as a place in `groups`; -1 where it is unknown. */
export interface GroupCodes {
  readonly attribute: string;
  readonly groups: readonly string[];
  readonly codes: Int32Array;
}

/** Rows of a group by what was predicted and what was true. */
export interface OutcomeCells {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** All that a fairness report needs of a group. Add field by field to merge periods. */
export interface GroupCounts {
  readonly group: string;
  readonly n: number;
  readonly selected: number;
  /** null when the truth is not known. */
  readonly cells: OutcomeCells | null;
  /** Squared error of the probabilities (Brier); null without truth or probabilities. */
  readonly squaredError: Moments | null;
  /** Probability minus truth: positive when the group is overestimated. */
  readonly overestimate: Moments | null;
}

export interface CountedGroups {
  readonly attribute: string;
  readonly groups: readonly GroupCounts[];
  /** Rows whose group is unknown; they are in no group. */
  readonly unknown: number;
}

export interface DecidedRows {
  /** 1 where the favourable step was taken. */
  readonly selected: Uint8Array;
  /** 1 where it was right to take it; null when not known. */
  readonly labels: Uint8Array | null;
  readonly probabilities: Float64Array | null;
}

interface Sums {
  readonly cells: [number, number, number, number];
  selected: number;
  n: number;
  squared: [sum: number, squares: number];
  over: [sum: number, squares: number];
}

/** Counts the rows of each group. */
export function countGroups(codes: GroupCodes, rows: DecidedRows): CountedGroups {
  checkRows(codes, rows);
  const sums = codes.groups.map((): Sums => ({
    cells: [0, 0, 0, 0],
    selected: 0,
    n: 0,
    squared: [0, 0],
    over: [0, 0],
  }));
  let unknown = 0;
  codes.codes.forEach((code, row) => {
    const group = sums[code];
    if (group === undefined) unknown += 1;
    else addRow(group, rows, row);
  });
  const groups = sums.map((sum, index) => toCounts(codes.groups[index] ?? '', sum, rows));
  return { attribute: codes.attribute, groups, unknown };
}

function addRow(group: Sums, { selected, labels, probabilities }: DecidedRows, row: number): void {
  const chosen = selected[row] ?? 0;
  group.n += 1;
  group.selected += chosen;
  if (labels === null) return;
  const label = labels[row] ?? 0;
  const cell = chosen === 1 ? 1 - label : 3 - label;
  group.cells[cell] = (group.cells[cell] ?? 0) + 1;
  if (probabilities === null) return;
  const gap = (probabilities[row] ?? Number.NaN) - label;
  group.over[0] += gap;
  group.over[1] += gap * gap;
  group.squared[0] += gap * gap;
  group.squared[1] += gap ** 4;
}

function toCounts(group: string, sums: Sums, { labels, probabilities }: DecidedRows): GroupCounts {
  const [truePositives, falsePositives, falseNegatives, trueNegatives] = sums.cells;
  const hasErrors = labels !== null && probabilities !== null;
  return {
    group,
    n: sums.n,
    selected: sums.selected,
    cells: labels === null ? null : { truePositives, falsePositives, falseNegatives, trueNegatives },
    squaredError: hasErrors ? { n: sums.n, sum: sums.squared[0], squares: sums.squared[1] } : null,
    overestimate: hasErrors ? { n: sums.n, sum: sums.over[0], squares: sums.over[1] } : null,
  };
}

function checkRows(
  { codes, groups, attribute }: GroupCodes,
  { selected, labels, probabilities }: DecidedRows,
): void {
  for (const list of [selected, labels, probabilities]) {
    if (list === null || list.length === codes.length) continue;
    throw new AnalysisInputError(
      `'${attribute}' is given for ${String(codes.length)} rows, not for those decided.`,
    );
  }
  if (codes.some((code) => code < -1 || code >= groups.length)) {
    throw new AnalysisInputError(`'${attribute}' has a code without a group.`);
  }
  for (const list of [selected, labels]) {
    if (list?.some((value) => value > 1) === true)
      throw new AnalysisInputError('Selections and labels are 0 or 1.');
  }
  if (probabilities?.some((value) => !(value >= 0 && value <= 1)) === true) {
    throw new AnalysisInputError('A probability lies outside 0 to 1.');
  }
}

/** Codes for every observed combination of two attributes; unknown where either is. */
export function intersectGroups(first: GroupCodes, second: GroupCodes): GroupCodes {
  if (first.codes.length !== second.codes.length) {
    throw new AnalysisInputError(
      `'${first.attribute}' and '${second.attribute}' are given for different rows.`,
    );
  }
  const groups: string[] = [];
  const places = new Map<number, number>();
  const codes = first.codes.map((code, row) => {
    const other = second.codes[row] ?? -1;
    if (code < 0 || other < 0) return -1;
    const key = code * second.groups.length + other;
    const known = places.get(key);
    if (known !== undefined) return known;
    places.set(key, groups.length);
    return groups.push(`${first.groups[code] ?? ''} & ${second.groups[other] ?? ''}`) - 1;
  });
  return { attribute: `${first.attribute} & ${second.attribute}`, groups, codes };
}
