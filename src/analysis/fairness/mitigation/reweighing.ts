import { AnalysisInputError } from '../../errors.js';
import { f64, i32, u8 } from '../../numeric/typed.js';
import type { GroupCodes } from '../counts.js';
import { checkCodes } from './sorted-scores.js';

/** Weight of the rows of a group with a label; null where there is no such row. */
export interface ReweighingCell {
  readonly group: string;
  readonly label: 0 | 1;
  readonly n: number;
  readonly weight: number | null;
}

/** Weights for training, per cell and per row (NaN for rows of unknown group). */
export interface Reweighing {
  readonly cells: readonly ReweighingCell[];
  readonly weights: Float64Array;
}

/**
 * Reweighing (Kamiran and Calders, 2012): w(a, y) = n_a n_y / (n n_ay), so that group and label are independent in the
 * weighted rows. For the training of another version, outside of this product.
 * @throws AnalysisInputError when lists differ in length, or labels are not 0 or 1.
 */
export function reweighing(codes: GroupCodes, labels: Uint8Array): Reweighing {
  checkCodes(codes, labels.length);
  if (labels.some((label) => label > 1)) throw new AnalysisInputError('Labels are 0 or 1.');
  const counts = new Float64Array(2 * codes.groups.length);
  for (let row = 0; row < labels.length; row += 1) {
    const code = i32(codes.codes, row);
    if (code >= 0) counts[2 * code + u8(labels, row)] = f64(counts, 2 * code + u8(labels, row)) + 1;
  }
  const n = counts.reduce((sum, count) => sum + count, 0);
  const ofLabel = [0, 1].map((label) =>
    counts.reduce((sum, count, at) => (at % 2 === label ? sum + count : sum), 0),
  );
  const cells = codes.groups.flatMap((group, code) =>
    ([0, 1] as const).map((label): ReweighingCell => {
      const own = f64(counts, 2 * code + label);
      const ofGroup = f64(counts, 2 * code) + f64(counts, 2 * code + 1);
      const weight = own === 0 ? null : (ofGroup * (ofLabel[label] ?? 0)) / (n * own);
      return { group, label, n: own, weight };
    }),
  );
  const weights = Float64Array.from(
    labels,
    (label, row) => cells[2 * i32(codes.codes, row) + label]?.weight ?? NaN,
  );
  return { cells, weights };
}
