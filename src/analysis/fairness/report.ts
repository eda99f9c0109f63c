import type { Estimate } from '../statistics/estimate.js';
import { unknown } from '../statistics/estimate.js';
import { meanEstimate, type Moments } from '../statistics/mean.js';
import { wilson } from '../statistics/proportions.js';
import { type Comparison, compareGroups, correctForMany } from './comparisons.js';
import type { CountedGroups, GroupCounts } from './counts.js';
import { type FourFifthsView, fourFifthsView } from './four-fifths.js';
import { GROUP_METRICS, type GroupMetric, proportionOf } from './metrics.js';
import { type Disparity, disparityOf } from './disparity.js';
import { reportable, SMALLEST_GROUP } from './reportable.js';
import { type ShownCounts, suppressSmallCells } from './suppression.js';

/** Shares and errors of one group. */
export interface GroupReport {
  readonly group: string;
  /** Counts as they may be shown. */
  readonly counts: ShownCounts;
  readonly metrics: Readonly<Record<GroupMetric, Estimate>>;
  readonly brier: Estimate;
  /** Mean probability minus share of positives: calibration in the large. */
  readonly overestimate: Estimate;
}

export interface FairnessReport {
  readonly attribute: string;
  readonly n: number;
  /** Rows left out because their group is unknown. */
  readonly unknown: number;
  readonly reference: string | null;
  readonly groups: readonly GroupReport[];
  /** Each group beside the reference group, every metric; p-values also corrected for their number (Holm). */
  readonly comparisons: readonly Comparison[];
  /** Spread over all groups, per metric. */
  readonly disparities: readonly Disparity[];
  readonly fourFifths: FourFifthsView;
}

export interface FairnessOptions {
  /** Group that the others are compared with; by default the largest. */
  readonly reference?: string;
  /** Shares of fewer rows are not reported. */
  readonly smallest?: number;
  /** Seed of the bootstrap. */
  readonly seed?: number;
}

/**
 * Fairness of decisions between the groups of an attribute: shares, differences, ratios and tests, each with its
 * sample size and interval. What is undefined is null with the reason, and stays out of minima and maxima.
 */
export function fairnessReport(counted: CountedGroups, options: FairnessOptions = {}): FairnessReport {
  const smallest = options.smallest ?? SMALLEST_GROUP;
  const { groups } = counted;
  const reference = referenceOf(groups, options.reference);
  const shown = suppressSmallCells(groups);
  return {
    attribute: counted.attribute,
    n: groups.reduce((sum, { n }) => sum + n, 0),
    unknown: counted.unknown,
    reference: reference?.group ?? null,
    groups: groups.map((group, index) => groupReport(group, shown[index] ?? hiddenCounts(), smallest)),
    comparisons: reference === null ? [] : correctForMany(compareGroups(groups, reference, smallest)),
    disparities: GROUP_METRICS.map((metric) => disparityOf(metric, groups, smallest, options.seed ?? 1)),
    fourFifths: fourFifthsView(groups, smallest),
  };
}

function hiddenCounts(): ShownCounts {
  return { n: null, truePositives: null, falsePositives: null, falseNegatives: null, trueNegatives: null };
}

function referenceOf(groups: readonly GroupCounts[], wanted: string | undefined): GroupCounts | null {
  if (wanted !== undefined) return groups.find(({ group }) => group === wanted) ?? null;
  return groups.reduce<GroupCounts | null>(
    (most, group) => (most === null || group.n > most.n ? group : most),
    null,
  );
}

function groupReport(group: GroupCounts, counts: ShownCounts, smallest: number): GroupReport {
  const estimate = (metric: GroupMetric): Estimate => {
    const share = reportable(proportionOf(metric, group), smallest);
    // The rows of the group are not those of a share that counts some of them only, so they do not stand beside it.
    return typeof share === 'string' ? unknown(null, share) : wilson(share);
  };
  const mean = (moments: Moments | null): Estimate => {
    if (moments === null) return unknown(counts.n, 'Truth or probabilities are not known.');
    return moments.n < smallest
      ? unknown(counts.n, `Fewer than ${String(smallest)} rows.`)
      : meanEstimate(moments);
  };
  return {
    group: group.group,
    counts,
    metrics: {
      selectionRate: estimate('selectionRate'),
      truePositiveRate: estimate('truePositiveRate'),
      falsePositiveRate: estimate('falsePositiveRate'),
      precision: estimate('precision'),
      accuracy: estimate('accuracy'),
      prevalence: estimate('prevalence'),
    },
    brier: mean(group.squaredError),
    overestimate: mean(group.overestimate),
  };
}
