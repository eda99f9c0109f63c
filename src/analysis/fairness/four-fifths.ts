import type { Estimate } from '../statistics/estimate.js';
import { compareProportions, katzRatio, type Proportion, type Test } from '../statistics/proportions.js';
import type { GroupCounts } from './counts.js';
import { type Excluded, type Reporting, splitShares } from './reportable.js';

/** One group beside the group with the highest selection rate. */
export interface FourFifthsRow {
  readonly group: string;
  readonly ratio: Estimate;
  readonly test: Test;
  /** Where the ratio and its whole interval lie: the point may fall below four fifths while the interval straddles. */
  readonly verdict: 'below' | 'straddles' | 'above' | 'unknown';
  /** More than 1.96 standard errors apart (the "two standard deviations" of US courts); null without a z test. */
  readonly isTwoDeviations: boolean | null;
  readonly isPointBelow: boolean | null;
}

/** Selection rates in the manner of 29 CFR 1607.4(D). */
export interface FourFifthsView {
  /** Group with the highest selection rate; null when no group is large enough. */
  readonly highest: string | null;
  readonly rows: readonly FourFifthsRow[];
  /** Groups too small to judge, with the reason. */
  readonly excluded: readonly Excluded[];
}

const FOUR_FIFTHS = 0.8;
const TWO_DEVIATIONS = 1.96;

/** Ratio of each selection rate to the highest, with interval and test. */
export function fourFifthsView(groups: readonly GroupCounts[], reporting: Reporting): FourFifthsView {
  const { shares, excluded } = splitShares('selectionRate', groups, reporting);
  const rate = ({ successes, n }: Proportion): number => successes / n;
  const highest = shares.reduce<(typeof shares)[number] | null>(
    (top, group) => (top === null || rate(group) > rate(top) ? group : top),
    null,
  );
  if (highest === null) return { highest: null, rows: [], excluded };
  const rows = shares.filter((share) => share !== highest).map((share) => rowOf(share.group, share, highest));
  return { highest: highest.group, rows, excluded };
}

function rowOf(group: string, share: Proportion, highest: Proportion): FourFifthsRow {
  const ratio = katzRatio(share, highest);
  const test = compareProportions(share, highest);
  const isTwoDeviations =
    test.method === null || test.statistic === null ? null : Math.abs(test.statistic) >= TWO_DEVIATIONS;
  if (ratio.value === null)
    return { group, ratio, test, verdict: 'unknown', isPointBelow: null, isTwoDeviations };
  const verdict = ratio.high < FOUR_FIFTHS ? 'below' : ratio.low >= FOUR_FIFTHS ? 'above' : 'straddles';
  return { group, ratio, test, verdict, isPointBelow: ratio.value < FOUR_FIFTHS, isTwoDeviations };
}
