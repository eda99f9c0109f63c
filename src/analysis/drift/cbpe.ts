import { AnalysisInputError } from '../errors.js';
import type { GroupCodes } from '../fairness/counts.js';
import { SMALLEST_GROUP } from '../fairness/reportable.js';
import { f64, i32, u8 } from '../numeric/typed.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';

/** Rows whose outcome is not known yet. */
export interface UnlabelledRows {
  /** Calibrated probability of the positive class: {@link calibrate}. */
  readonly probabilities: Float64Array;
  /** 1 where the positive class was predicted. */
  readonly selected: Uint8Array;
  /** The score as the model gave it, for the order; null when there is none. */
  readonly scores: Float64Array | null;
}

/** What performance is expected to be. */
export interface ExpectedPerformance {
  readonly n: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly accuracy: Estimate;
  readonly precision: Estimate;
  readonly truePositiveRate: Estimate;
  readonly falsePositiveRate: Estimate;
  readonly f1: Estimate;
  readonly areaUnderCurve: Estimate;
}

/** Expected positives and their variance Σ p (1 - p), among those selected and the others. */
interface Sums {
  n: number;
  chosen: number;
  /** Expected positives among the selected, and among the others. */
  hits: number;
  misses: number;
  /** Variances of the same. */
  hitsVariance: number;
  missesVariance: number;
}

function sumsOf({ probabilities, selected }: UnlabelledRows): Sums {
  const sums = { n: probabilities.length, chosen: 0, hits: 0, misses: 0, hitsVariance: 0, missesVariance: 0 };
  for (let row = 0; row < sums.n; row += 1) {
    const p = f64(probabilities, row);
    if (u8(selected, row) === 1) {
      sums.chosen += 1;
      sums.hits += p;
      sums.hitsVariance += p * (1 - p);
    } else {
      sums.misses += p;
      sums.missesVariance += p * (1 - p);
    }
  }
  return sums;
}

