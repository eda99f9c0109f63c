import { f64 } from '../numeric/typed.js';
import { type BootstrapInterval, bootstrapStatistics } from '../statistics/bootstrap.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { randomStream } from '../statistics/random.js';
import type { GroupCounts } from './counts.js';
import { type GroupShare, rateOfCells } from './metrics.js';

/** A number over all groups with its bootstrap interval, and how far sampling alone moves it. */
export interface Spread {
  readonly estimate: Estimate;
  /** Mean of the replicates minus the value; null without an interval. */
  readonly bias: number | null;
}

/** A share to look at, and the groups (places in the list) whose share may be reported. */
export interface SharePlan {
  readonly metric: GroupShare;
  readonly places: readonly number[];
}

/**
 * Numbers of the shares of the groups. `rates[i]` is the shares of the i-th plan, one for each of its places and then
 * the share of all groups together; NaN is undefined. Writes one number per statistic, NaN where undefined.
 */
export interface SpreadStatistics {
  readonly count: number;
  readonly evaluate: (rates: readonly Float64Array[], out: Float64Array) => void;
}

/** How often and from which seed. */
export interface BootstrapOptions {
  readonly seed: number;
  readonly replicates: number;
}

/** What the bootstrap does where nothing else is asked for. */
export const USUAL_BOOTSTRAP: BootstrapOptions = { seed: 1, replicates: 2000 };

/** The four cells of each group, or only selected and not selected when the truth of one is not known. */
function countsOf(groups: readonly GroupCounts[]): number[][] {
  const isKnown = groups.every(({ cells }) => cells !== null);
  return groups.map(({ cells, selected, n }) =>
    cells === null || !isKnown
      ? [selected, n - selected]
      : [cells.truePositives, cells.falsePositives, cells.falseNegatives, cells.trueNegatives],
  );
}

/** Adds the cells of a group. Without truth there are two, which stand for selected and not, whatever was true. */
function addCells(cells: Float64Array, start: number, width: number, to: number[]): void {
  const step = 4 / width;
  for (let cell = 0; cell < width; cell += 1)
    to[cell * step] = (to[cell * step] ?? 0) + f64(cells, start + cell);
}

function ratesInto(plan: SharePlan, cells: Float64Array, width: number, out: Float64Array): void {
  const pooled = [0, 0, 0, 0];
  const own = [0, 0, 0, 0];
  for (let start = 0; start < cells.length; start += width) addCells(cells, start, width, pooled);
  plan.places.forEach((place, index) => {
    own.fill(0);
    addCells(cells, place * width, width, own);
    out[index] = rateOfCells(plan.metric, own);
  });
  out[plan.places.length] = rateOfCells(plan.metric, pooled);
}

/**
 * Values and percentile intervals of numbers over groups. Each replicate draws the cells of every group anew, keeping
 * its rows, so that all shares of a replicate belong together; its cost depends on the number of groups only.
 */
export function bootstrapSpreads(
  groups: readonly GroupCounts[],
  plans: readonly SharePlan[],
  statistics: SpreadStatistics,
  { seed, replicates }: BootstrapOptions,
): Spread[] {
  const counts = countsOf(groups);
  const width = counts[0]?.length ?? 4;
  const rates = plans.map(({ places }) => new Float64Array(places.length + 1));
  const evaluate = (cells: Float64Array, out: Float64Array): void => {
    plans.forEach((plan, index) => {
      const own = rates[index];
      if (own !== undefined) ratesInto(plan, cells, width, own);
    });
    statistics.evaluate(rates, out);
  };
  const values = new Float64Array(statistics.count);
  evaluate(Float64Array.from(counts.flat()), values);
  const intervals = bootstrapStatistics(counts, { count: statistics.count, evaluate }, randomStream(seed), {
    replicates,
  });
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  return intervals.map((interval, index) => spreadOf(f64(values, index), interval, n));
}

function spreadOf(value: number, interval: BootstrapInterval | null, n: number): Spread {
  if (Number.isNaN(value))
    return { estimate: unknown(n, 'The number is not defined for these groups.'), bias: null };
  if (interval === null) {
    return {
      estimate: unknown(n, 'Fewer than half of the bootstrap replicates define the number.'),
      bias: null,
    };
  }
  return { estimate: { value, n, low: interval.low, high: interval.high }, bias: interval.bias };
}
