import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import type { OnnxNode } from '../onnx/model.js';
import { type Attributes, checkLengths, ints, type RawEnsemble } from './raw-lists.js';
import { readTreeEnsemble } from './tree-ensemble-v5.js';

/** A float list, or the tensor of doubles that operator version 3 allows instead. */
function reals(attributes: Attributes, name: string): ArrayLike<number> {
  const tensor = attributes.get(`${name}_as_tensor`)?.tensor;
  return tensor?.values() ?? attributes.get(name)?.floats ?? [];
}

/** Class labels of a classifier node, as text; empty for a regressor. */
export function classLabels(attributes: Attributes): readonly string[] {
  const texts = attributes.get('classlabels_strings')?.texts ?? [];
  if (texts.length > 0) return texts;
  const numbers = attributes.get('classlabels_int64s') ?? attributes.get('classlabels_ints');
  return (numbers?.ints ?? []).map(String);
}

/** Reads the attributes of a tree operator and checks that they fit together. */
export function readRawEnsemble(node: OnnxNode): RawEnsemble {
  return node.operator === 'TreeEnsemble' ? readTreeEnsemble(node) : readLists(node);
}

function readLists(node: OnnxNode): RawEnsemble {
  const { attributes } = node;
  const votes = node.operator === 'TreeEnsembleClassifier' ? 'class' : 'target';
  const raw: RawEnsemble = {
    operator: node.operator,
    treeIds: ints(attributes, 'nodes_treeids'),
    nodeIds: ints(attributes, 'nodes_nodeids'),
    featureIds: ints(attributes, 'nodes_featureids'),
    thresholds: reals(attributes, 'nodes_values'),
    modes: texts(attributes, 'nodes_modes'),
    trueIds: ints(attributes, 'nodes_truenodeids'),
    falseIds: ints(attributes, 'nodes_falsenodeids'),
    nanTrue: ints(attributes, 'nodes_missing_value_tracks_true'),
    voteTreeIds: ints(attributes, `${votes}_treeids`),
    voteNodeIds: ints(attributes, `${votes}_nodeids`),
    voteTargets: ints(attributes, `${votes}_ids`),
    voteWeights: reals(attributes, `${votes}_weights`),
    base: reals(attributes, 'base_values'),
    postTransform: text(attributes, 'post_transform', 'NONE'),
    aggregate: text(attributes, 'aggregate_function', 'SUM'),
    labels: classLabels(attributes),
    targets: attributes.get('n_targets')?.int ?? 1,
    roots: null,
    sets: new Map(),
  };
  checkLengths(raw);
  return raw;
}

function text(attributes: Attributes, name: string, fallback: string): string {
  return attributes.get(name)?.text ?? fallback;
}

function texts(attributes: Attributes, name: string): readonly string[] {
  return attributes.get(name)?.texts ?? [];
}

/** What a leaf's votes add up to, and how the sum becomes the probability of the second class. */
export interface VoteRule {
  readonly link: 'identity' | 'logistic';
  /** Factor of a vote for a target in the margin; undefined refuses the target. */
  readonly factors: ReadonlyMap<number, number>;
  readonly base: number;
}

/** Trees of the operator: what an average divides by. */
export function treeCount(raw: RawEnsemble): number {
  return raw.roots?.length ?? new Set(Array.from(raw.treeIds)).size;
}

/**
 * How the votes of a binary scorer combine, as onnxruntime computes them. Combinations whose meaning the
 * specification leaves open (two base values with one class, for example) are refused.
 */
export function voteRule(raw: RawEnsemble): VoteRule {
  if (raw.operator === 'TreeEnsembleClassifier') return classifierRule(raw);
  if (raw.targets !== 1)
    throw new UnsupportedModelError(raw.operator, `${String(raw.targets)} targets; one is read.`);
  if (raw.base.length > 1)
    throw new UnsupportedModelError(raw.operator, 'several base values for one target.');
  if (raw.aggregate !== 'SUM' && raw.aggregate !== 'AVERAGE') {
    throw new UnsupportedModelError(
      raw.operator,
      `aggregate ${raw.aggregate} is not a sum, so it has no exact attribution.`,
    );
  }
  const trees = raw.aggregate === 'AVERAGE' ? treeCount(raw) : 1;
  return { link: simpleLink(raw), factors: new Map([[0, 1 / trees]]), base: raw.base[0] ?? 0 };
}

