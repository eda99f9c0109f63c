import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { compareProportions, katzRatio, newcombe, type Test } from '../statistics/proportions.js';
import { untested } from './comparisons.js';
import type { GroupCounts } from './counts.js';
import { GROUP_SHARES, type GroupShare, proportionOf } from './metrics.js';
import { poolGroups } from './pool.js';
import { reportable, type Reporting, USUAL } from './reportable.js';
import { bootstrapSpreads, type BootstrapOptions, type SharePlan, USUAL_BOOTSTRAP } from './spreads.js';

/** One share of the unprivileged beside the same of the privileged, as AIF360 orders them. */
export interface Contrast {
  readonly metric: GroupShare;
  /** Unprivileged minus privileged. Selection rate: statistical parity difference. TPR: equal opportunity difference. */
  readonly difference: Estimate;
  /** Unprivileged over privileged. Selection rate: disparate impact. */
  readonly ratio: Estimate;
  readonly test: Test;
}

/** All that AIF360 compares between two sides. */
export interface Contrasts {
  readonly unprivileged: string;
  readonly privileged: string;
  readonly shares: readonly Contrast[];
  /** Mean of the differences of the false and the true positive rate. */
  readonly averageOddsDifference: Estimate;
  /** Mean of their sizes. */
  readonly averageAbsoluteOddsDifference: Estimate;
  /** Mean of the differences of the positive predictive value and the false omission rate. */
  readonly averagePredictiveValueDifference: Estimate;
}

/** Which groups are the privileged ones, and what is reported. */
export interface ContrastOptions {
  readonly privileged: readonly string[];
  /** By default all others. */
  readonly unprivileged?: readonly string[];
  readonly reporting?: Reporting;
  readonly bootstrap?: BootstrapOptions;
}

const AVERAGED = ['truePositiveRate', 'falsePositiveRate', 'precision', 'falseOmissionRate'] as const;

/**
 * Unprivileged beside privileged groups: difference (Newcombe), ratio (Katz) and test of every share, and the averages
 * of AIF360 with bootstrap intervals. What is undefined is null with the reason.
 * @throws AnalysisInputError when a named group is not there, a side is empty, or a group stands on both.
 */
export function contrastGroups(groups: readonly GroupCounts[], options: ContrastOptions): Contrasts {
  const { privileged, reporting = USUAL, bootstrap = USUAL_BOOTSTRAP } = options;
  const others =
    options.unprivileged ?? groups.map(({ group }) => group).filter((group) => !privileged.includes(group));
  if (others.some((group) => privileged.includes(group)))
    throw new AnalysisInputError('A group stands on both sides.');
  const sides: readonly [GroupCounts, GroupCounts] = [
    poolGroups(groups, others),
    poolGroups(groups, privileged),
  ];
  const shares = GROUP_SHARES.map((metric) => contrast(metric, sides, reporting));
  const [odds, absolute, predictive] = averagesOf(sides, reporting, bootstrap);
  const none = unknown(null, 'Not computed.');
  return {
    unprivileged: sides[0].group,
    privileged: sides[1].group,
    shares,
    averageOddsDifference: odds ?? none,
    averageAbsoluteOddsDifference: absolute ?? none,
    averagePredictiveValueDifference: predictive ?? none,
  };
}

function contrast(
  metric: GroupShare,
  [first, second]: readonly [GroupCounts, GroupCounts],
  reporting: Reporting,
): Contrast {
  const a = reportable(proportionOf(metric, first), reporting);
  const b = reportable(proportionOf(metric, second), reporting);
  if (typeof a === 'string') return { metric, ...untested(`${first.group}: ${a}`) };
  if (typeof b === 'string') return { metric, ...untested(`${second.group}: ${b}`) };
  return { metric, difference: newcombe(a, b), ratio: katzRatio(a, b), test: compareProportions(a, b) };
}

function averagesOf(
  sides: readonly [GroupCounts, GroupCounts],
  reporting: Reporting,
  bootstrap: BootstrapOptions,
): Estimate[] {
  const plans = AVERAGED.map((metric): SharePlan => {
    const known = sides.every(
      (side) => typeof reportable(proportionOf(metric, side), reporting) !== 'string',
    );
    return { metric, places: known ? [0, 1] : [] };
  });
  const evaluate = (rates: readonly Float64Array[], out: Float64Array): void => {
    const [tpr = NaN, fpr = NaN, ppv = NaN, omission = NaN] = rates.map((pair) =>
      pair.length < 3 ? NaN : f64(pair, 0) - f64(pair, 1),
    );
    out[0] = (fpr + tpr) / 2;
    out[1] = (Math.abs(fpr) + Math.abs(tpr)) / 2;
    out[2] = (ppv + omission) / 2;
  };
  const spreads = bootstrapSpreads(sides, plans, { count: 3, evaluate }, bootstrap);
  return spreads.map(({ estimate }) => estimate);
}
