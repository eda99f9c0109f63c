import { bootstrapCounts, neverCertain } from '../statistics/bootstrap.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import type { Proportion, Test } from '../statistics/proportions.js';
import { randomStream } from '../statistics/random.js';
import { homogeneity } from '../statistics/tests.js';
import type { GroupCounts } from './counts.js';
import { type GroupMetric, proportionOf } from './metrics.js';
import { reportable } from './reportable.js';

/** How far the groups lie apart in one metric. */
export interface Disparity {
  readonly metric: GroupMetric;
  readonly highest: string | null;
  readonly lowest: string | null;
  /** Highest minus lowest share; bootstrap interval. */
  readonly difference: Estimate;
  /** Lowest over highest share; bootstrap interval. */
  readonly ratio: Estimate;
  /** How much sampling alone widens the difference: the bootstrap mean minus the value. */
  readonly bias: number | null;
  /** Do the groups differ at all? */
  readonly homogeneity: Test;
  /** Groups that could not be counted, with the reason. */
  readonly excluded: readonly { readonly group: string; readonly reason: string }[];
}

interface NamedShare extends Proportion {
  readonly group: string;
}

/** Spread of a metric over the groups that are large enough. */
export function disparityOf(
  metric: GroupMetric,
  groups: readonly GroupCounts[],
  smallest: number,
  seed: number,
): Disparity {
  const shares: NamedShare[] = [];
  const excluded: { group: string; reason: string }[] = [];
  for (const group of groups) {
    const share = reportable(proportionOf(metric, group), smallest);
    if (typeof share === 'string') excluded.push({ group: group.group, reason: share });
    else shares.push({ ...share, group: group.group });
  }
  const ordered = shares.toSorted((a, b) => a.successes / a.n - b.successes / b.n);
  const [lowest, highest] = [ordered.at(0), ordered.at(-1)];
  if (lowest === undefined || highest === undefined || lowest === highest) {
    const missing = unknown(null, 'Fewer than two groups are large enough to compare.');
    const test: Test = { method: null, reason: 'Fewer than two groups are large enough to compare.' };
    return {
      metric,
      highest: null,
      lowest: null,
      difference: missing,
      ratio: missing,
      bias: null,
      homogeneity: test,
      excluded,
    };
  }
  const spread = spreadOf(shares, seed);
  return {
    metric,
    highest: highest.group,
    lowest: lowest.group,
    ...spread,
    homogeneity: homogeneity(shares),
    excluded,
  };
}

type Counts = readonly (readonly number[])[];

function extremes(groups: Counts): readonly [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const [successes = 0, failures = 0] of groups) {
    const share = successes / (successes + failures);
    low = Math.min(low, share);
    high = Math.max(high, share);
  }
  return [low, high];
}

function spreadOf(
  shares: readonly Proportion[],
  seed: number,
): Pick<Disparity, 'difference' | 'ratio' | 'bias'> {
  const counts = shares.map(({ successes, n }) => [successes, n - successes]);
  const n = shares.reduce((sum, share) => sum + share.n, 0);
  const gap = (groups: Counts): number => {
    const [low, high] = extremes(groups);
    return high - low;
  };
  const quotient = (groups: Counts): number | null => {
    const [low, high] = extremes(groups);
    return high === 0 ? null : low / high;
  };
  const ofGap = bootstrapCounts(counts, gap, randomStream(seed), { chances: neverCertain });
  const ofQuotient = bootstrapCounts(counts, quotient, randomStream(seed), { chances: neverCertain });
  const ratio = quotient(counts);
  return {
    difference:
      ofGap === null
        ? unknown(n, 'No interval.')
        : { value: gap(counts), n, low: ofGap.low, high: ofGap.high },
    ratio:
      ofQuotient === null || ratio === null
        ? unknown(n, 'The highest share is zero, so the ratio is undefined.')
        : { value: ratio, n, low: ofQuotient.low, high: ofQuotient.high },
    bias: ofGap?.bias ?? null,
  };
}
