import { AnalysisInputError } from '../../errors.js';
import { f64, i32, u8 } from '../../numeric/typed.js';
import { calibrationError } from '../../performance/calibration.js';
import { fitLine, logitOf } from '../../performance/recalibration.js';
import { checkScoredRows, type ScoredRows } from '../../performance/validate.js';
import { type Estimate, unknown } from '../../statistics/estimate.js';
import type { GroupCodes } from '../counts.js';
import { SMALLEST_GROUP } from '../reportable.js';
import { checkCodes } from './sorted-scores.js';
import { GROUP_AWARE_WARNING } from './warning.js';

/** A line on the logit scale, or a rising step function (pool adjacent violators). */
export type CalibrationMethod = 'platt' | 'isotonic';

/** Calibration error of a group before and after. */
export interface GroupCalibration {
  readonly group: string;
  readonly before: Estimate;
  /** On rows that the fit of their fold has not seen; null where the group could not be fitted. */
  readonly after: Estimate;
}

/** A simulation of calibrating every group by itself. */
export interface CalibrationSimulation {
  readonly warning: string;
  readonly method: CalibrationMethod;
  readonly groups: readonly GroupCalibration[];
  /** Cross-fitted probability of every row; as given where its group was not fitted. */
  readonly probabilities: Float64Array;
}

const FOLDS = 5;
const BINS = 10;

type Curve = (probability: number) => number;

/**
 * Calibrates each group by itself, cross-fitted in five folds by row number. Groups below 30 rows, or with a fold that
 * cannot be fitted (one class, constant or separated scores), stay as they are, and say so.
 * @throws AnalysisInputError for rows that do not fit.
 */
export function calibrateGroups(
  codes: GroupCodes,
  rows: ScoredRows,
  method: CalibrationMethod,
): CalibrationSimulation {
  checkScoredRows(rows);
  checkCodes(codes, rows.labels.length);
  if (rows.labels.length === 0) throw new AnalysisInputError('There are no rows to calibrate.');
  const probabilities = Float64Array.from(rows.probabilities);
  const groups = codes.groups.map((group, code): GroupCalibration => {
    const places = [...rows.labels.keys()].filter((row) => i32(codes.codes, row) === code);
    const own = pick(rows, places);
    if (places.length < SMALLEST_GROUP) {
      const few = unknown(null, `Fewer than ${String(SMALLEST_GROUP)} rows.`);
      return { group, before: few, after: few };
    }
    const before = calibrationError(own, BINS, 1);
    const fitted = crossFitted(own, method);
    if (fitted === null) {
      return { group, before, after: unknown(places.length, 'A fold of the group cannot be fitted.') };
    }
    places.forEach((row, index) => (probabilities[row] = f64(fitted, index)));
    return { group, before, after: calibrationError({ ...own, probabilities: fitted }, BINS, 1) };
  });
  return { warning: GROUP_AWARE_WARNING, method, groups, probabilities };
}

function pick({ labels, probabilities }: ScoredRows, places: readonly number[]): ScoredRows {
  return {
    labels: Uint8Array.from(places, (row) => u8(labels, row)),
    probabilities: Float64Array.from(places, (row) => f64(probabilities, row)),
  };
}

function crossFitted(rows: ScoredRows, method: CalibrationMethod): Float64Array | null {
  const places = [...rows.labels.keys()];
  const result = new Float64Array(places.length);
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const training = pick(
      rows,
      places.filter((row) => row % FOLDS !== fold),
    );
    const curve = method === 'platt' ? plattCurve(training) : isotonicCurve(training);
    if (curve === null) return null;
    for (let row = fold; row < places.length; row += FOLDS) result[row] = curve(f64(rows.probabilities, row));
  }
  return result;
}

function plattCurve({ labels, probabilities }: ScoredRows): Curve | null {
  const fit = fitLine(probabilities.map(logitOf), labels);
  return fit === null ? null : (p) => 1 / (1 + Math.exp(-fit.intercept - fit.slope * logitOf(p)));
}

interface Block {
  readonly from: number;
  readonly n: number;
  readonly positives: number;
}

/** Rows of each distinct score, from the lowest. */
function distinctScores(labels: Uint8Array, probabilities: Float64Array): Block[] {
  const order = Uint32Array.from(probabilities.keys()).sort(
    (a, b) => f64(probabilities, a) - f64(probabilities, b),
  );
  const units: Block[] = [];
  for (const row of order) {
    const [from, label] = [f64(probabilities, row), u8(labels, row)];
    const last = units.at(-1);
    if (last?.from === from)
      units[units.length - 1] = { from, n: last.n + 1, positives: last.positives + label };
    else units.push({ from, n: 1, positives: label });
  }
  return units;
}

/** Rising steps; between the first scores of two neighbouring blocks the lower one holds. Null for one class. */
export function isotonicCurve({ labels, probabilities }: ScoredRows): Curve | null {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === labels.length) return null;
  const blocks: Block[] = [];
  for (const unit of distinctScores(labels, probabilities)) {
    let block = unit;
    for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
      if (last.positives * block.n < block.positives * last.n) break;
      blocks.pop();
      block = { from: last.from, n: last.n + block.n, positives: last.positives + block.positives };
    }
    blocks.push(block);
  }
  return (p) => {
    let [low, high] = [0, blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((blocks[middle]?.from ?? Infinity) <= p) low = middle;
      else high = middle - 1;
    }
    const { n, positives: own } = blocks[low] ?? { n: 1, positives: 0 };
    return own / n;
  };
}
