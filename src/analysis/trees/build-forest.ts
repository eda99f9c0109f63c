import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { below32, floor32 } from '../numeric/float32.js';
import type { Forest } from './forest.js';
import type { RawEnsemble, VoteRule } from './raw-ensemble.js';

const DEEPEST = 60;
const MOST_NODES = 4_000_000;
const MOST_FEATURES = 1_048_576;
const MOST_TREES = 2 ** 21;
const MOST_NODE_IDS = 2 ** 31;

/** A split in canonical form: left when x <= threshold (or equals it). */
interface Split {
  readonly threshold: number;
  readonly equality: boolean;
  /** True when the left child is the operator's false branch. */
  readonly swapped: boolean;
}

interface Growing {
  readonly feature: number[];
  readonly threshold: number[];
  readonly isEquality: number[];
  readonly nanLeft: number[];
  readonly left: number[];
  readonly right: number[];
  readonly value: number[];
}

interface Building {
  readonly raw: RawEnsemble;
  readonly index: ReadonlyMap<number, number>;
  /** Margin of each leaf, by position in the operator's lists; NaN where nothing votes. */
  readonly leaves: Float64Array;
  readonly onPath: Set<number>;
  readonly grown: Growing;
}

/**
 * Canonical trees from the parallel lists of the operator. Children shared by several parents are copied, because
 * attribution follows paths. Throws OnnxFormatError for lists that are no trees, UnsupportedModelError for splits
 * that are not read.
 */
export function buildForest(raw: RawEnsemble, rule: VoteRule, width: number | null): Forest {
  const index = indexNodes(raw);
  const grown: Growing = {
    feature: [],
    threshold: [],
    isEquality: [],
    nanLeft: [],
    left: [],
    right: [],
    value: [],
  };
  const building: Building = { raw, index, leaves: leafMargins(raw, rule, index), onPath: new Set(), grown };
  const roots = rootPositions(raw).map((position) => grow(building, position, 0));
  const used = grown.feature.reduce((most, feature) => Math.max(most, feature), -1) + 1;
  if (width !== null && used > width) {
    throw new OnnxFormatError(`${raw.operator} splits on column ${String(used - 1)} of ${String(width)}.`);
  }
  return {
    kind: 'trees',
    width: width ?? used,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(grown.feature),
    threshold: Float32Array.from(grown.threshold),
    isEquality: Uint8Array.from(grown.isEquality),
    nanLeft: Uint8Array.from(grown.nanLeft),
    left: Int32Array.from(grown.left),
    right: Int32Array.from(grown.right),
    value: Float64Array.from(grown.value),
    base: rule.base,
  };
}

function keyOf(raw: RawEnsemble, tree: number | undefined, node: number | undefined): number {
  if (
    tree === undefined ||
    node === undefined ||
    tree < 0 ||
    tree >= MOST_TREES ||
    node < 0 ||
    node >= MOST_NODE_IDS
  ) {
    throw new OnnxFormatError(`${raw.operator} has a tree or node number out of range.`);
  }
  return tree * MOST_NODE_IDS + node;
}

function indexNodes(raw: RawEnsemble): Map<number, number> {
  const index = new Map<number, number>();
  for (let position = 0; position < raw.treeIds.length; position += 1) {
    const key = keyOf(raw, raw.treeIds[position], raw.nodeIds[position]);
    if (index.has(key)) {
      throw new OnnxFormatError(
        `${raw.operator} defines node ${String(raw.nodeIds[position])} of tree ${String(raw.treeIds[position])} twice.`,
      );
    }
    index.set(key, position);
  }
  return index;
}

/** The first node listed of each tree is its root; the nodes of a tree stand together. */
function rootPositions(raw: RawEnsemble): number[] {
  const seen = new Set<number>();
  const roots: number[] = [];
  for (let position = 0; position < raw.treeIds.length; position += 1) {
    const tree = raw.treeIds[position] ?? Number.NaN;
    if (position > 0 && tree === raw.treeIds[position - 1]) continue;
    if (seen.has(tree))
      throw new OnnxFormatError(`${raw.operator} lists the nodes of tree ${String(tree)} in two places.`);
    seen.add(tree);
    roots.push(position);
  }
  return roots;
}

function leafMargins(raw: RawEnsemble, rule: VoteRule, index: ReadonlyMap<number, number>): Float64Array {
  const margins = new Float64Array(raw.treeIds.length).fill(Number.NaN);
  for (let vote = 0; vote < raw.voteTreeIds.length; vote += 1) {
    const position = index.get(keyOf(raw, raw.voteTreeIds[vote], raw.voteNodeIds[vote]));
    const factor = rule.factors.get(raw.voteTargets[vote] ?? -1);
    if (position === undefined || factor === undefined) {
      throw new OnnxFormatError(`${raw.operator} has a vote for a leaf or target that does not exist.`);
    }
    const before = margins[position] ?? Number.NaN;
    const weight = (raw.voteWeights[vote] ?? Number.NaN) * factor;
    if (!Number.isFinite(weight))
      throw new OnnxFormatError(`${raw.operator} has a vote that is not a finite number.`);
    margins[position] = Number.isNaN(before) ? weight : before + weight;
  }
  return margins;
}

