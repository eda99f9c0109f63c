import type { Proportion } from '../statistics/proportions.js';
import type { GroupCounts } from './counts.js';

/** Shares that are compared between groups. */
export const GROUP_METRICS = [
  'selectionRate',
  'truePositiveRate',
  'falsePositiveRate',
  'precision',
  'accuracy',
  'prevalence',
] as const;

/** The name of a share that is compared between groups. */
export type GroupMetric = (typeof GROUP_METRICS)[number];

/** Counts that make up a share, or null when it needs a truth that is not known. */
export function proportionOf(metric: GroupMetric, counts: GroupCounts): Proportion | null {
  if (metric === 'selectionRate') return { successes: counts.selected, n: counts.n };
  if (counts.cells === null) return null;
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = counts.cells;
  const shares: Readonly<Record<Exclude<GroupMetric, 'selectionRate'>, Proportion>> = {
    truePositiveRate: { successes: tp, n: tp + fn },
    falsePositiveRate: { successes: fp, n: fp + tn },
    precision: { successes: tp, n: tp + fp },
    accuracy: { successes: tp + tn, n: counts.n },
    prevalence: { successes: tp + fn, n: counts.n },
  };
  return shares[metric];
}
