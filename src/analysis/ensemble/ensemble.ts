import { AnalysisInputError } from '../errors.js';
import { addTo, f64 } from '../numeric/typed.js';
import { expectShape, type Member, sigmoid } from './member.js';

/** A named player of the explanation: one column, or the one-hot columns of one feature. */
export interface ColumnGroup {
  readonly name: string;
  readonly columns: readonly [start: number, length: number];
}

/** p = sigmoid(a * logit(vote) + b), the vote clipped away from 0 and 1. */
export interface PlattCalibration {
  readonly method: 'platt-logit';
  readonly a: number;
  readonly b: number;
}

export interface WeightedMember {
  readonly member: Member;
  readonly weight: number;
}

export interface EnsembleParts {
  readonly members: readonly WeightedMember[];
  readonly calibration: PlattCalibration | null;
  readonly groups: readonly ColumnGroup[];
}

export interface EnsemblePrediction {
  /** Calibrated probability of the positive class, per row. */
  readonly probability: Float64Array;
  /** Weighted mean of the members' probabilities, per row. */
  readonly vote: Float64Array;
  /** Probabilities of each member, per row. */
  readonly members: readonly Float64Array[];
  /** Greatest minus smallest member probability, per row. */
  readonly disagreement: Float64Array;
}

/** Members that vote softly, then one calibration. */
export interface Ensemble extends EnsembleParts {
  readonly width: number;
  /** Weights that sum to one. */
  readonly shares: Float64Array;
  readonly calibrate: (vote: number) => number;
  readonly predict: (matrix: Float32Array, rows: number) => EnsemblePrediction;
}

const CLIP = 1e-6;

/** The calibrated probability of a vote. */
export function calibrationOf(calibration: PlattCalibration | null): (vote: number) => number {
  if (calibration === null) return (vote) => vote;
  const { a, b } = calibration;
  return (vote) => {
    const clipped = Math.min(1 - CLIP, Math.max(CLIP, vote));
    return sigmoid(a * Math.log(clipped / (1 - clipped)) + b);
  };
}

/** Puts members together. Throws AnalysisInputError when widths, weights or groups do not fit. */
export function createEnsemble(parts: EnsembleParts): Ensemble {
  const width = commonWidth(parts);
  checkGroups(parts.groups, width);
  const total = parts.members.reduce((sum, { weight }) => sum + weight, 0);
  const shares = Float64Array.from(parts.members, ({ weight }) => weight / total);
  const calibrate = calibrationOf(parts.calibration);
  const predict = (matrix: Float32Array, rows: number): EnsemblePrediction => {
    expectShape(matrix, rows, width);
    const members = parts.members.map(({ member }) => member.predict(matrix, rows));
    const vote = new Float64Array(rows);
    members.forEach((probabilities, index) => {
      const share = f64(shares, index);
      for (let row = 0; row < rows; row += 1) addTo(vote, row, share * f64(probabilities, row));
    });
    return { probability: vote.map(calibrate), vote, members, disagreement: disagreementOf(members, rows) };
  };
  return { ...parts, width, shares, calibrate, predict };
}

function disagreementOf(members: readonly Float64Array[], rows: number): Float64Array {
  const spread = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const probabilities of members) {
      low = Math.min(low, f64(probabilities, row));
      high = Math.max(high, f64(probabilities, row));
    }
    spread[row] = high - low;
  }
  return spread;
}

function commonWidth({ members, calibration }: EnsembleParts): number {
  const width = members[0]?.member.width;
  if (width === undefined) throw new AnalysisInputError('An ensemble needs at least one member.');
  members.forEach(({ member, weight }, index) => {
    if (member.width !== width) {
      throw new AnalysisInputError(
        `Member ${String(index)} reads ${String(member.width)} columns, the first reads ${String(width)}.`,
      );
    }
    if (!(weight > 0) || !Number.isFinite(weight))
      throw new AnalysisInputError(
        `Member ${String(index)} has the weight ${String(weight)}; weights are positive.`,
      );
  });
  if (calibration !== null && !(Number.isFinite(calibration.a) && Number.isFinite(calibration.b))) {
    throw new AnalysisInputError('The calibration has a coefficient that is not a finite number.');
  }
  return width;
}

/** Every column belongs to exactly one group: a column without a player would change predictions unexplained. */
function checkGroups(groups: readonly ColumnGroup[], width: number): void {
  const owner = columnOwners(groups, width);
  const free = owner.indexOf(-1);
  if (free >= 0) throw new AnalysisInputError(`Column ${String(free)} belongs to no group.`);
}

/** The group of every column; -1 where there is none. */
export function columnOwners(groups: readonly ColumnGroup[], width: number): Int32Array {
  const owner = new Int32Array(width).fill(-1);
  groups.forEach(({ name, columns: [start, length] }, group) => {
    if (
      !Number.isInteger(start) ||
      !Number.isInteger(length) ||
      start < 0 ||
      length < 1 ||
      start + length > width
    ) {
      throw new AnalysisInputError(
        `Group '${name}' names columns outside the ${String(width)} of the matrix.`,
      );
    }
    for (let column = start; column < start + length; column += 1) {
      if (owner[column] !== -1)
        throw new AnalysisInputError(`Column ${String(column)} belongs to two groups.`);
      owner[column] = group;
    }
  });
  return owner;
}
