import type { Proportion } from '../statistics/proportions.js';
import type { GroupCounts } from './counts.js';
import { type GroupShare, proportionOf } from './metrics.js';

/** Fewest rows of a share that is reported, where nothing else is asked for. */
export const SMALLEST_GROUP = 30;

/** Largest count that is hidden as one of too few people. */
export const LARGEST_HIDDEN = 10;

/** What is not reported. */
export interface Reporting {
  /** Shares of fewer rows are not reported. */
  readonly smallest: number;
  /** Also withhold shares whose product with their rows is a count from 1 to 10, of either outcome. */
  readonly hideSmallCounts: boolean;
}

/** The usual: shares from 30 rows on. */
export const USUAL: Reporting = { smallest: SMALLEST_GROUP, hideSmallCounts: false };

const isSmall = (count: number): boolean => count > 0 && count <= LARGEST_HIDDEN;

/** A share that may be reported, or the reason why not. */
export function reportable(
  share: Proportion | null,
  { smallest, hideSmallCounts }: Reporting,
): Proportion | string {
  if (share === null) return 'The truth of these decisions is not known.';
  if (share.n === 0) return 'No rows to count.';
  if (share.n < smallest) return `Fewer than ${String(smallest)} rows.`;
  if (hideSmallCounts && (isSmall(share.successes) || isSmall(share.n - share.successes))) {
    return `From 1 to ${String(LARGEST_HIDDEN)} rows with one of the outcomes.`;
  }
  return share;
}

/** A group with a share that may be reported. */
export interface NamedShare extends Proportion {
  readonly group: string;
}

/** A group left out of a comparison, with the reason. */
export interface Excluded {
  readonly group: string;
  readonly reason: string;
}

/** The groups whose share may be reported, and the others with the reason. */
export function splitShares(
  metric: GroupShare,
  groups: readonly GroupCounts[],
  reporting: Reporting,
): { readonly shares: NamedShare[]; readonly excluded: Excluded[] } {
  const shares: NamedShare[] = [];
  const excluded: Excluded[] = [];
  for (const group of groups) {
    const share = reportable(proportionOf(metric, group), reporting);
    if (typeof share === 'string') excluded.push({ group: group.group, reason: share });
    else shares.push({ ...share, group: group.group });
  }
  return { shares, excluded };
}
