import { AnalysisInputError } from '../errors.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { bootstrapStatistics } from '../statistics/bootstrap.js';
import { randomStream } from '../statistics/random.js';
import { f64 } from '../numeric/typed.js';
import type { GroupCounts } from './counts.js';
import { type BootstrapOptions, USUAL_BOOTSTRAP } from './spreads.js';

/** Smoothed rate: (k + c/2) / (n + c), with concentration c shared by the two outcomes. */
function smoothed(successes: number, n: number, concentration: number): number {
  return (successes + concentration / 2) / (n + concentration);
}

function epsilonOf(cells: Float64Array, concentration: number): number {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < cells.length; at += 2) {
    const n = f64(cells, at) + f64(cells, at + 1);
    const share = smoothed(f64(cells, at), n, concentration);
    low = Math.min(low, share);
    high = Math.max(high, share);
  }
  return Math.max(Math.log(high) - Math.log(low), Math.log1p(-low) - Math.log1p(-high));
}

/**
 * Smoothed empirical differential fairness (Foulds and others, 2018, "An intersectional definition of fairness"):
 * the smallest epsilon such that selection, and refusal, of any two groups differ by at most a factor exp(epsilon).
 * Smoothing keeps it finite. 0 is equality; ln 1.25 is the four fifths. Bootstrap interval.
 * @throws AnalysisInputError when the concentration is not positive.
 */
export function differentialFairness(
  groups: readonly GroupCounts[],
  concentration = 1,
  { seed, replicates }: BootstrapOptions = USUAL_BOOTSTRAP,
): Estimate {
  if (!(concentration > 0 && concentration < Infinity)) {
    throw new AnalysisInputError('The concentration must be a positive number.');
  }
  const counted = groups.filter(({ n }) => n > 0);
  const n = counted.reduce((sum, group) => sum + group.n, 0);
  if (counted.length < 2) return unknown(n, 'Fewer than two groups have rows.');
  const counts = counted.map(({ selected, n: rows }) => [selected, rows - selected]);
  const evaluate = (cells: Float64Array, out: Float64Array): void => {
    out[0] = epsilonOf(cells, concentration);
  };
  const value = epsilonOf(Float64Array.from(counts.flat()), concentration);
  const [interval] = bootstrapStatistics(counts, { count: 1, evaluate }, randomStream(seed), { replicates });
  return interval ? { value, n, low: interval.low, high: interval.high } : unknown(n, 'No interval.');
}
