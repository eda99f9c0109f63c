import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import type { OnnxNode } from '../onnx/model.js';
import { type Attributes, checkLengths, ints, type RawEnsemble } from './raw-lists.js';

const MODES = [
  'BRANCH_LEQ',
  'BRANCH_LT',
  'BRANCH_GTE',
  'BRANCH_GT',
  'BRANCH_EQ',
  'BRANCH_NEQ',
  'BRANCH_MEMBER',
];
const AGGREGATES = ['AVERAGE', 'SUM', 'MIN', 'MAX'];
const TRANSFORMS = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'];

/**
 * Reads a TreeEnsemble of ai.onnx.ml version 5, which keeps splits and leaves apart: leaf k becomes the node after all
 * splits and k leaves.
 */
export function readTreeEnsemble({ operator, attributes }: OnnxNode): RawEnsemble {
  const featureIds = ints(attributes, 'nodes_featureids');
  const leafTargets = ints(attributes, 'leaf_targetids');
  const weights = reals(attributes, 'leaf_weights');
  const splits = featureIds.length;
  const count = splits + leafTargets.length;
  const leaves = Array.from(leafTargets, (_, leaf) => splits + leaf);
  const modes = [...reals(attributes, 'nodes_modes')].map((code) => named(MODES, code, 'mode of a node'));
  const padded = (values: ArrayLike<number>): number[] => [...Array.from(values), ...leaves.map(() => 0)];
  const missing = ints(attributes, 'nodes_missing_value_tracks_true');
  if (splits === 0 || modes.length !== splits)
    throw new OnnxFormatError(
      `TreeEnsemble lists ${String(modes.length)} modes for ${String(splits)} nodes.`,
    );
  const raw: RawEnsemble = {
    operator,
    treeIds: new Int32Array(count),
    nodeIds: Array.from({ length: count }, (_, position) => position),
    featureIds: padded(featureIds),
    thresholds: padded(reals(attributes, 'nodes_splits')),
    modes: [...modes, ...leaves.map(() => 'LEAF')],
    trueIds: padded(children(attributes, 'true', splits)),
    falseIds: padded(children(attributes, 'false', splits)),
    nanTrue: missing.length === 0 ? [] : padded(missing),
    voteTreeIds: new Int32Array(leaves.length),
    voteNodeIds: leaves,
    voteTargets: leafTargets,
    voteWeights: weights,
    base: [],
    postTransform: named(TRANSFORMS, attributes.get('post_transform')?.int ?? 0, 'post transform'),
    aggregate: named(AGGREGATES, attributes.get('aggregate_function')?.int ?? 1, 'aggregate'),
    labels: [],
    targets: attributes.get('n_targets')?.int ?? 1,
    roots: rootsOf(attributes, splits),
    sets: setsOf(attributes, modes),
  };
  checkLengths(raw);
  return raw;
}

function reals(attributes: Attributes, name: string): Float64Array {
  return attributes.get(name)?.tensor?.values() ?? new Float64Array(0);
}

function named(names: readonly string[], code: number, what: string): string {
  const name = names[code];
  if (name !== undefined) return name;
  throw new UnsupportedModelError('TreeEnsemble', `the ${what} has the unknown code ${String(code)}.`);
}

/** Children as node numbers; a flag says whether an index is that of a leaf. */
function children(attributes: Attributes, side: 'true' | 'false', splits: number): number[] {
  const ids = ints(attributes, `nodes_${side}nodeids`);
  const isLeaf = ints(attributes, `nodes_${side}leafs`);
  if (ids.length !== splits || isLeaf.length !== splits)
    throw new OnnxFormatError(
      `TreeEnsemble names ${String(ids.length)} ${side} children of ${String(splits)} nodes.`,
    );
  return ids.map((id, node) => {
    const wanted = isLeaf[node] === 1 ? splits + id : id;
    // An index of a node must not reach into the leaves that follow.
    if (isLeaf[node] !== 1 && id >= splits)
      throw new OnnxFormatError(`TreeEnsemble names node ${String(id)} of ${String(splits)}.`);
    return id < 0 ? -1 : wanted;
  });
}

function rootsOf(attributes: Attributes, splits: number): readonly number[] {
  const roots = ints(attributes, 'tree_roots');
  if (roots.length === 0) throw new OnnxFormatError('TreeEnsemble has no trees.');
  for (const root of roots) {
    if (root < 0 || root >= splits)
      throw new OnnxFormatError(`TreeEnsemble has its root at node ${String(root)} of ${String(splits)}.`);
  }
  return roots;
}

/** Sets follow each other in the order of the nodes that test them, each ended by NaN. */
function setsOf(attributes: Attributes, modes: readonly string[]): ReadonlyMap<number, readonly number[]> {
  const values = reals(attributes, 'membership_values');
  const sets = new Map<number, readonly number[]>();
  let at = 0;
  modes.forEach((mode, node) => {
    if (mode !== 'BRANCH_MEMBER') return;
    const set: number[] = [];
    for (; at < values.length && !Number.isNaN(values[at]); at += 1) set.push(values[at] ?? Number.NaN);
    if (set.length === 0) throw new OnnxFormatError(`TreeEnsemble has no set for node ${String(node)}.`);
    at += 1;
    sets.set(node, set);
  });
  return sets;
}
