import { encodeRows, type InputRows } from './encode.js';
import { greatestGap, openEnsemble, type EnsembleSource } from './open-ensemble.js';

/** Rows to score with a version. */
export interface ScoreRequest {
  readonly source: EnsembleSource;
  readonly input: InputRows;
}

/** Scores of rows; every array has one value per row. */
export interface ScoreResult {
  /** Calibrated probability of the positive class, in double precision. */
  readonly probability: Float64Array;
  /** Weighted mean of the members' probabilities, before calibration. */
  readonly vote: Float64Array;
  /** Greatest minus smallest member probability. */
  readonly disagreement: Float64Array;
  /** Greatest difference of a member's probability between our core and onnxruntime. */
  readonly runtimeGap: Float64Array;
  readonly members: readonly { readonly name: string; readonly probability: Float64Array }[];
}

/**
 * Scores rows with the whole ensemble. Each row is scored twice, by our double-precision core (which is what is
 * explained) and by onnxruntime; the difference is part of the result.
 */
export const scoreRows = async ({ source, input }: ScoreRequest): Promise<ScoreResult> => {
  const { manifest, ensemble, runtime } = await openEnsemble(source);
  const matrix = encodeRows(manifest, input);
  const prediction = ensemble.predict(matrix, input.rows);
  const runtimeGap = new Float64Array(input.rows);
  for (const [index, member] of runtime.entries()) {
    const theirs = await member.predict(matrix, input.rows);
    const ours = prediction.members[index] ?? new Float64Array(0);
    for (let row = 0; row < input.rows; row += 1) {
      const gap = greatestGap(ours.subarray(row, row + 1), theirs.subarray(row, row + 1));
      runtimeGap[row] = Math.max(runtimeGap[row] ?? 0, gap);
    }
  }
  return {
    probability: prediction.probability,
    vote: prediction.vote,
    disagreement: prediction.disagreement,
    runtimeGap,
    members: manifest.members.map(({ name }, index) => ({
      name,
      probability: prediction.members[index] ?? new Float64Array(0),
    })),
  };
};
