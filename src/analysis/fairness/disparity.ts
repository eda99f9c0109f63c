import { f64 } from '../numeric/typed.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import type { Test } from '../statistics/proportions.js';
import { homogeneity } from '../statistics/tests.js';
import type { GroupCounts } from './counts.js';
import type { GroupShare } from './metrics.js';
import { type Excluded, type NamedShare, type Reporting, splitShares } from './reportable.js';
import { type BootstrapOptions, bootstrapSpreads, type SharePlan, type Spread } from './spreads.js';

/** How far the groups lie apart in one share. */
export interface Disparity {
  readonly metric: GroupShare;
  readonly highest: string | null;
  readonly lowest: string | null;
  /** Highest minus lowest share; bootstrap interval. Fairlearn's difference between groups. */
  readonly difference: Estimate;
  /** Lowest over highest share; bootstrap interval. Fairlearn's ratio between groups. */
  readonly ratio: Estimate;
  /** Largest distance of a group from the share of all; bootstrap interval. */
  readonly differenceToOverall: Estimate;
  /** Smallest ratio of a group and all, the smaller over the larger; bootstrap interval. */
  readonly ratioToOverall: Estimate;
  /** How much sampling alone widens the difference: the bootstrap mean minus the value. */
  readonly bias: number | null;
  /** Do the groups differ at all? */
  readonly homogeneity: Test;
  /** Groups that could not be counted, with the reason. */
  readonly excluded: readonly Excluded[];
}

/** Both error rates at once, after Hardt, Price and Srebro (2016) as Fairlearn aggregates them. */
export interface EqualizedOdds {
  /** Larger of the differences of the true and the false positive rate. */
  readonly difference: Estimate;
  /** Their mean. */
  readonly meanDifference: Estimate;
  /** Smaller of the two ratios. */
  readonly ratio: Estimate;
  /** Their mean. */
  readonly meanRatio: Estimate;
}

/** All disparities of a report. */
export interface Disparities {
  readonly disparities: readonly Disparity[];
  readonly equalizedOdds: EqualizedOdds;
}

const TOO_FEW = 'Fewer than two groups are large enough to compare.';
const PER_METRIC = 4;

/** Writes difference, ratio, and both against the share of all, which stands at the end of `rates`. */
function spreadInto(rates: Float64Array, out: Float64Array, at: number): void {
  const overall = f64(rates, rates.length - 1);
  let [low, high, far, near] = [Infinity, -Infinity, 0, Infinity];
  for (let index = 0; index < rates.length - 1; index += 1) {
    const rate = f64(rates, index);
    if (Number.isNaN(rate)) continue;
    low = Math.min(low, rate);
    high = Math.max(high, rate);
    far = Math.max(far, Math.abs(rate - overall));
    near = Math.min(near, rate / overall, overall / rate);
  }
  const isEmpty = low > high;
  out[at] = isEmpty ? NaN : high - low;
  out[at + 1] = isEmpty || high === 0 ? NaN : low / high;
  out[at + 2] = isEmpty ? NaN : far;
  out[at + 3] = isEmpty || !(overall > 0) ? NaN : near;
}

interface Split {
  readonly metric: GroupShare;
  readonly shares: readonly NamedShare[];
  readonly excluded: readonly Excluded[];
}

/**
 * Spread of each share over the groups that are large enough, and equalized odds. An undefined share takes no part in
 * maxima and minima. One bootstrap serves all numbers.
 */
export function disparitiesOf(
  metrics: readonly GroupShare[],
  groups: readonly GroupCounts[],
  reporting: Reporting,
  bootstrap: BootstrapOptions,
): Disparities {
  const splits = metrics.map((metric): Split => ({ metric, ...splitShares(metric, groups, reporting) }));
  const plans = splits.map(({ metric, shares }): SharePlan => {
    const named = new Set(shares.map(({ group }) => group));
    return { metric, places: groups.flatMap(({ group }, place) => (named.has(group) ? [place] : [])) };
  });
  const [tpr, fpr] = [metrics.indexOf('truePositiveRate'), metrics.indexOf('falsePositiveRate')];
  const odds = metrics.length * PER_METRIC;
  const evaluate = (rates: readonly Float64Array[], out: Float64Array): void => {
    rates.forEach((own, index) => spreadInto(own, out, index * PER_METRIC));
    oddsInto(out, [tpr * PER_METRIC, fpr * PER_METRIC], odds);
  };
  const spreads = bootstrapSpreads(groups, plans, { count: odds + 4, evaluate }, bootstrap);
  const disparities = splits.map((split, index) =>
    disparityOf(split, spreads.slice(index * PER_METRIC, (index + 1) * PER_METRIC)),
  );
  const isJudged = [tpr, fpr].every((index) => (splits[index]?.shares.length ?? 0) >= 2);
  return { disparities, equalizedOdds: oddsOf(isJudged ? spreads.slice(odds) : []) };
}

function oddsInto(out: Float64Array, [tpr, fpr]: readonly [number, number], at: number): void {
  const [a, b, c, d] = [f64(out, tpr), f64(out, fpr), f64(out, tpr + 1), f64(out, fpr + 1)];
  out[at] = Math.max(a, b);
  out[at + 1] = (a + b) / 2;
  out[at + 2] = Math.min(c, d);
  out[at + 3] = (c + d) / 2;
}

function oddsOf(spreads: readonly Spread[]): EqualizedOdds {
  const missing = unknown(null, TOO_FEW);
  const at = (index: number): Estimate => spreads[index]?.estimate ?? missing;
  return { difference: at(0), meanDifference: at(1), ratio: at(2), meanRatio: at(3) };
}

function disparityOf({ metric, shares, excluded }: Split, spreads: readonly Spread[]): Disparity {
  const ordered = shares.toSorted((a, b) => a.successes / a.n - b.successes / b.n);
  const [lowest, highest] = [ordered.at(0), ordered.at(-1)];
  const [difference, ratio, toOverall, ratioToOverall] = spreads;
  const missing = unknown(null, TOO_FEW);
  if (lowest === undefined || highest === undefined || lowest === highest) {
    const test: Test = { method: null, reason: TOO_FEW };
    const none = {
      difference: missing,
      ratio: missing,
      differenceToOverall: missing,
      ratioToOverall: missing,
    };
    return { metric, highest: null, lowest: null, ...none, bias: null, homogeneity: test, excluded };
  }
  const n = shares.reduce((sum, share) => sum + share.n, 0);
  const counted = (spread: Spread | undefined, reason?: string): Estimate => {
    const estimate = spread?.estimate ?? missing;
    return estimate.value === null
      ? { ...estimate, n, reason: reason ?? estimate.reason }
      : { ...estimate, n };
  };
  const ofZero =
    highest.successes === 0 ? 'The highest share is zero, so the ratio is undefined.' : undefined;
  return {
    metric,
    highest: highest.group,
    lowest: lowest.group,
    difference: counted(difference),
    ratio: counted(ratio, ofZero),
    differenceToOverall: counted(toOverall),
    ratioToOverall: counted(ratioToOverall, ofZero),
    bias: difference?.bias ?? null,
    homogeneity: homogeneity(shares),
    excluded,
  };
}
