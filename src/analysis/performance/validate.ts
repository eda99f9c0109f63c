import { AnalysisInputError } from '../errors.js';

/** Labels (1 is the positive class) and predicted probabilities of the same rows. */
export interface ScoredRows {
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
}

/** Refuses rows that cannot be measured: other lengths, labels that are not 0 or 1, values that are no probability. */
export function checkScoredRows({ labels, probabilities }: ScoredRows): void {
  if (labels.length !== probabilities.length) {
    throw new AnalysisInputError(
      `There are ${String(labels.length)} labels for ${String(probabilities.length)} probabilities.`,
    );
  }
  const badLabel = labels.findIndex((label) => label > 1);
  if (badLabel >= 0) throw new AnalysisInputError(`The label of row ${String(badLabel)} is neither 0 nor 1.`);
  const bad = probabilities.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new AnalysisInputError(`The value of row ${String(bad)} is not a probability.`);
}
