/** A tensor held in the model. Its values are decoded only when asked for. */
export interface OnnxTensor {
  readonly name: string;
  /** ONNX element type in words: `float`, `int64`, `string`, … */
  readonly elementType: string;
  readonly dims: readonly number[];
  /** Where the values are when they are not in the file; null when they are. */
  readonly external: string | null;
  /** Numeric values in row-major order. Throws OnnxFormatError when the bytes do not fit the shape. */
  readonly values: () => Float64Array;
  /** Values of a string tensor. */
  readonly strings: () => readonly string[];
}

/** One attribute of a node. Only the field that fits its type is filled; the others are empty or null. */
export interface OnnxAttribute {
  readonly name: string;
  readonly float: number | null;
  readonly int: number | null;
  readonly text: string | null;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly texts: readonly string[];
  readonly tensor: OnnxTensor | null;
  readonly tensors: readonly OnnxTensor[];
  readonly graphs: readonly OnnxGraph[];
}

/** One operation of a graph. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** Empty for the standard operator set. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** A dimension: a number, the name of a symbolic one, or null when nothing is said. */
export type OnnxDimension = number | string | null;

/** An input or output of a graph. */
export interface OnnxValue {
  readonly name: string;
  /** `float`, `int64`, …, or `sequence`, `map`, `optional`, `unknown`. */
  readonly elementType: string;
  /** null when the model states no shape. */
  readonly shape: readonly OnnxDimension[] | null;
}

/** A graph, of the model or inside an attribute. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
}

/** A tensor whose values are outside the file. */
export interface ExternalDataReference {
  readonly tensor: string;
  readonly location: string;
}

/** What an ONNX file says about itself. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  readonly producerVersion: string;
  readonly modelVersion: number;
  /** Operator set versions by domain; the standard one is ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly graph: OnnxGraph;
  readonly externalData: readonly ExternalDataReference[];
  /** How often each `domain:operator` occurs, subgraphs and functions included. */
  readonly operators: ReadonlyMap<string, number>;
}
