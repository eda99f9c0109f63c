import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { readLinear, readScaling, type Scaling } from '../linear/linear.js';
import { f64 } from '../numeric/typed.js';
import { type InputColumns, traceColumns } from '../onnx/encoded-columns.js';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../onnx/model.js';
import { readOnnxModel } from '../onnx/read-model.js';
import { buildForest, buildVectorForest } from '../trees/build-forest.js';
import { foldColumns } from '../trees/fold-columns.js';
import { asVector, type VectorForest } from '../trees/forest.js';
import { readRawEnsemble, vectorRule, voteRule } from '../trees/raw-ensemble.js';
import type { RawEnsemble } from '../trees/raw-lists.js';
import { createMember, type Member } from './member.js';

const CLASSIFIERS = new Set(['TreeEnsembleClassifier', 'LinearClassifier']);
const REGRESSORS = new Set(['TreeEnsembleRegressor', 'TreeEnsemble', 'LinearRegressor']);
const UNCHANGED = new Set(['Identity', 'Cast', 'ZipMap']);
const LONGEST_CHAIN = 32;

/** The scorer of a graph, and the nodes between it and an output. */
interface Chain {
  readonly graph: OnnxGraph;
  readonly scorer: OnnxNode;
  readonly after: readonly OnnxNode[];
}

/** Trees read from a file, with any number of margins. */
export interface TreeReading {
  readonly forest: VectorForest;
  /** How margins become what the model puts out. */
  readonly link: 'identity' | 'logistic' | 'softmax';
  /** Labels of the classes; with one margin, the last one is that of the margin. */
  readonly classes: readonly string[];
  /** The operator that scores, for people. */
  readonly operator: string;
  /** The inputs side by side, as the columns of the matrix; null when the file has one of unknown width. */
  readonly inputs: readonly InputColumns[] | null;
  /** Columns that the model cuts to whole numbers: they must hold nothing else. */
  readonly wholeNumbers: readonly number[];
  /** Texts of the columns that hold places in such a list. */
  readonly categories: ReadonlyMap<number, readonly string[]>;
}

/**
 * Reads an ONNX file as a binary scorer. The class always follows from probabilities: the label output of tree
 * operators contradicts them in several runtimes. Throws OnnxFormatError for malformed files and
 * UnsupportedModelError, naming the operator, for models that cannot be read exactly.
 */
export function loadMember(bytes: Uint8Array): Member {
  const chain = openChain(bytes);
  if (chain.scorer.operator.startsWith('Linear')) return readLinearMember(chain);
  const { forest, link, classes, operator } = readTrees(chain);
  if (forest.outputs !== 1 || link === 'softmax') {
    throw new UnsupportedModelError(
      operator,
      `${String(forest.outputs)} ${classes.length > 0 ? 'classes' : 'targets'}; a binary scorer is read here.`,
    );
  }
  const { outputs: _outputs, values, bases, ...shape } = forest;
  return createMember({
    link,
    model: { ...shape, kind: 'trees', value: values, base: f64(bases, 0) },
    classes,
    operator,
  });
}

/** Reads the trees of an ONNX file with one margin per class or target; binary classifiers have one. Throws as loadMember. */
export function loadTrees(bytes: Uint8Array): TreeReading {
  const chain = openChain(bytes);
  if (chain.scorer.operator.startsWith('Linear'))
    throw new UnsupportedModelError(chain.scorer.operator, 'has no trees.');
  return readTrees(chain);
}

function openChain(bytes: Uint8Array): Chain {
  const model = readOnnxModel(bytes);
  const [external] = model.externalData;
  if (external !== undefined) {
    throw new UnsupportedModelError(
      'external data',
      `tensor '${external.tensor}' lies in '${external.location}', outside the file.`,
    );
  }
  return findChain(model.graph);
}

function readLinearMember(chain: Chain): Member {
  const { scorer } = chain;
  const { before, input } = backToInput(chain);
  const width = statedWidth(input);
  const { model, link, sumsToOne, classes } = readLinear(scorer);
  if (width !== null && width !== model.width) {
    throw new OnnxFormatError(
      `The input has ${String(width)} columns, ${scorer.operator} reads ${String(model.width)}.`,
    );
  }
  checkAfter(chain, sumsToOne);
  const scaling = scalingOf(before, model.width);
  return createMember({ link, model, classes, operator: scorer.operator, scaling });
}

function readTrees(chain: Chain): TreeReading {
  const { graph, scorer } = chain;
  const raw = readRawEnsemble(scorer);
  const about = { classes: raw.labels, operator: scorer.operator };
  const input = graph.inputs.find(({ name }) => name === scorer.inputs[0]);
  if (input !== undefined) {
    const width = statedWidth(input);
    const inputs = width === null ? null : [{ name: input.name, columns: [0, width] as const }];
    const { forest, link } = growTrees(chain, raw, width);
    return { ...about, forest, link, inputs, wholeNumbers: [], categories: new Map() };
  }
  const traced = traceColumns(graph, scorer.inputs[0] ?? '');
  const { forest, link } = growTrees(chain, raw, traced.columns.length);
  const { inputs, wholeNumbers, categories, width } = traced;
  return {
    ...about,
    forest: foldColumns(forest, traced.columns, width),
    link,
    inputs,
    wholeNumbers,
    categories,
  };
}