function grow(building: Building, position: number, depth: number): number {
  const { raw, grown } = building;
  checkGrowth(building, position, depth);
  if (raw.modes[position] === 'LEAF')
    return appendNode(grown, { feature: -1, value: leafValue(building, position) });
  return growSplit(building, position, depth);
}

function checkGrowth({ raw, grown, onPath }: Building, position: number, depth: number): void {
  if (onPath.has(position))
    throw new OnnxFormatError(`${raw.operator} has a tree that leads back into itself.`);
  if (depth > DEEPEST)
    throw new UnsupportedModelError(raw.operator, `a tree is deeper than ${String(DEEPEST)}.`);
  if (grown.feature.length < MOST_NODES) return;
  throw new UnsupportedModelError(
    raw.operator,
    `more than ${String(MOST_NODES)} nodes after copying shared branches.`,
  );
}

function growSplit(building: Building, position: number, depth: number): number {
  const { raw, grown, onPath } = building;
  const split = canonicalSplit(raw, raw.modes[position] ?? '', raw.thresholds[position] ?? Number.NaN);
  const node = appendNode(grown, { feature: featureOf(raw, position), value: 0 });
  // NaN differs from every number, so an inequality test holds for it whatever the flag says.
  const nanTrue = raw.nanTrue[position] === 1 || raw.modes[position] === 'BRANCH_NEQ';
  grown.threshold[node] = split.threshold;
  grown.isEquality[node] = split.equality ? 1 : 0;
  grown.nanLeft[node] = nanTrue === split.swapped ? 0 : 1;
  onPath.add(position);
  const whenTrue = childPosition(building, position, raw.trueIds);
  const whenFalse = childPosition(building, position, raw.falseIds);
  grown.left[node] = grow(building, split.swapped ? whenFalse : whenTrue, depth + 1);
  grown.right[node] = grow(building, split.swapped ? whenTrue : whenFalse, depth + 1);
  onPath.delete(position);
  return node;
}

function appendNode(grown: Growing, node: { feature: number; value: number }): number {
  grown.feature.push(node.feature);
  grown.threshold.push(0);
  grown.isEquality.push(0);
  grown.nanLeft.push(0);
  grown.left.push(-1);
  grown.right.push(-1);
  return grown.value.push(node.value) - 1;
}

function leafValue({ raw, leaves }: Building, position: number): number {
  const value = leaves[position] ?? Number.NaN;
  // onnxruntime lets a leaf without a vote add nothing; only a classifier that omits zero votes writes this.
  if (Number.isNaN(value) && raw.voteTreeIds.length === 0)
    throw new OnnxFormatError(`${raw.operator} has leaves but no votes.`);
  return Number.isNaN(value) ? 0 : value;
}

function featureOf(raw: RawEnsemble, position: number): number {
  const feature = raw.featureIds[position] ?? -1;
  if (feature >= 0 && feature < MOST_FEATURES) return feature;
  throw new OnnxFormatError(`${raw.operator} splits on column ${String(feature)}, which cannot exist.`);
}

function childPosition({ raw, index }: Building, position: number, ids: ArrayLike<number>): number {
  const child = index.get(keyOf(raw, raw.treeIds[position], ids[position]));
  if (child !== undefined) return child;
  throw new OnnxFormatError(
    `${raw.operator} names child ${String(ids[position])}, which tree ${String(raw.treeIds[position])} does not have.`,
  );
}

/** Thresholds move to the float32 grid, on which the inputs lie, so that every comparison keeps its outcome. */
function canonicalSplit(raw: RawEnsemble, mode: string, threshold: number): Split {
  if (Number.isNaN(threshold)) throw new UnsupportedModelError(raw.operator, 'a split at NaN.');
  const floor = floor32(threshold);
  const strict = floor === threshold ? below32(floor) : floor;
  if (mode === 'BRANCH_LEQ') return { threshold: floor, equality: false, swapped: false };
  if (mode === 'BRANCH_LT') return { threshold: strict, equality: false, swapped: false };
  if (mode === 'BRANCH_GT') return { threshold: floor, equality: false, swapped: true };
  if (mode === 'BRANCH_GTE') return { threshold: strict, equality: false, swapped: true };
  const exact = floor === threshold ? floor : Number.NaN;
  if (mode === 'BRANCH_EQ') return { threshold: exact, equality: true, swapped: false };
  if (mode === 'BRANCH_NEQ') return { threshold: exact, equality: true, swapped: true };
  throw new UnsupportedModelError(raw.operator, `splits of mode '${mode}' are not read.`);
}
