import { CONFIDENCE } from './estimate.js';
import type { RandomStream } from './random.js';

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * Counts drawn anew with the same total: one multinomial replicate, at a cost that does not depend on the total. What
 * is drawn has the chances of `weights`, by default of the counts themselves.
 */
export function resampleCounts(
  counts: readonly number[],
  stream: RandomStream,
  weights: readonly number[] = counts,
): number[] {
  let left = sumOf(counts);
  let weight = sumOf(weights);
  return weights.map((own) => {
    const drawn = weight <= 0 ? 0 : stream.binomial(left, Math.min(1, own / weight));
    left -= drawn;
    weight -= own;
    return drawn;
  });
}

/**
 * Chances for a group of which all rows or none count: half a row on each side. Drawn from what was seen alone, it
 * would come out the same every time, as if no other outcome were possible.
 */
export const neverCertain = (counts: readonly number[]): readonly number[] =>
  counts.includes(0) ? counts.map((count) => count + 0.5) : counts;

export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  /** Mean of the replicates minus the statistic: how far it leans because of sampling alone. */
  readonly bias: number;
  /** Replicates in which the statistic was defined. */
  readonly replicates: number;
}

/**
 * Percentile interval of a statistic of several groups of counts, each group resampled by itself. The statistic
 * returns null where it is undefined; null when fewer than half of the replicates define it.
 */
export function bootstrapCounts(
  groups: readonly (readonly number[])[],
  statistic: (groups: readonly (readonly number[])[]) => number | null,
  stream: RandomStream,
  options: {
    replicates?: number;
    confidence?: number;
    chances?: (counts: readonly number[]) => readonly number[];
  } = {},
): BootstrapInterval | null {
  const { replicates = 2000, confidence = CONFIDENCE, chances = (counts) => counts } = options;
  const observed = statistic(groups);
  if (observed === null) return null;
  const weights = groups.map(chances);
  const values: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const value = statistic(groups.map((counts, index) => resampleCounts(counts, stream, weights[index])));
    if (value !== null) values.push(value);
  }
  if (values.length < replicates / 2) return null;
  values.sort((a, b) => a - b);
  const bias = values.reduce((sum, value) => sum + value, 0) / values.length - observed;
  const tail = (1 - confidence) / 2;
  return {
    low: quantileOf(values, tail),
    high: quantileOf(values, 1 - tail),
    bias,
    replicates: values.length,
  };
}

/** Quantile of sorted values, linear between neighbours; NaN of none. */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  const at = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}
