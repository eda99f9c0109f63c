import type { Estimate } from '../statistics/estimate.js';
import { unknown } from '../statistics/estimate.js';
import { meanEstimate, type Moments } from '../statistics/mean.js';
import { wilson } from '../statistics/proportions.js';
import { type Comparison, compareGroups, correctForMany } from './comparisons.js';
import type { CountedGroups, GroupCounts } from './counts.js';
import { type FourFifthsView, fourFifthsView } from './four-fifths.js';
import { type Disparity, disparitiesOf, type EqualizedOdds } from './disparity.js';
import { GROUP_METRICS, type GroupShare, proportionOf, recordOfShares } from './metrics.js';
import { reportable, type Reporting, USUAL } from './reportable.js';
import { USUAL_BOOTSTRAP } from './spreads.js';
import { type ShownCounts, suppressSmallCells } from './suppression.js';

/** Shares and errors of one group. */
export interface GroupReport {
  readonly group: string;
  /** Counts as they may be shown. */
  readonly counts: ShownCounts;
  readonly metrics: Readonly<Record<GroupShare, Estimate>>;
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
  readonly equalizedOdds: EqualizedOdds;
  readonly fourFifths: FourFifthsView;
}

export interface FairnessOptions {
  /** Group that the others are compared with; by default the largest. */
  readonly reference?: string;
  /** Shares of fewer rows are not reported. */
  readonly smallest?: number;
  /** Also withhold shares that give away a count from 1 to 10. */
  readonly hideSmallCounts?: boolean;
  /** Seed of the bootstrap. */
  readonly seed?: number;
  /** Replicates of the bootstrap. */
  readonly replicates?: number;
}

/**
 * Fairness of decisions between the groups of an attribute: shares, differences, ratios and tests, each with its
 * sample size and interval. What is undefined is null with the reason, and stays out of minima and maxima.
 */
export function fairnessReport(counted: CountedGroups, options: FairnessOptions = {}): FairnessReport {
  const reporting: Reporting = {
    smallest: options.smallest ?? USUAL.smallest,
    hideSmallCounts: options.hideSmallCounts ?? USUAL.hideSmallCounts,
  };
  const { seed = USUAL_BOOTSTRAP.seed, replicates = USUAL_BOOTSTRAP.replicates } = options;
  const { groups } = counted;
  const reference = referenceOf(groups, options.reference);
  const shown = suppressSmallCells(groups);
  return {
    attribute: counted.attribute,
    n: groups.reduce((sum, { n }) => sum + n, 0),
    unknown: counted.unknown,
    reference: reference?.group ?? null,
    groups: groups.map((group, index) => groupReport(group, shown[index] ?? hiddenCounts(), reporting)),
    comparisons: reference === null ? [] : correctForMany(compareGroups(groups, reference, reporting)),
    ...disparitiesOf(GROUP_METRICS, groups, reporting, { seed, replicates }),
    fourFifths: fourFifthsView(groups, reporting),
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

function groupReport(group: GroupCounts, counts: ShownCounts, reporting: Reporting): GroupReport {
  const estimate = (metric: GroupShare): Estimate => {
    const share = reportable(proportionOf(metric, group), reporting);
    // The rows of the group are not those of a share that counts some of them only, so they do not stand beside it.
    return typeof share === 'string' ? unknown(null, share) : wilson(share);
  };
  const mean = (moments: Moments | null): Estimate => {
    if (moments === null) return unknown(counts.n, 'Truth or probabilities are not known.');
    return moments.n < reporting.smallest
      ? unknown(counts.n, `Fewer than ${String(reporting.smallest)} rows.`)
      : meanEstimate(moments);
  };
  return {
    group: group.group,
    counts,
    metrics: recordOfShares(estimate),
    brier: mean(group.squaredError),
    overestimate: mean(group.overestimate),
  };
}
