import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import type { OnnxGraph, OnnxNode, OnnxTensor } from './model.js';

/** What happens to one value on its way from an input to a scorer, all in float32. */
export type EncodingStep =
  /** A missing value becomes this one. */
  | { readonly kind: 'impute'; readonly value: number }
  /** (x - offset) * scale, rounded after each. */
  | { readonly kind: 'scale'; readonly offset: number; readonly scale: number }
  /** 1 where x is this category, else 0; a text is its place in the encoder's list. */
  | { readonly kind: 'category'; readonly value: number };

/** A column that a scorer reads: one column of the inputs, after some steps. */
export interface EncodedColumn {
  /** Column of the matrix of all inputs side by side. */
  readonly source: number;
  readonly steps: readonly EncodingStep[];
}

/** Where an input stands in the matrix of all inputs. */
export interface InputColumns {
  readonly name: string;
  readonly columns: readonly [start: number, length: number];
}

/** The columns of a tensor, and the inputs they come from. */
export interface EncodedTensor {
  readonly columns: readonly EncodedColumn[];
  readonly inputs: readonly InputColumns[];
  readonly width: number;
  /** Input columns that are cut to whole numbers on the way: they must hold nothing else. */
  readonly wholeNumbers: readonly number[];
  /** Categories of input columns that hold text, in the order of their codes. */
  readonly categories: ReadonlyMap<number, readonly string[]>;
}

const MOST_COLUMNS = 65_536;
const MOST_NODES = 512;

interface Tracing {
  readonly producers: ReadonlyMap<string, OnnxNode>;
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: ReadonlyMap<string, readonly EncodedColumn[]>;
  readonly texts: ReadonlySet<number>;
  readonly wholeNumbers: Set<number>;
  readonly categories: Map<number, readonly string[]>;
  budget: number;
}

/**
 * Follows the tensor `name` back to the inputs of a graph, through the operators that converters write before a scorer.
 * Throws UnsupportedModelError, naming the operator, where a column is not one input column after known steps.
 */
export function traceColumns(graph: OnnxGraph, name: string): EncodedTensor {
  const inputs: InputColumns[] = [];
  const columns = new Map<string, readonly EncodedColumn[]>();
  const texts = new Set<number>();
  const initializers = new Map(graph.initializers.map((tensor) => [tensor.name, tensor] as const));
  let width = 0;
  for (const input of graph.inputs) {
    // Old files list initializers among the inputs.
    if (initializers.has(input.name)) continue;
    const length = input.shape?.[1];
    if (typeof length !== 'number' || length < 1 || length > MOST_COLUMNS)
      throw new UnsupportedModelError(`input '${input.name}'`, 'its number of columns is not stated.');
    const start = width;
    const own = Array.from({ length }, (_, at) => ({ source: start + at, steps: [] }));
    if (input.elementType === 'string') for (const { source } of own) texts.add(source);
    columns.set(input.name, own);
    inputs.push({ name: input.name, columns: [start, length] });
    width += length;
  }
  const tracing: Tracing = {
    producers: new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const))),
    initializers,
    inputs: columns,
    texts,
    wholeNumbers: new Set(),
    categories: new Map(),
    budget: MOST_NODES,
  };
  const traced = trace(tracing, name);
  return {
    columns: traced,
    inputs,
    width,
    wholeNumbers: [...tracing.wholeNumbers].sort((a, b) => a - b),
    categories: tracing.categories,
  };
}

function trace(tracing: Tracing, name: string): readonly EncodedColumn[] {
  const input = tracing.inputs.get(name);
  if (input !== undefined) return input;
  const node = tracing.producers.get(name);
  if (node === undefined)
    throw new OnnxFormatError(`The graph reads '${name}', which is neither an input nor computed.`);
  tracing.budget -= 1;
  if (tracing.budget < 0)
    throw new UnsupportedModelError(
      node.operator,
      'too many operators stand before the scorer, or they form a circle.',
    );
  const read = OPERATORS[node.operator];
  if (read === undefined) throw new UnsupportedModelError(node.operator, 'before the scorer is not read.');
  const columns = read(tracing, node);
  if (columns.length > MOST_COLUMNS)
    throw new UnsupportedModelError(node.operator, `more than ${String(MOST_COLUMNS)} columns.`);
  return columns;
}

type Operator = (tracing: Tracing, node: OnnxNode) => readonly EncodedColumn[];

const source: Operator = (tracing, node) => trace(tracing, node.inputs[0] ?? '');

const concat: Operator = (tracing, node) => node.inputs.flatMap((name) => trace(tracing, name));

const OPERATORS: Readonly<Record<string, Operator>> = {
  Identity: source,
  Concat: concat,
  FeatureVectorizer: concat,
  Cast: cast,
  Scaler: scaler,
  Imputer: imputer,
  OneHotEncoder: oneHot,
  Gather: select,
  ArrayFeatureExtractor: select,
  Reshape: reshape,
};

