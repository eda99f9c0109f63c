import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import { bootstrapStatistics } from '../statistics/bootstrap.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { randomStream } from '../statistics/random.js';
import type { GroupCounts } from './counts.js';
import { type BootstrapOptions, USUAL_BOOTSTRAP } from './spreads.js';

/**
 * Inequality of benefits b = prediction - truth + 1: 2 for a false positive, 1 where right, 0 for a false negative
 * (Speicher and others, 2018, "A unified approach to quantifying algorithmic unfairness").
 */
export interface EntropyReport {
  readonly alpha: number;
  /** Generalized entropy of all rows. */
  readonly total: Estimate;
  /** The same when every row has the mean benefit of its group. */
  readonly betweenGroups: Estimate;
  /** sqrt(2 GE(2)) of all rows, whatever alpha is. */
  readonly coefficientOfVariation: Estimate;
}

/**
 * Generalized entropy of non-negative benefits with weights (counts): 1/(n a (a-1)) sum((b/mu)^a - 1), for a = 1 Theil's
 * sum (b/mu) ln(b/mu) / n, for a = 0 the mean log deviation -sum ln(b/mu) / n. NaN where undefined: no rows, mean
 * benefit zero, or a zero benefit with a <= 0.
 */
export function generalizedEntropy(
  benefits: readonly number[],
  weights: readonly number[],
  alpha: number,
): number {
  if (benefits.length !== weights.length)
    throw new AnalysisInputError('Benefits and weights differ in length.');
  const n = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = benefits.reduce((sum, benefit, index) => sum + benefit * (weights[index] ?? 0), 0) / n;
  if (!(mean > 0)) return Number.NaN;
  let sum = 0;
  for (const [index, benefit] of benefits.entries()) {
    const weight = weights[index] ?? 0;
    if (weight > 0) sum += weight * termOf(benefit / mean, alpha);
  }
  return sum / n;
}

/** One row's part. The Taylor remainder b/mu - 1 is left out: it adds up to zero. */
function termOf(ratio: number, alpha: number): number {
  if (alpha <= 0 && ratio === 0) return Number.NaN;
  if (alpha === 0) return -Math.log(ratio);
  if (alpha === 1) return ratio === 0 ? 0 : ratio * Math.log(ratio);
  return (ratio ** alpha - 1) / (alpha * (alpha - 1));
}

const WRONG = 'Undefined: nobody has a benefit, or with alpha of 0 or less somebody has none.';

/**
 * Inequality of benefits over all rows and between groups, from counts alone, with bootstrap intervals. Null with the
 * reason when the truth is not known, without rows, and where the index is undefined.
 * @throws AnalysisInputError when alpha is not a finite number.
 */
export function entropyReport(
  groups: readonly GroupCounts[],
  alpha = 2,
  bootstrap: BootstrapOptions = USUAL_BOOTSTRAP,
): EntropyReport {
  if (!Number.isFinite(alpha)) throw new AnalysisInputError('Alpha must be a finite number.');
  const n = groups.reduce((sum, group) => sum + group.n, 0);
  const counts = groups.flatMap(({ cells }) =>
    cells === null
      ? []
      : [[cells.falsePositives, cells.truePositives + cells.trueNegatives, cells.falseNegatives]],
  );
  if (counts.length < groups.length || n === 0) {
    const missing = unknown(n, n === 0 ? 'No rows to count.' : 'The truth of these decisions is not known.');
    return { alpha, total: missing, betweenGroups: missing, coefficientOfVariation: missing };
  }
  const evaluate = (cells: Float64Array, out: Float64Array): void => {
    const flat = [...cells];
    const benefits = flat.map((_, cell) => 2 - (cell % 3));
    out[0] = generalizedEntropy(benefits, flat, alpha);
    out[1] = betweenGroups(cells, alpha);
    out[2] = Math.sqrt(2 * generalizedEntropy(benefits, flat, 2));
  };
  const value = new Float64Array(3);
  evaluate(Float64Array.from(counts.flat()), value);
  const { seed, replicates } = bootstrap;
  const intervals = bootstrapStatistics(counts, { count: 3, evaluate }, randomStream(seed), { replicates });
  const [total, between, variation] = intervals.map((interval, index): Estimate => {
    if (interval === null) return unknown(n, WRONG);
    return { value: f64(value, index), n, low: interval.low, high: interval.high };
  });
  const none = unknown(n, WRONG);
  return {
    alpha,
    total: total ?? none,
    betweenGroups: between ?? none,
    coefficientOfVariation: variation ?? none,
  };
}

function betweenGroups(cells: Float64Array, alpha: number): number {
  const sizes: number[] = [];
  const means: number[] = [];
  for (let at = 0; at < cells.length; at += 3) {
    const [wrong, right, missed] = [f64(cells, at), f64(cells, at + 1), f64(cells, at + 2)];
    const size = wrong + right + missed;
    if (size === 0) continue;
    sizes.push(size);
    means.push((2 * wrong + right) / size);
  }
  return generalizedEntropy(means, sizes, alpha);
}
