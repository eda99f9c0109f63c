import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { f32, f64 } from '../numeric/typed.js';
import type { OnnxAttribute, OnnxNode } from '../onnx/model.js';
import { classLabels } from '../trees/raw-ensemble.js';

/** margin = bias + sum of weight times column. */
export interface LinearModel {
  readonly kind: 'linear';
  readonly width: number;
  readonly weights: Float64Array;
  readonly bias: number;
}

/** A linear margin with the link that turns it into the probability of the second class. */
export interface LinearScorer {
  readonly model: LinearModel;
  readonly link: 'identity' | 'logistic';
  /** Whether the two class probabilities already sum to one, so that normalising them changes nothing. */
  readonly sumsToOne: boolean;
  readonly classes: readonly string[];
}

/** Margins of the rows of a matrix, in float64. */
export function linearMargins(model: LinearModel, matrix: Float32Array, rows: number): Float64Array {
  const margins = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let margin = model.bias;
    const offset = row * model.width;
    for (let column = 0; column < model.width; column += 1) {
      margin += f64(model.weights, column) * f32(matrix, offset + column);
    }
    margins[row] = margin;
  }
  return margins;
}

/** Reads a binary LinearClassifier, or a LinearRegressor with one target. */
export function readLinear(node: OnnxNode): LinearScorer {
  const { attributes } = node;
  const coefficients = finite(node, attributes.get('coefficients')?.floats ?? []);
  const intercepts = finite(node, attributes.get('intercepts')?.floats ?? []);
  if (coefficients.length === 0) throw new OnnxFormatError(`${node.operator} has no coefficients.`);
  if (node.operator === 'LinearRegressor') return regressor(node, attributes, coefficients, intercepts);
  return classifier(node, attributes, coefficients, intercepts);
}

function classifier(
  node: OnnxNode,
  attributes: ReadonlyMap<string, OnnxAttribute>,
  coefficients: readonly number[],
  intercepts: readonly number[],
): LinearScorer {
  const classes = classLabels(attributes);
  if (classes.length !== 2) {
    throw new UnsupportedModelError(
      node.operator,
      `${String(classes.length)} classes; binary classifiers are read.`,
    );
  }
  if (intercepts.length > 2) throw new OnnxFormatError('LinearClassifier has more intercepts than classes.');
  if (coefficients.length % 2 !== 0 || intercepts.length === 1) {
    throw new UnsupportedModelError(
      node.operator,
      'one row of coefficients for two classes is read differently by runtimes.',
    );
  }
  const width = coefficients.length / 2;
  const negative = { weights: coefficients.slice(0, width), bias: intercepts[0] ?? 0 };
  const positive = { weights: coefficients.slice(width), bias: intercepts[1] ?? 0 };
  return { ...combine(node, postTransform(attributes), negative, positive), classes };
}

function postTransform(attributes: ReadonlyMap<string, OnnxAttribute>): string {
  return attributes.get('post_transform')?.text ?? 'NONE';
}

interface Row {
  readonly weights: readonly number[];
  readonly bias: number;
}

function combine(
  node: OnnxNode,
  transform: string,
  negative: Row,
  positive: Row,
): Omit<LinearScorer, 'classes'> {
  if (transform === 'SOFTMAX') {
    const weights = positive.weights.map((weight, column) => weight - (negative.weights[column] ?? 0));
    return {
      model: linear({ weights, bias: positive.bias - negative.bias }),
      link: 'logistic',
      sumsToOne: true,
    };
  }
  const mirrored =
    negative.bias === -positive.bias &&
    positive.weights.every((weight, column) => weight === -(negative.weights[column] ?? 0));
  if (transform === 'LOGISTIC') return { model: linear(positive), link: 'logistic', sumsToOne: mirrored };
  if (transform === 'NONE') return { model: linear(positive), link: 'identity', sumsToOne: false };
  throw new UnsupportedModelError(node.operator, `post transform ${transform} is not read here.`);
}

function regressor(
  node: OnnxNode,
  attributes: ReadonlyMap<string, OnnxAttribute>,
  weights: readonly number[],
  intercepts: readonly number[],
): LinearScorer {
  const targets = attributes.get('targets')?.int ?? 1;
  const transform = postTransform(attributes);
  if (targets !== 1 || intercepts.length > 1)
    throw new UnsupportedModelError(node.operator, 'several targets; one is read.');
  if (transform !== 'NONE')
    throw new UnsupportedModelError(node.operator, `post transform ${transform} is not read here.`);
  const model = linear({ weights, bias: intercepts[0] ?? 0 });
  return { model, link: 'identity', sumsToOne: false, classes: [] };
}

function linear(row: Row): LinearModel {
  return {
    kind: 'linear',
    width: row.weights.length,
    weights: Float64Array.from(row.weights),
    bias: row.bias,
  };
}

function finite(node: OnnxNode, values: readonly number[]): readonly number[] {
  if (values.every(Number.isFinite)) return values;
  throw new OnnxFormatError(`${node.operator} has a coefficient that is not a finite number.`);
}

/** The columns as a Scaler leaves them: (x - offset) * scale, rounded to float32 after each step. */
export interface Scaling {
  readonly offset: Float32Array;
  readonly scale: Float32Array;
}

/** Reads a Scaler; a single offset or scale holds for every column. */
export function readScaling(node: OnnxNode, width: number): Scaling {
  const spread = (name: string, fallback: number): Float32Array => {
    const values = finite(node, node.attributes.get(name)?.floats ?? [fallback]);
    if (values.length === 1) return new Float32Array(width).fill(values[0] ?? fallback);
    if (values.length === width) return Float32Array.from(values);
    throw new OnnxFormatError(
      `Scaler lists ${String(values.length)} values of ${name} for ${String(width)} columns.`,
    );
  };
  return { offset: spread('offset', 0), scale: spread('scale', 1) };
}

/** A scaled copy of the matrix. */
export function applyScaling(scaling: Scaling, matrix: Float32Array, rows: number): Float32Array {
  const width = scaling.offset.length;
  const scaled = new Float32Array(rows * width);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = row * width + column;
      scaled[at] = Math.fround(f32(matrix, at) - f32(scaling.offset, column)) * f32(scaling.scale, column);
    }
  }
  return scaled;
}
