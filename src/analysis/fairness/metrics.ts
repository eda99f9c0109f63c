import type { Proportion } from '../statistics/proportions.js';
import type { GroupCounts, OutcomeCells } from './counts.js';

/**
 * Shares that are compared between groups and tested: the family of the correction for many tests. Each of the other
 * shares is one minus one of these, with the same p-value, so it would only dilute the family.
 */
export const GROUP_METRICS = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'precision',
  'negativePredictiveValue',
  'accuracy',
  'prevalence',
] as const;

/** Shares that are one minus another one. */
export const COMPLEMENTS = {
  trueNegativeRate: 'falsePositiveRate',
  falseNegativeRate: 'truePositiveRate',
  falseDiscoveryRate: 'precision',
  falseOmissionRate: 'negativePredictiveValue',
  errorRate: 'accuracy',
} as const;

/** The name of a share that is compared between groups. */
export type GroupMetric = (typeof GROUP_METRICS)[number];

/** The name of any share of a group. */
export type GroupShare = GroupMetric | keyof typeof COMPLEMENTS;

/** All shares of a group, tested ones first. */
export const GROUP_SHARES: readonly GroupShare[] = [
  ...GROUP_METRICS,
  'trueNegativeRate',
  'falseNegativeRate',
  'falseDiscoveryRate',
  'falseOmissionRate',
  'errorRate',
];

type CellPair = readonly [successes: number, n: number];

/** Formulas of maths: SR = (TP+FP)/n, TPR = TP/(TP+FN), FPR = FP/(FP+TN), PPV, NPV and so on. */
const FROM_CELLS: Readonly<Record<GroupShare, (tp: number, fp: number, fn: number, tn: number) => CellPair>> =
  {
    selectionRate: (tp, fp, fn, tn) => [tp + fp, tp + fp + fn + tn],
    truePositiveRate: (tp, _, fn) => [tp, tp + fn],
    falsePositiveRate: (_, fp, _fn, tn) => [fp, fp + tn],
    precision: (tp, fp) => [tp, tp + fp],
    negativePredictiveValue: (_, _fp, fn, tn) => [tn, tn + fn],
    accuracy: (tp, fp, fn, tn) => [tp + tn, tp + fp + fn + tn],
    prevalence: (tp, fp, fn, tn) => [tp + fn, tp + fp + fn + tn],
    trueNegativeRate: (_, fp, _fn, tn) => [tn, fp + tn],
    falseNegativeRate: (tp, _, fn) => [fn, tp + fn],
    falseDiscoveryRate: (tp, fp) => [fp, tp + fp],
    falseOmissionRate: (_, _fp, fn, tn) => [fn, tn + fn],
    errorRate: (tp, fp, fn, tn) => [fp + fn, tp + fp + fn + tn],
  };

/** A share of the four cells of a group; 0 of 0 where it has no rows. Cells may be sums of weights. */
export function shareOfCells(metric: GroupShare, cells: OutcomeCells): Proportion {
  const { truePositives, falsePositives, falseNegatives, trueNegatives } = cells;
  const [successes, n] = FROM_CELLS[metric](truePositives, falsePositives, falseNegatives, trueNegatives);
  return { successes, n };
}

/** A share as a plain quotient of the four cells, NaN for 0 of 0: what a bootstrap replicate computes. */
export function rateOfCells(metric: GroupShare, [tp, fp, fn, tn]: readonly number[]): number {
  const [successes, n] = FROM_CELLS[metric](tp ?? NaN, fp ?? NaN, fn ?? NaN, tn ?? NaN);
  return successes / n;
}

/** Counts that make up a share, or null when it needs a truth that is not known. */
export function proportionOf(metric: GroupShare, counts: GroupCounts): Proportion | null {
  if (metric === 'selectionRate') return { successes: counts.selected, n: counts.n };
  return counts.cells === null ? null : shareOfCells(metric, counts.cells);
}

/** One value for each share. */
export function recordOfShares<Value>(of: (metric: GroupShare) => Value): Record<GroupShare, Value> {
  return {
    selectionRate: of('selectionRate'),
    truePositiveRate: of('truePositiveRate'),
    falsePositiveRate: of('falsePositiveRate'),
    precision: of('precision'),
    negativePredictiveValue: of('negativePredictiveValue'),
    accuracy: of('accuracy'),
    prevalence: of('prevalence'),
    trueNegativeRate: of('trueNegativeRate'),
    falseNegativeRate: of('falseNegativeRate'),
    falseDiscoveryRate: of('falseDiscoveryRate'),
    falseOmissionRate: of('falseOmissionRate'),
    errorRate: of('errorRate'),
  };
}
