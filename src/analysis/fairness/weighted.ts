import { AnalysisInputError } from '../errors.js';
import { f64, i32, u8 } from '../numeric/typed.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { wilson } from '../statistics/proportions.js';
import type { DecidedRows, GroupCodes, OutcomeCells } from './counts.js';
import { countGroups } from './counts.js';
import { type GroupShare, recordOfShares, shareOfCells } from './metrics.js';
import { SMALLEST_GROUP } from './reportable.js';

/** Weighted shares of one group. */
export interface WeightedGroup {
  readonly group: string;
  /** Rows. */
  readonly n: number;
  /** Sum of their weights. */
  readonly weight: number;
  /** Rows that they are worth: (sum w)^2 / sum w^2 (Kish, 1965). */
  readonly effectiveN: number;
  /** Weighted share of each kind; n of an estimate is the effective number of rows of that share. */
  readonly metrics: Readonly<Record<GroupShare, Estimate>>;
}

/** Sums of weights, and of their squares, in the four cells. */
interface Sums {
  readonly cells: Float64Array;
  readonly squares: Float64Array;
  n: number;
}

/**
 * Shares of weighted rows: every count of a formula becomes a sum of weights. The interval is Wilson's with Kish's
 * effective number of rows, which holds for weights that do not depend on the outcome.
 * @throws AnalysisInputError for weights that are negative or not finite, and rows that do not fit.
 */
export function weightedGroups(
  codes: GroupCodes,
  rows: Omit<DecidedRows, 'probabilities'>,
  weights: Float64Array,
  smallest = SMALLEST_GROUP,
): WeightedGroup[] {
  const counted = countGroups(codes, { ...rows, probabilities: null });
  if (weights.length !== codes.codes.length)
    throw new AnalysisInputError('There is not one weight for each row.');
  if (!weights.every((weight) => weight >= 0 && weight < Infinity)) {
    throw new AnalysisInputError('A weight is negative or not finite.');
  }
  const sums = codes.groups.map((): Sums => ({
    cells: new Float64Array(4),
    squares: new Float64Array(4),
    n: 0,
  }));
  for (let row = 0; row < weights.length; row += 1) {
    const sum = sums[i32(codes.codes, row)];
    if (sum === undefined) continue;
    const isTrue = rows.labels === null ? 1 : u8(rows.labels, row);
    const cell = u8(rows.selected, row) === 1 ? 1 - isTrue : 3 - isTrue;
    const weight = f64(weights, row);
    sum.cells[cell] = f64(sum.cells, cell) + weight;
    sum.squares[cell] = f64(sum.squares, cell) + weight * weight;
    sum.n += 1;
  }
  return counted.groups.map(({ group }, index) =>
    groupOf(group, sums[index], rows.labels !== null, smallest),
  );
}

function toCells(values: Float64Array): OutcomeCells {
  return {
    truePositives: f64(values, 0),
    falsePositives: f64(values, 1),
    falseNegatives: f64(values, 2),
    trueNegatives: f64(values, 3),
  };
}

const NONE: Sums = { cells: new Float64Array(4), squares: new Float64Array(4), n: 0 };

function groupOf(group: string, sums: Sums = NONE, isKnown: boolean, smallest: number): WeightedGroup {
  const [cells, squares] = [toCells(sums.cells), toCells(sums.squares)];
  const weight = sums.cells.reduce((sum, own) => sum + own, 0);
  const square = sums.squares.reduce((sum, own) => sum + own, 0);
  const estimate = (metric: GroupShare): Estimate => {
    if (!isKnown && metric !== 'selectionRate')
      return unknown(null, 'The truth of these decisions is not known.');
    const share = shareOfCells(metric, cells);
    const effective = share.n === 0 ? 0 : share.n ** 2 / shareOfCells(metric, squares).n;
    if (effective === 0) return unknown(0, 'No weight to count.');
    if (effective < smallest) return unknown(null, `Worth fewer than ${String(smallest)} rows.`);
    const value = share.successes / share.n;
    const { low, high } = boundsOf(value, effective);
    return { value, n: effective, low, high };
  };
  const effectiveN = square === 0 ? 0 : weight ** 2 / square;
  return { group, n: sums.n, weight, effectiveN, metrics: recordOfShares(estimate) };
}

function boundsOf(value: number, n: number): { low: number; high: number } {
  const interval = wilson({ successes: value === 1 ? n : value * n, n });
  return interval.value === null ? { low: 0, high: 1 } : { low: interval.low, high: interval.high };
}