function simpleLink(raw: RawEnsemble): 'identity' | 'logistic' {
  if (raw.postTransform === 'NONE') return 'identity';
  if (raw.operator === 'TreeEnsemble')
    throw new UnsupportedModelError(raw.operator, 'a transform of one target is left out by some runtimes.');
  if (raw.postTransform === 'LOGISTIC') return 'logistic';
  throw new UnsupportedModelError(raw.operator, `post transform ${raw.postTransform} is not read here.`);
}

function classifierRule(raw: RawEnsemble): VoteRule {
  if (raw.labels.length !== 2) {
    throw new UnsupportedModelError(
      raw.operator,
      `${String(raw.labels.length)} classes; binary classifiers are read.`,
    );
  }
  const voted = new Set(Array.from(raw.voteTargets));
  for (const target of voted) {
    if (target !== 0 && target !== 1)
      throw new OnnxFormatError(`${raw.operator} votes for class ${String(target)} of 2.`);
  }
  return voted.size === 2 ? twoClassRule(raw) : oneClassRule(raw, voted);
}

function oneClassRule(raw: RawEnsemble, voted: ReadonlySet<number>): VoteRule {
  if (raw.base.length > 1) {
    throw new UnsupportedModelError(
      raw.operator,
      'two base values with votes for one class have no defined meaning.',
    );
  }
  const factors = new Map(Array.from(voted, (target) => [target, 1] as const));
  return { link: simpleLink(raw), factors, base: raw.base[0] ?? 0 };
}

function twoClassRule(raw: RawEnsemble): VoteRule {
  if (raw.base.length > 0) {
    throw new UnsupportedModelError(
      raw.operator,
      'base values with votes for both classes are read differently by runtimes.',
    );
  }
  const factors = new Map(
    raw.postTransform === 'SOFTMAX'
      ? [
          [0, -1],
          [1, 1],
        ]
      : [
          [0, 0],
          [1, 1],
        ],
  );
  return { link: raw.postTransform === 'SOFTMAX' ? 'logistic' : simpleLink(raw), factors, base: 0 };
}

/** How the votes of an operator with any number of classes or targets combine. */
export interface VectorRule {
  readonly link: 'identity' | 'logistic' | 'softmax';
  readonly outputs: number;
  readonly bases: Float64Array;
  /** Factor of every vote. */
  readonly factor: number;
}

/** One margin per class or target, for operators that voteRule does not reduce to one. */
export function vectorRule(raw: RawEnsemble): VectorRule {
  const outputs = raw.operator === 'TreeEnsembleClassifier' ? raw.labels.length : raw.targets;
  if (outputs < 1 || outputs > MOST_OUTPUTS)
    throw new UnsupportedModelError(raw.operator, `${String(outputs)} classes or targets.`);
  if (raw.base.length !== 0 && raw.base.length !== outputs)
    throw new OnnxFormatError(
      `${raw.operator} has ${String(raw.base.length)} base values for ${String(outputs)} margins.`,
    );
  if (raw.aggregate !== 'SUM' && raw.aggregate !== 'AVERAGE')
    throw new UnsupportedModelError(
      raw.operator,
      `aggregate ${raw.aggregate} is not a sum, so it has no exact attribution.`,
    );
  const bases = new Float64Array(outputs);
  bases.set(Array.from(raw.base));
  const factor = raw.aggregate === 'AVERAGE' ? 1 / treeCount(raw) : 1;
  const link = raw.postTransform === 'SOFTMAX' ? 'softmax' : simpleLink(raw);
  return { link, outputs, bases, factor };
}

const MOST_OUTPUTS = 1024;
