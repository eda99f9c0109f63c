import { f64, u8 } from '../numeric/typed.js';
import type { Estimate } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';
import { wilson } from '../statistics/proportions.js';
import { areaUnderCurve } from './auc.js';
import { calibrationError, type ReliabilityBin, reliabilityBins } from './calibration.js';
import { checkScoredRows, type ScoredRows } from './validate.js';

/** Rows by what was predicted and what was true. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

export interface PerformanceReport {
  readonly n: number;
  readonly threshold: number;
  readonly confusion: Confusion;
  readonly accuracy: Estimate;
  readonly prevalence: Estimate;
  readonly selectionRate: Estimate;
  readonly truePositiveRate: Estimate;
  readonly falsePositiveRate: Estimate;
  readonly precision: Estimate;
  readonly areaUnderCurve: Estimate;
  readonly brier: Estimate;
  readonly logLoss: Estimate;
  readonly calibrationError: Estimate;
  readonly reliability: readonly ReliabilityBin[];
}

export interface PerformanceOptions {
  /** A row is predicted positive when its probability is at least this. */
  readonly threshold: number;
  readonly bins?: number;
  /** Seed of the bootstrap, so that the same rows give the same report. */
  readonly seed?: number;
}

/** Log loss of a certain and wrong prediction is infinite; probabilities are kept this far from 0 and 1. */
const CLIP = 1e-15;

/** Counts rows by prediction and truth at a threshold. */
export function confusionAt({ labels, probabilities }: ScoredRows, threshold: number): Confusion {
  const counts = [0, 0, 0, 0];
  for (let row = 0; row < labels.length; row += 1) {
    const cell = (f64(probabilities, row) >= threshold ? 0 : 2) + (u8(labels, row) === 1 ? 0 : 1);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const [truePositives = 0, falsePositives = 0, falseNegatives = 0, trueNegatives = 0] = counts;
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}

/** How well probabilities predict labels: every number with its sample size and interval, or the reason why not. */
export function performanceReport(rows: ScoredRows, options: PerformanceOptions): PerformanceReport {
  checkScoredRows(rows);
  const { threshold, bins = 10, seed = 1 } = options;
  const n = rows.labels.length;
  const confusion = confusionAt(rows, threshold);
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = confusion;
  return {
    n,
    threshold,
    confusion,
    accuracy: wilson({ successes: tp + tn, n }),
    prevalence: wilson({ successes: tp + fn, n }),
    selectionRate: wilson({ successes: tp + fp, n }),
    truePositiveRate: wilson({ successes: tp, n: tp + fn }),
    falsePositiveRate: wilson({ successes: fp, n: fp + tn }),
    precision: wilson({ successes: tp, n: tp + fp }),
    areaUnderCurve: areaUnderCurve(rows),
    brier: meanEstimate(momentsOf(losses(rows, (p, y) => (p - y) ** 2))),
    logLoss: meanEstimate(momentsOf(losses(rows, logLoss))),
    calibrationError: calibrationError(rows, bins, seed),
    reliability: reliabilityBins(rows, bins),
  };
}

function losses({ labels, probabilities }: ScoredRows, loss: (p: number, y: number) => number): Float64Array {
  return probabilities.map((probability, row) => loss(probability, u8(labels, row)));
}

function logLoss(probability: number, label: number): number {
  const p = Math.min(1 - CLIP, Math.max(CLIP, probability));
  return label === 1 ? -Math.log(p) : -Math.log1p(-p);
}
