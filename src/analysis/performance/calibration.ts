import { addTo, f64, u8 } from '../numeric/typed.js';
import { bootstrapCounts } from '../statistics/bootstrap.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { wilson } from '../statistics/proportions.js';
import { randomStream } from '../statistics/random.js';
import type { ScoredRows } from './validate.js';

/** Rows whose probability lies in [from, to), the last bin closed. */
export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly n: number;
  /** Mean predicted probability; null in an empty bin. */
  readonly predicted: number | null;
  /** Share that was positive. */
  readonly observed: Estimate;
}

interface BinSums {
  readonly n: Float64Array;
  readonly positives: Float64Array;
  readonly predicted: Float64Array;
}

function sumBins({ labels, probabilities }: ScoredRows, bins: number): BinSums {
  const sums = {
    n: new Float64Array(bins),
    positives: new Float64Array(bins),
    predicted: new Float64Array(bins),
  };
  for (let row = 0; row < labels.length; row += 1) {
    const probability = f64(probabilities, row);
    const bin = Math.min(bins - 1, Math.floor(probability * bins));
    addTo(sums.n, bin, 1);
    addTo(sums.positives, bin, u8(labels, row));
    addTo(sums.predicted, bin, probability);
  }
  return sums;
}

/** Predicted against observed, in bins of equal width. */
export function reliabilityBins(rows: ScoredRows, bins: number): ReliabilityBin[] {
  const sums = sumBins(rows, bins);
  return Array.from({ length: bins }, (_, bin) => {
    const n = f64(sums.n, bin);
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      n,
      predicted: n === 0 ? null : f64(sums.predicted, bin) / n,
      observed: wilson({ successes: f64(sums.positives, bin), n }),
    };
  });
}

/**
 * Expected calibration error: mean distance between predicted and observed over bins of equal width, weighted by
 * rows. Sampling alone makes it positive; the bootstrap interval is moved by the bias that the bootstrap shows.
 */
export function calibrationError(rows: ScoredRows, bins: number, seed: number): Estimate {
  const total = rows.labels.length;
  if (total === 0) return unknown(0, 'No rows to measure.');
  const sums = sumBins(rows, bins);
  const predicted = sums.predicted.map((sum, bin) => sum / Math.max(1, f64(sums.n, bin)));
  const cells = Array.from({ length: 2 * bins }, (_, cell) => {
    const positives = f64(sums.positives, cell >> 1);
    return cell % 2 === 0 ? positives : f64(sums.n, cell >> 1) - positives;
  });
  const error = ([counts]: readonly (readonly number[])[]): number => {
    let sum = 0;
    for (let bin = 0; bin < bins; bin += 1) {
      const positives = counts?.[2 * bin] ?? 0;
      const n = positives + (counts?.[2 * bin + 1] ?? 0);
      sum += Math.abs(positives - n * f64(predicted, bin));
    }
    return sum / total;
  };
  const value = error([cells]);
  const interval = bootstrapCounts([cells], error, randomStream(seed));
  if (interval === null) return unknown(total, 'The interval could not be estimated.');
  const low = Math.min(value, Math.max(0, interval.low - interval.bias));
  return { value, n: total, low, high: Math.max(value, interval.high - interval.bias) };
}
