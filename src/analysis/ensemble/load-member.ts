import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { readLinear, readScaling, type Scaling } from '../linear/linear.js';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../onnx/model.js';
import { readOnnxModel } from '../onnx/read-model.js';
import { buildForest } from '../trees/build-forest.js';
import { readRawEnsemble, voteRule } from '../trees/raw-ensemble.js';
import { createMember, type Member } from './member.js';

const CLASSIFIERS = new Set(['TreeEnsembleClassifier', 'LinearClassifier']);
const REGRESSORS = new Set(['TreeEnsembleRegressor', 'LinearRegressor']);
const UNCHANGED = new Set(['Identity', 'Cast', 'ZipMap']);
const LONGEST_CHAIN = 32;

/** The nodes between the input of a graph and its probability. */
interface Chain {
  readonly before: readonly OnnxNode[];
  readonly scorer: OnnxNode;
  readonly after: readonly OnnxNode[];
  readonly input: OnnxValue;
}

/**
 * Reads an ONNX file as a binary scorer. The class always follows from probabilities: the label output of tree
 * operators contradicts them in several runtimes. Throws OnnxFormatError for malformed files and
 * UnsupportedModelError, naming the operator, for models that cannot be read exactly.
 */
export function loadMember(bytes: Uint8Array): Member {
  const model = readOnnxModel(bytes);
  const [external] = model.externalData;
  if (external !== undefined) {
    throw new UnsupportedModelError(
      'external data',
      `tensor '${external.tensor}' lies in '${external.location}', outside the file.`,
    );
  }
  const chain = findChain(model.graph);
  const width = statedWidth(chain.input);
  return readScorer(chain, width);
}

function readScorer(chain: Chain, width: number | null): Member {
  const { scorer } = chain;
  if (scorer.operator.startsWith('Linear')) {
    const { model, link, sumsToOne, classes } = readLinear(scorer);
    if (width !== null && width !== model.width) {
      throw new OnnxFormatError(
        `The input has ${String(width)} columns, ${scorer.operator} reads ${String(model.width)}.`,
      );
    }
    checkAfter(chain, sumsToOne);
    return createMember({
      link,
      model,
      classes,
      operator: scorer.operator,
      scaling: scalingOf(chain, model.width),
    });
  }
  const raw = readRawEnsemble(scorer);
  const rule = voteRule(raw);
  const model = buildForest(raw, rule, width);
  // With one voted class the other probability is the complement, so the two sum to one.
  checkAfter(chain, rule.link === 'logistic' && (rule.factors.size === 1 || raw.postTransform === 'SOFTMAX'));
  return createMember({
    link: rule.link,
    model,
    classes: raw.labels,
    operator: scorer.operator,
    scaling: scalingOf(chain, model.width),
  });
}

function checkAfter(chain: Chain, sumsToOne: boolean): void {
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

function scalingOf(chain: Chain, width: number): Scaling | null {
  const scalers = chain.before.filter((node) => node.operator === 'Scaler');
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
    const found = backToScorer(output.name, producers);
    if (typeof found === 'string') obstacles.push(found);
    else return { ...found, ...backToInput(found.scorer, producers, graph) };
  }
  const names = [...new Set(obstacles)].join(', ');
  throw new UnsupportedModelError(
    names === '' ? 'graph' : names,
    'no output leads back to a tree or linear scorer through operators that are read.',
  );
}

type Producers = ReadonlyMap<string, OnnxNode>;

/** The scorer whose probabilities an output shows, or the name of the operator in the way. */
function backToScorer(output: string, producers: Producers): Pick<Chain, 'scorer' | 'after'> | string {
  const after: OnnxNode[] = [];
  let name = output;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    const node = producers.get(name);
    if (node === undefined) return `output '${output}'`;
    if (CLASSIFIERS.has(node.operator))
      return node.outputs[1] === name ? { scorer: node, after } : `label of ${node.operator}`;
    if (REGRESSORS.has(node.operator)) return { scorer: node, after };
    if (!UNCHANGED.has(node.operator) && node.operator !== 'Normalizer') return node.operator;
    after.push(node);
    name = node.inputs[0] ?? '';
  }
  return `a chain of more than ${String(LONGEST_CHAIN)} operators`;
}

function backToInput(
  scorer: OnnxNode,
  producers: Producers,
  graph: OnnxGraph,
): Pick<Chain, 'before' | 'input'> {
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
