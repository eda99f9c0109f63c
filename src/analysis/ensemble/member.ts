import { AnalysisInputError } from '../errors.js';
import { applyScaling, linearMargins, type LinearModel, type Scaling } from '../linear/linear.js';
import type { Forest } from '../trees/forest.js';
import { forestMargins } from '../trees/margins.js';

/** A binary scorer read from an ONNX file: margin by trees or by a line, then a link to a probability. */
export interface Member {
  readonly link: 'identity' | 'logistic';
  /** Columns of the matrix it reads. */
  readonly width: number;
  readonly model: Forest | LinearModel;
  /** Applied to the columns before the model; null when the model reads them as they are. */
  readonly scaling: Scaling | null;
  /** Labels of the classes, the positive one last; empty when the model is a regressor. */
  readonly classes: readonly string[];
  /** The operator that scores, for people. */
  readonly operator: string;
  /** Margins of `rows` rows of a row-major matrix of `rows * width` values. */
  readonly margins: (matrix: Float32Array, rows: number) => Float64Array;
  /** Probabilities of the positive class. */
  readonly predict: (matrix: Float32Array, rows: number) => Float64Array;
}

/** 1 / (1 + e^-x) without overflow and without losing small tails. */
export function sigmoid(margin: number): number {
  if (margin >= 0) return 1 / (1 + Math.exp(-margin));
  const odds = Math.exp(margin);
  return odds / (1 + odds);
}

export interface MemberParts {
  readonly link: 'identity' | 'logistic';
  readonly model: Forest | LinearModel;
  readonly scaling?: Scaling | null;
  readonly classes?: readonly string[];
  readonly operator?: string;
}

/** A member from a model already in memory. */
export function createMember(parts: MemberParts): Member {
  const { link, model } = parts;
  const scaling = parts.scaling ?? null;
  const { width } = model;
  const margins = (matrix: Float32Array, rows: number): Float64Array => {
    expectShape(matrix, rows, width);
    const input = scaling === null ? matrix : applyScaling(scaling, matrix, rows);
    return model.kind === 'trees' ? forestMargins(model, input, rows) : linearMargins(model, input, rows);
  };
  const predict = (matrix: Float32Array, rows: number): Float64Array => {
    const values = margins(matrix, rows);
    return link === 'logistic' ? values.map(sigmoid) : values;
  };
  return {
    link,
    width,
    model,
    scaling,
    classes: parts.classes ?? [],
    operator: parts.operator ?? model.kind,
    margins,
    predict,
  };
}

/** Refuses a matrix whose length is not rows times width. */
export function expectShape(matrix: Float32Array, rows: number, width: number): void {
  if (Number.isInteger(rows) && rows >= 0 && matrix.length === rows * width) return;
  throw new AnalysisInputError(
    `The matrix holds ${String(matrix.length)} values; ${String(rows)} rows of ${String(width)} columns need ${String(rows * width)}.`,
  );
}