const FLOATS = [1, 11];
const INTEGERS = [6, 7];

function cast(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const columns = source(tracing, node);
  const to = node.attributes.get('to')?.int ?? 0;
  if (INTEGERS.includes(to)) {
    for (const column of columns) {
      if (!column.steps.every((one) => one.kind === 'impute' && Number.isInteger(one.value)))
        throw new UnsupportedModelError('Cast', 'to an integer after other steps is not read.');
      if (!tracing.texts.has(column.source)) tracing.wholeNumbers.add(column.source);
    }
  } else if (!FLOATS.includes(to))
    throw new UnsupportedModelError(
      'Cast',
      'a cast of the inputs to anything but float, double or integers is not read.',
    );
  return columns;
}

function step(columns: readonly EncodedColumn[], of: (at: number) => EncodingStep): readonly EncodedColumn[] {
  return columns.map((column, at) => ({ ...column, steps: [...column.steps, of(at)] }));
}

/** One value for all columns, or one for each. */
function spread(node: OnnxNode, name: string, count: number, fallback: number): (at: number) => number {
  const values = node.attributes.get(name)?.floats ?? [];
  if (!values.every(Number.isFinite))
    throw new OnnxFormatError(`${node.operator} has a value of ${name} that is not a finite number.`);
  if (values.length > 1 && values.length !== count)
    throw new OnnxFormatError(
      `${node.operator} lists ${String(values.length)} values of ${name} for ${String(count)} columns.`,
    );
  return (at) => Math.fround((values.length > 1 ? values[at] : values[0]) ?? fallback);
}

function scaler(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const columns = source(tracing, node);
  const offset = spread(node, 'offset', columns.length, 0);
  const scale = spread(node, 'scale', columns.length, 1);
  if (columns.some((_, at) => scale(at) === 0))
    throw new UnsupportedModelError('Scaler', 'a scale of zero is not read.');
  return step(columns, (at) => ({ kind: 'scale', offset: offset(at), scale: scale(at) }));
}

function imputer(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const columns = source(tracing, node);
  const replaced = node.attributes.get('replaced_value_float')?.float ?? 0;
  if (!Number.isNaN(replaced) || !node.attributes.has('imputed_value_floats'))
    throw new UnsupportedModelError('Imputer', 'only missing values of float columns are read as replaced.');
  const value = spread(node, 'imputed_value_floats', columns.length, 0);
  return step(columns, (at) => ({ kind: 'impute', value: value(at) }));
}

function oneHot(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const [column, ...more] = source(tracing, node);
  if (column === undefined || more.length > 0)
    throw new UnsupportedModelError('OneHotEncoder', 'several columns at once are not read.');
  if ((node.attributes.get('zeros')?.int ?? 1) !== 1)
    throw new UnsupportedModelError('OneHotEncoder', 'refusing unknown categories is not read.');
  return categoriesOf(tracing, node, column.source).flatMap((value) =>
    step([column], () => ({ kind: 'category', value })),
  );
}

/** The categories of an encoder as numbers; texts by their place in the list. */
function categoriesOf(tracing: Tracing, node: OnnxNode, input: number): readonly number[] {
  const names = node.attributes.get('cats_strings')?.texts ?? [];
  const isText = tracing.texts.has(input);
  if (isText !== names.length > 0)
    throw new UnsupportedModelError(
      'OneHotEncoder',
      'text and numbers as categories of one column are not read.',
    );
  if (isText) {
    tracing.categories.set(input, names);
    return names.map((_, place) => place);
  }
  tracing.wholeNumbers.add(input);
  return node.attributes.get('cats_int64s')?.ints ?? [];
}

/** Columns by their numbers, which an initializer holds. */
function select(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const columns = source(tracing, node);
  const axis = node.attributes.get('axis')?.int ?? (node.operator === 'Gather' ? 0 : 1);
  if (axis !== 1) throw new UnsupportedModelError(node.operator, `along axis ${String(axis)} is not read.`);
  return [...constant(tracing, node)].map((at) => {
    const column = columns[at < 0 ? columns.length + at : at];
    if (column === undefined)
      throw new OnnxFormatError(`${node.operator} takes column ${String(at)} of ${String(columns.length)}.`);
    return column;
  });
}

function reshape(tracing: Tracing, node: OnnxNode): readonly EncodedColumn[] {
  const columns = source(tracing, node);
  const shape = [...constant(tracing, node)];
  const [rows, length] = shape;
  if (shape.length === 2 && rows === -1 && (length === columns.length || length === -1)) return columns;
  throw new UnsupportedModelError('Reshape', `to ${shape.join(' x ')} is not read.`);
}

function constant(tracing: Tracing, node: OnnxNode): Float64Array {
  const tensor = tracing.initializers.get(node.inputs[1] ?? '');
  if (tensor !== undefined) return tensor.values();
  throw new UnsupportedModelError(node.operator, `'${node.inputs[1] ?? ''}' is no constant.`);
}
