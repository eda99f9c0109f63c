import { f64, i32 } from '../numeric/typed.js';
import { areaUnderCurve } from '../performance/auc.js';
import { calibrationError, type ReliabilityBin, reliabilityBins } from '../performance/calibration.js';
import { recalibration } from '../performance/recalibration.js';
import { checkScoredRows, type ScoredRows } from '../performance/validate.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';
import type { Test } from '../statistics/proportions.js';
import { kolmogorovSmirnovTest, sampleDistance } from '../statistics/two-samples.js';
import { AnalysisInputError } from '../errors.js';
import type { GroupCodes } from './counts.js';
import { LARGEST_HIDDEN, SMALLEST_GROUP } from './reportable.js';

/** Scores of one group, whatever the threshold: calibration within the group, ranking, and distance of scores. */
export interface GroupScores {
  readonly group: string;
  /** Rows; null where there are too few to report anything. */
  readonly n: number | null;
  readonly areaUnderCurve: Estimate;
  readonly calibrationError: Estimate;
  readonly brier: Estimate;
  readonly calibrationSlope: Estimate;
  readonly calibrationIntercept: Estimate;
  /** Without the bins of 1 to 10 rows, and never without only one, which would follow from the others. */
  readonly reliability: readonly ReliabilityBin[];
  /** Mean score, and the distances of the scores from those of all other groups together. */
  readonly meanScore: Estimate;
  readonly kolmogorovSmirnov: number | null;
  readonly wasserstein: number | null;
  readonly sameDistribution: Test;
}

/** Settings of the score report. */
export interface ScoreReportOptions {
  readonly bins?: number;
  readonly seed?: number;
  readonly smallest?: number;
}

/**
 * Scores by group. With unequal prevalence a score that is calibrated within every group cannot also have equal error
 * rates, unless it predicts perfectly (Kleinberg and others, 2016; Chouldechova, 2017).
 * @throws AnalysisInputError for rows that do not fit, labels that are not 0 or 1 and values that are no probability.
 */
export function scoreReport(
  codes: GroupCodes,
  rows: ScoredRows,
  options: ScoreReportOptions = {},
): GroupScores[] {
  checkScoredRows(rows);
  if (codes.codes.length !== rows.labels.length) {
    throw new AnalysisInputError(`'${codes.attribute}' is not given for the rows that are scored.`);
  }
  const { smallest = SMALLEST_GROUP } = options;
  return codes.groups.map((group, code) => {
    const own = rowsOf(rows, (row) => i32(codes.codes, row) === code);
    if (own.labels.length < smallest) return tooFew(group, smallest);
    const others = rows.probabilities.filter((_, row) => {
      const other = i32(codes.codes, row);
      return other >= 0 && other !== code;
    });
    return scoresOf(group, own, others, options);
  });
}

function rowsOf({ labels, probabilities }: ScoredRows, isIn: (row: number) => boolean): ScoredRows {
  return {
    labels: labels.filter((_, row) => isIn(row)),
    probabilities: probabilities.filter((_, row) => isIn(row)),
  };
}

function scoresOf(
  group: string,
  rows: ScoredRows,
  others: Float64Array,
  { bins = 10, seed = 1 }: ScoreReportOptions,
): GroupScores {
  const { labels, probabilities } = rows;
  const { slope, intercept } = recalibration(rows);
  const distance = sampleDistance(probabilities, others);
  const squared = labels.reduce<number[]>((list, label, row) => {
    list.push((f64(probabilities, row) - label) ** 2);
    return list;
  }, []);
  return {
    group,
    n: labels.length,
    areaUnderCurve: areaUnderCurve(rows),
    calibrationError: calibrationError(rows, bins, seed),
    brier: meanEstimate(momentsOf(squared)),
    calibrationSlope: slope,
    calibrationIntercept: intercept,
    reliability: shownBins(reliabilityBins(rows, bins)),
    meanScore: meanEstimate(momentsOf(probabilities)),
    kolmogorovSmirnov: distance?.kolmogorovSmirnov ?? null,
    wasserstein: distance?.wasserstein ?? null,
    sameDistribution: kolmogorovSmirnovTest(distance?.kolmogorovSmirnov ?? 0, labels.length, others.length),
  };
}

function shownBins(bins: readonly ReliabilityBin[]): ReliabilityBin[] {
  const shown = bins.filter(({ n }) => n === 0 || n > LARGEST_HIDDEN);
  if (shown.length !== bins.length - 1) return shown;
  const [smallest] = shown.filter(({ n }) => n > 0).toSorted((a, b) => a.n - b.n);
  return shown.filter((bin) => bin !== smallest);
}

function tooFew(group: string, smallest: number): GroupScores {
  const reason = `Fewer than ${String(smallest)} rows.`;
  const none = unknown(null, reason);
  return {
    group,
    n: null,
    areaUnderCurve: none,
    calibrationError: none,
    brier: none,
    calibrationSlope: none,
    calibrationIntercept: none,
    reliability: [],
    meanScore: none,
    kolmogorovSmirnov: null,
    wasserstein: null,
    sameDistribution: { method: null, reason },
  };
}
