import { AnalysisInputError } from '../errors.js';
import type { Estimate } from '../statistics/estimate.js';
import { wilson } from '../statistics/proportions.js';
import { type Confusion, confusionAt } from './report.js';

/** How right decisions were, when nothing is known of them but what was decided. */
export interface DecisionReport {
  readonly n: number;
  readonly confusion: Confusion;
  readonly accuracy: Estimate;
  readonly prevalence: Estimate;
  readonly selectionRate: Estimate;
  readonly truePositiveRate: Estimate;
  readonly falsePositiveRate: Estimate;
  readonly precision: Estimate;
}

/**
 * Shares of decisions by what turned out to be true, each with its Wilson interval, or the reason why there is none.
 * `labels` and `selected` are 0 or 1, one per row; other values are refused.
 */
export function decisionReport(labels: Uint8Array, selected: Uint8Array): DecisionReport {
  if (labels.length !== selected.length)
    throw new AnalysisInputError('There are more labels than decisions, or fewer.');
  if (labels.some((one) => one > 1) || selected.some((one) => one > 1))
    throw new AnalysisInputError('A label or a decision is neither 0 nor 1.');
  const n = labels.length;
  const confusion = confusionAt({ labels, probabilities: Float64Array.from(selected) }, 0.5);
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = confusion;
  return {
    n,
    confusion,
    accuracy: wilson({ successes: tp + tn, n }),
    prevalence: wilson({ successes: tp + fn, n }),
    selectionRate: wilson({ successes: tp + fp, n }),
    truePositiveRate: wilson({ successes: tp, n: tp + fn }),
    falsePositiveRate: wilson({ successes: fp, n: fp + tn }),
    precision: wilson({ successes: tp, n: tp + fp }),
  };
}
