import { f64, u8 } from '../numeric/typed.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { checkScoredRows, type ScoredRows } from './validate.js';

/** Ranks from 1, equal values sharing the mean of their ranks. */
function midranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((a, b) => f64(values, a) - f64(values, b));
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && f64(values, order[end] ?? 0) === f64(values, order[start] ?? 0)) end += 1;
    for (let at = start; at < end; at += 1) ranks[order[at] ?? 0] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

function ofClass(values: Float64Array, labels: Uint8Array, label: number): Float64Array {
  return values.filter((_, row) => u8(labels, row) === label);
}

function variance(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/**
 * Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.
 * Interval by DeLong, DeLong and Clarke-Pearson (1988) through midranks (Sun and Xu, 2014), on the logit scale.
 */
export function areaUnderCurve(rows: ScoredRows, confidence = CONFIDENCE): Estimate {
  checkScoredRows(rows);
  const { labels, probabilities } = rows;
  const n = labels.length;
  const positives = ofClass(probabilities, labels, 1);
  const negatives = ofClass(probabilities, labels, 0);
  const [m, k] = [positives.length, negatives.length];
  if (m < 2 || k < 2) return unknown(n, 'The curve needs two rows of each class.');
  const ranks = midranks(probabilities);
  const ofPositives = ofClass(ranks, labels, 1);
  const ofNegatives = ofClass(ranks, labels, 0);
  const amongPositives = midranks(positives);
  const amongNegatives = midranks(negatives);
  // For each row the share of the other class that it stands on the right side of.
  const placesOfPositives = ofPositives.map((rank, row) => (rank - f64(amongPositives, row)) / k);
  const placesOfNegatives = ofNegatives.map((rank, row) => 1 - (rank - f64(amongNegatives, row)) / m);
  const value = placesOfPositives.reduce((sum, place) => sum + place, 0) / m;
  const error = Math.sqrt(variance(placesOfPositives) / m + variance(placesOfNegatives) / k);
  return { value, n, ...logitInterval(value, error, confidence) };
}

function logitInterval(value: number, error: number, confidence: number): { low: number; high: number } {
  if (value <= 0 || value >= 1) return { low: value, high: value };
  const logit = Math.log(value / (1 - value));
  const half = (twoSidedZ(confidence) * error) / (value * (1 - value));
  return { low: 1 / (1 + Math.exp(half - logit)), high: 1 / (1 + Math.exp(-half - logit)) };
}