/** A share with an interval from a variance, kept within 0 and 1. */
function around(value: number, variance: number, n: number): Estimate {
  const half = twoSidedZ(CONFIDENCE) * Math.sqrt(Math.max(0, variance));
  return { value, n, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** Delta method: variance of a function of hits and misses, which are independent. */
const deltaVariance = (sums: Sums, byHits: number, byMisses: number): number =>
  byHits ** 2 * sums.hitsVariance + byMisses ** 2 * sums.missesVariance;

function sharesOf(sums: Sums): Pick<ExpectedPerformance, 'truePositiveRate' | 'falsePositiveRate' | 'f1'> {
  const { n, chosen, hits, misses } = sums;
  const positives = hits + misses;
  const negatives = n - positives;
  const both = chosen + positives;
  return {
    truePositiveRate:
      positives <= 0
        ? unknown(n, 'No positive outcome is expected.')
        : around(hits / positives, deltaVariance(sums, misses / positives ** 2, hits / positives ** 2), n),
    falsePositiveRate:
      negatives <= 0
        ? unknown(n, 'No negative outcome is expected.')
        : around(
            (chosen - hits) / negatives,
            // d/dhits of (c - h) / (n - h - m), and d/dmisses.
            deltaVariance(
              sums,
              (chosen - hits - negatives) / negatives ** 2,
              (chosen - hits) / negatives ** 2,
            ),
            n,
          ),
    f1:
      both <= 0
        ? unknown(n, 'No positive is expected or predicted.')
        : around(
            (2 * hits) / both,
            deltaVariance(sums, (2 * (both - hits)) / both ** 2, (2 * hits) / both ** 2),
            n,
          ),
  };
}

/**
 * Performance that calibrated probabilities lead to expect, without outcomes (CBPE): E[TP] = Σ p over the selected,
 * E[FP] = Σ (1 - p), and so on; Var(TP) = Σ p (1 - p). 95 % intervals by the delta method: the spread of outcomes
 * around the probabilities, and not the error of the calibration. Holds while P(y | score) stays what it was in the
 * reference; it cannot see a change of it.
 */
export function expectedPerformance(rows: UnlabelledRows): ExpectedPerformance {
  checkRows(rows);
  const sums = sumsOf(rows);
  const { n, chosen, hits, misses } = sums;
  const right = hits + (n - chosen - misses);
  return {
    n,
    truePositives: hits,
    falsePositives: chosen - hits,
    falseNegatives: misses,
    trueNegatives: n - chosen - misses,
    accuracy: n === 0 ? unknown(0, 'No rows.') : around(right / n, deltaVariance(sums, 1 / n, 1 / n), n),
    precision:
      chosen === 0
        ? unknown(n, 'No row is selected.')
        : around(hits / chosen, sums.hitsVariance / chosen ** 2, n),
    ...sharesOf(sums),
    areaUnderCurve: expectedArea(rows),
  };
}

function checkRows({ probabilities, selected, scores }: UnlabelledRows): void {
  const lengths = [selected.length, scores?.length ?? probabilities.length];
  if (lengths.some((length) => length !== probabilities.length))
    throw new AnalysisInputError('Probabilities, predictions and scores have other lengths.');
  if (probabilities.some((p) => !(p >= 0 && p <= 1)))
    throw new AnalysisInputError('A calibrated probability lies outside of 0 and 1.');
  if (selected.some((value) => value > 1)) throw new AnalysisInputError('A prediction is 0 or 1.');
}

/** Rows of one score: their expected positives and negatives. */
interface Tie {
  readonly rows: number[];
  positives: number;
  negatives: number;
}

function tiesOf(scores: Float64Array, probabilities: Float64Array): Tie[] {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => f64(scores, a) - f64(scores, b));
  const ties: Tie[] = [];
  let last = Number.NaN;
  for (const row of order) {
    const tie = f64(scores, row) === last ? ties.at(-1) : undefined;
    const p = f64(probabilities, row);
    if (tie) {
      tie.rows.push(row);
      tie.positives += p;
      tie.negatives += 1 - p;
    } else ties.push({ rows: [row], positives: p, negatives: 1 - p });
    last = f64(scores, row);
  }
  return ties;
}

/**
 * Expected pairs in the right order over expected pairs, ties counting half: the trapezoids under the expected curve,
 * where rows of equal score are one step. Interval by the derivative of the ratio by each outcome.
 */
function expectedArea({ scores, probabilities }: UnlabelledRows): Estimate {
  const n = probabilities.length;
  if (scores === null) return unknown(n, 'There are no scores, only predictions.');
  const ties = tiesOf(scores, probabilities);
  const positives = ties.reduce((sum, tie) => sum + tie.positives, 0);
  const negatives = n - positives;
  if (positives <= 0 || negatives <= 0) return unknown(n, 'Only one class is expected.');
  let [below, area] = [0, 0];
  for (const tie of ties) {
    area += tie.positives * (below + tie.negatives / 2);
    below += tie.negatives;
  }
  const value = area / (positives * negatives);
  let [negativesBelow, positivesAbove, variance] = [0, positives, 0];
  for (const tie of ties) {
    positivesAbove -= tie.positives;
    const asPositive = (negativesBelow + tie.negatives / 2) / (positives * negatives) - value / positives;
    const asNegative = (positivesAbove + tie.positives / 2) / (positives * negatives) - value / negatives;
    for (const row of tie.rows) {
      const p = f64(probabilities, row);
      variance += p * (1 - p) * (asPositive - asNegative) ** 2;
    }
    negativesBelow += tie.negatives;
  }
  return around(value, variance, n);
}

/** The same of each group; a group of fewer rows than `smallest` has none, and says so. */
export function expectedByGroup(
  rows: UnlabelledRows,
  { groups, codes }: GroupCodes,
  smallest = SMALLEST_GROUP,
): {
  readonly group: string;
  readonly performance: ExpectedPerformance | null;
  readonly reason: string | null;
}[] {
  checkRows(rows);
  if (codes.length !== rows.selected.length)
    throw new AnalysisInputError('The groups are given for another number of rows.');
  return groups.map((group, code) => {
    const isHere = (_: number, row: number): boolean => i32(codes, row) === code;
    const selected = rows.selected.filter(isHere);
    if (selected.length < smallest)
      return { group, performance: null, reason: `Fewer than ${String(smallest)} rows.` };
    const probabilities = rows.probabilities.filter(isHere);
    const scores = rows.scores?.filter(isHere) ?? null;
    return { group, performance: expectedPerformance({ probabilities, selected, scores }), reason: null };
  });
}
