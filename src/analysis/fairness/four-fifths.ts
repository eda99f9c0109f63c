import type { Estimate } from '../statistics/estimate.js';
import { compareProportions, katzRatio, type Proportion, type Test } from '../statistics/proportions.js';
import type { GroupCounts } from './counts.js';
import { reportable } from './reportable.js';

/** One group beside the group with the highest selection rate. */
export interface FourFifthsRow {
  readonly group: string;
  readonly ratio: Estimate;
  readonly test: Test;
  /** Where the ratio and its whole interval lie: the point may fall below four fifths while the interval straddles. */
  readonly verdict: 'below' | 'straddles' | 'above' | 'unknown';
  readonly isPointBelow: boolean | null;
}

/** Selection rates in the manner of 29 CFR 1607.4(D). */
export interface FourFifthsView {
  /** Group with the highest selection rate; null when no group is large enough. */
  readonly highest: string | null;
  readonly rows: readonly FourFifthsRow[];
  /** Groups too small to judge, with the reason. */
  readonly excluded: readonly { readonly group: string; readonly reason: string }[];
}

const FOUR_FIFTHS = 0.8;

/** Ratio of each selection rate to the highest, with interval and test. */
export function fourFifthsView(groups: readonly GroupCounts[], smallest: number): FourFifthsView {
  const counted: { group: string; share: Proportion }[] = [];
  const excluded: { group: string; reason: string }[] = [];
  for (const { group, selected, n } of groups) {
    const share = reportable({ successes: selected, n }, smallest);
    if (typeof share === 'string') excluded.push({ group, reason: share });
    else counted.push({ group, share });
  }
  const rate = ({ share }: { share: Proportion }): number => share.successes / share.n;
  const highest = counted.reduce<(typeof counted)[number] | null>(
    (top, group) => (top === null || rate(group) > rate(top) ? group : top),
    null,
  );
  if (highest === null) return { highest: null, rows: [], excluded };
  const rows = counted
    .filter((group) => group !== highest)
    .map(({ group, share }) => rowOf(group, share, highest.share));
  return { highest: highest.group, rows, excluded };
}

function rowOf(group: string, share: Proportion, highest: Proportion): FourFifthsRow {
  const ratio = katzRatio(share, highest);
  const test = compareProportions(share, highest);
  if (ratio.value === null) return { group, ratio, test, verdict: 'unknown', isPointBelow: null };
  const verdict = ratio.high < FOUR_FIFTHS ? 'below' : ratio.low >= FOUR_FIFTHS ? 'above' : 'straddles';
  return { group, ratio, test, verdict, isPointBelow: ratio.value < FOUR_FIFTHS };
}
