import { findCounterfactuals, type Ensemble, type FeatureRule } from '../../analysis/index.js';
import { encodeRows, type InputRows } from './encode.js';
import { openEnsemble, type EnsembleSource } from './open-ensemble.js';

/** What to look for beside the contributions. */
export interface CounterfactualQuestion {
  /** One rule per input of the manifest, in its order. */
  readonly rules: readonly FeatureRule[];
  /** The probability whose side should change. */
  readonly threshold: number;
  /** How many to find per row. */
  readonly limit: number;
  /** Most predictions to spend per row. */
  readonly budget: number;
}

/** Rows to explain with a version. */
export interface ExplainRequest {
  readonly source: EnsembleSource;
  readonly input: InputRows;
  /** Rows of the background to compare with; at least 25 for an explanation that people read. */
  readonly backgroundRows: number;
  readonly counterfactuals: CounterfactualQuestion | null;
}

/** A change that would carry the row over the threshold. */
export interface CounterfactualFound {
  readonly changes: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly probability: number;
}

/** Exact Shapley values of the calibrated probability, and what would have to be different. */
export interface ExplainResult {
  /** Mean probability over the background. */
  readonly base: number;
  readonly inputs: readonly string[];
  /** Row-major: one contribution per input; base plus a row's contributions is its probability. */
  readonly contributions: Float64Array;
  readonly probability: Float64Array;
  /** Rows of the background that were compared with. */
  readonly backgroundRows: number;
  /** Per row; empty when nothing was asked. */
  readonly counterfactuals: readonly CounterfactualSearch[];
}

/** What the search found, and whether it looked everywhere. */
export interface CounterfactualSearch {
  readonly found: readonly CounterfactualFound[];
  readonly isComplete: boolean;
}

/** Explains rows; see createExplainer and findCounterfactuals for the methods. */
export const explainRows = async (request: ExplainRequest): Promise<ExplainResult> => {
  const { manifest, ensemble, explainer, background } = await openEnsemble(request.source);
  const matrix = encodeRows(manifest, request.input);
  const { base, players, values, probability } = explainer(request.backgroundRows).explain(matrix);
  return {
    base,
    inputs: players,
    contributions: values,
    probability,
    backgroundRows: Math.min(request.backgroundRows, background.length / ensemble.width),
    counterfactuals:
      request.counterfactuals === null
        ? []
        : searchAll(ensemble, matrix, probability, request.counterfactuals),
  };
};

const searchAll = (
  ensemble: Ensemble,
  matrix: Float32Array,
  probability: Float64Array,
  question: CounterfactualQuestion,
): CounterfactualSearch[] =>
  Array.from(probability, (value, index) => {
    const row = matrix.subarray(index * ensemble.width, (index + 1) * ensemble.width);
    const side = value >= question.threshold ? 'below' : 'at-least';
    const { counterfactuals, isComplete } = findCounterfactuals({
      ensemble,
      row,
      rules: question.rules,
      target: { side, threshold: question.threshold },
      limit: question.limit,
      budget: question.budget,
    });
    const found = counterfactuals.map((one) => ({
      changes: one.changes.map(({ name, from, to }) => ({ name, from, to })),
      probability: one.probability,
    }));
    return { found, isComplete };
  });
