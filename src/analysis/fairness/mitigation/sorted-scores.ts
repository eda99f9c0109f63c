import { AnalysisInputError } from '../../errors.js';
import { f64, i32, u8 } from '../../numeric/typed.js';
import { checkScoredRows, type ScoredRows } from '../../performance/validate.js';
import type { GroupCodes } from '../counts.js';

/**
 * Cuts of one group's scores, from "nobody" to "everybody". Cut i selects `selected[i]` rows, `hits[i]` of them
 * positive, namely those with a score of at least `thresholds[i]`; thresholds fall, and lie half-way between distinct scores.
 */
export interface Cuts {
  readonly thresholds: Float64Array;
  readonly selected: Float64Array;
  readonly hits: Float64Array;
  readonly n: number;
  readonly positives: number;
}

/** All cuts between distinct scores of some rows: sorted once, counted by prefix sums. O(n log n). */
export function cutsOf(scores: Float64Array, labels: Uint8Array): Cuts {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => f64(scores, b) - f64(scores, a));
  const thresholds = [Number.POSITIVE_INFINITY];
  const selected = [0];
  const hits = [0];
  let positives = 0;
  order.forEach((row, index) => {
    positives += u8(labels, row);
    const own = f64(scores, row);
    const next = order[index + 1];
    if (next !== undefined && f64(scores, next) === own) return;
    thresholds.push(next === undefined ? Number.NEGATIVE_INFINITY : between(f64(scores, next), own));
    selected.push(index + 1);
    hits.push(positives);
  });
  return {
    thresholds: Float64Array.from(thresholds),
    selected: Float64Array.from(selected),
    hits: Float64Array.from(hits),
    n: scores.length,
    positives,
  };
}

/** Half-way between two scores, or the higher one where no number lies between. */
export function between(low: number, high: number): number {
  const middle = low + (high - low) / 2;
  return middle > low ? middle : high;
}

/** Rows of the groups that have any, and their cuts. Rows of unknown group are left out. */
export interface GroupCuts extends Cuts {
  readonly group: string;
}

/**
 * The cuts of every group that has rows.
 * @throws AnalysisInputError for rows that do not fit, and when no group has rows.
 */
export function cutsByGroup(codes: GroupCodes, rows: ScoredRows): GroupCuts[] {
  checkScoredRows(rows);
  checkCodes(codes, rows.labels.length);
  const cuts = codes.groups.flatMap((group, code): GroupCuts[] => {
    const isIn = (_: number, row: number): boolean => i32(codes.codes, row) === code;
    const labels = rows.labels.filter(isIn);
    return labels.length === 0 ? [] : [{ group, ...cutsOf(rows.probabilities.filter(isIn), labels) }];
  });
  if (cuts.length === 0) throw new AnalysisInputError(`No row has a known '${codes.attribute}'.`);
  return cuts;
}

/** Refuses codes of other rows, and codes without a group. */
export function checkCodes({ attribute, codes, groups }: GroupCodes, rows: number): void {
  if (codes.length !== rows) {
    throw new AnalysisInputError(
      `'${attribute}' is given for ${String(codes.length)} rows, not for ${String(rows)}.`,
    );
  }
  if (codes.some((code) => code < -1 || code >= groups.length)) {
    throw new AnalysisInputError(`'${attribute}' has a code without a group.`);
  }
}

/** Place of the cut that selects the scores of at least `threshold`: the last one whose threshold is not below it. */
export function cutAt({ thresholds }: Cuts, threshold: number): number {
  let [low, high] = [0, thresholds.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (f64(thresholds, middle) >= threshold) low = middle;
    else high = middle - 1;
  }
  return low;
}