function growTrees(
  chain: Chain,
  raw: RawEnsemble,
  width: number | null,
): Pick<TreeReading, 'forest' | 'link'> {
  const isBinary = raw.operator === 'TreeEnsembleClassifier' ? raw.labels.length === 2 : raw.targets === 1;
  if (isBinary) {
    const rule = voteRule(raw);
    // With one voted class the other probability is the complement, so the two sum to one.
    checkAfter(
      chain,
      rule.link === 'logistic' && (rule.factors.size === 1 || raw.postTransform === 'SOFTMAX'),
    );
    return { forest: asVector(buildForest(raw, rule, width)), link: rule.link };
  }
  const { link, outputs, bases, factor } = vectorRule(raw);
  checkAfter(chain, link === 'softmax');
  const placeOf = (target: number): readonly [number, number] | undefined =>
    target >= 0 && target < outputs ? [target, factor] : undefined;
  return { forest: buildVectorForest(raw, { bases, placeOf }, width), link };
}

function checkAfter(chain: Pick<Chain, 'after'>, sumsToOne: boolean): void {
  for (const node of chain.after) {
    if (node.operator !== 'Normalizer') continue;
    const norm = node.attributes.get('norm')?.text ?? 'MAX';
    if (norm === 'L1' && sumsToOne) continue;
    throw new UnsupportedModelError(
      'Normalizer',
      `norm ${norm} here changes the probabilities, which is not read.`,
    );
  }
}

function scalingOf(before: readonly OnnxNode[], width: number): Scaling | null {
  const scalers = before.filter((node) => node.operator === 'Scaler');
  const [scaler] = scalers;
  if (scalers.length > 1) throw new UnsupportedModelError('Scaler', 'several in a row are not read.');
  return scaler === undefined ? null : readScaling(scaler, width);
}

function statedWidth(input: OnnxValue): number | null {
  if (input.elementType !== 'float' && input.elementType !== 'double') {
    throw new UnsupportedModelError(
      `input '${input.name}'`,
      `elements of type ${input.elementType}; a float matrix is read.`,
    );
  }
  const last = input.shape?.[1];
  return typeof last === 'number' && last > 0 ? last : null;
}

function findChain(graph: OnnxGraph): Chain {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const obstacles: string[] = [];
  for (const output of graph.outputs) {
    const found = backToScorer(output.name, producers, graph);
    if (typeof found === 'string') obstacles.push(found);
    else return { graph, ...found };
  }
  const names = [...new Set(obstacles)].join(', ');
  throw new UnsupportedModelError(
    names === '' ? 'graph' : names,
    'no output leads back to a tree or linear scorer through operators that are read.',
  );
}

type Producers = ReadonlyMap<string, OnnxNode>;

/** The scorer whose probabilities an output shows, or the name of the operator in the way. */
function backToScorer(
  output: string,
  producers: Producers,
  graph: OnnxGraph,
): Pick<Chain, 'scorer' | 'after'> | string {
  const after: OnnxNode[] = [];
  let name = output;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    const node = producers.get(name);
    if (node === undefined) return `output '${output}'`;
    if (CLASSIFIERS.has(node.operator))
      return node.outputs[1] === name ? { scorer: node, after } : `label of ${node.operator}`;
    if (REGRESSORS.has(node.operator)) return { scorer: node, after };
    if (!isUnchanged(node, graph)) return node.operator;
    after.push(node);
    name = node.inputs[0] ?? '';
  }
  return `a chain of more than ${String(LONGEST_CHAIN)} operators`;
}

/** Operators after a scorer that leave its probabilities as they are; a Normalizer is judged later. */
function isUnchanged(node: OnnxNode, graph: OnnxGraph): boolean {
  if (UNCHANGED.has(node.operator) || node.operator === 'Normalizer') return true;
  if (node.operator !== 'Mul') return false;
  const factor = graph.initializers.find(({ name }) => name === node.inputs[1]);
  return factor !== undefined && factor.values().every((value) => value === 1);
}

function backToInput({ scorer, graph }: Chain): {
  readonly before: readonly OnnxNode[];
  readonly input: OnnxValue;
} {
  const producers: Producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)),
  );
  const before: OnnxNode[] = [];
  let name = scorer.inputs[0] ?? '';
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    const node = producers.get(name);
    if (node === undefined) return { before, input: inputNamed(graph, name) };
    if (node.operator !== 'Scaler' && node.operator !== 'Identity' && node.operator !== 'Cast') {
      throw new UnsupportedModelError(node.operator, `between the input and ${scorer.operator} is not read.`);
    }
    if (node.operator === 'Cast') expectFloatCast(node);
    before.push(node);
    name = node.inputs[0] ?? '';
  }
  throw new UnsupportedModelError(
    scorer.operator,
    `more than ${String(LONGEST_CHAIN)} operators stand before it.`,
  );
}

/** A cast of the input to an integer would round it; to float or double it changes nothing for a float32 matrix. */
function expectFloatCast(node: OnnxNode): void {
  const to = node.attributes.get('to')?.int;
  if (to === 1 || to === 11) return;
  throw new UnsupportedModelError(
    'Cast',
    'a cast of the inputs to anything but float or double is not read.',
  );
}

function inputNamed(graph: OnnxGraph, name: string): OnnxValue {
  const input = graph.inputs.find((candidate) => candidate.name === name);
  if (input !== undefined) return input;
  throw new OnnxFormatError(`The graph reads '${name}', which is neither an input nor computed.`);
}
