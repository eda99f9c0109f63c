import type { Proportion } from '../statistics/proportions.js';

/** Fewest rows of a share that is reported, where nothing else is asked for. */
export const SMALLEST_GROUP = 30;

/** A share that is large enough to report, or the reason why it is not. */
export function reportable(share: Proportion | null, smallest: number): Proportion | string {
  if (share === null) return 'The truth of these decisions is not known.';
  if (share.n === 0) return 'No rows to count.';
  return share.n < smallest ? `Fewer than ${String(smallest)} rows.` : share;
}
