import type { Estimate } from '../../../analysis/index.js';
import type { Figure } from '../evidence-result.js';

/** What every figure has. */
export type Numbers = Pick<Figure, 'value' | 'low' | 'high' | 'n' | 'reason'>;

/** An estimate with all its fields, so that tables have no holes. */
export const numbersOf = (estimate: Estimate): Numbers =>
  estimate.value === null
    ? { value: null, low: null, high: null, n: estimate.n, reason: estimate.reason }
    : { value: estimate.value, low: estimate.low, high: estimate.high, n: estimate.n, reason: null };

/** A number that is counted and not estimated. */
export const counted = (
  value: number | null,
  n: number | null = value,
  reason: string | null = null,
): Numbers => ({
  value,
  low: null,
  high: null,
  n,
  reason,
});

const labels: Readonly<Record<string, string>> = {
  selectionRate: 'Selection rate',
  truePositiveRate: 'True positive rate',
  falsePositiveRate: 'False positive rate',
  precision: 'Precision',
  negativePredictiveValue: 'Negative predictive value',
  accuracy: 'Accuracy',
  prevalence: 'Share of positives',
  areaUnderCurve: 'Area under the ROC curve',
  brier: 'Brier score',
  logLoss: 'Log loss',
  calibrationError: 'Expected calibration error',
  overestimate: 'Mean overestimate',
  rows: 'Rows',
};

/** The name of a metric for people. */
export const labelOf = (metric: string): string => labels[metric] ?? metric;
