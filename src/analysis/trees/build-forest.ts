import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { below32, floor32 } from '../numeric/float32.js';
import type { Forest, VectorForest } from './forest.js';
import type { VoteRule } from './raw-ensemble.js';
import type { RawEnsemble } from './raw-lists.js';

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
  readonly alternatives: Map<number, Float32Array>;
  readonly nanLeft: number[];
  readonly left: number[];
  readonly right: number[];
  readonly value: number[];
}

interface Building {
  readonly raw: RawEnsemble;
  readonly index: ReadonlyMap<number, number>;
  readonly rule: LeafRule;
  /** Margins of each leaf, by position in the operator's lists; NaN where nothing votes. */
  readonly leaves: Float64Array;
  readonly onPath: Set<number>;
  readonly grown: Growing;
}

/** How votes become margins. */
export interface LeafRule {
  readonly bases: Float64Array;
  /** The output that a vote for a target adds to, and the factor of its weight; undefined refuses the target. */
  readonly placeOf: (target: number) => readonly [output: number, factor: number] | undefined;
}

/** Trees with one margin; see buildVectorForest. */
export function buildForest(raw: RawEnsemble, rule: VoteRule, width: number | null): Forest {
  const placeOf: LeafRule['placeOf'] = (target) => {
    const factor = rule.factors.get(target);
    return factor === undefined ? undefined : [0, factor];
  };
  const built = buildVectorForest(raw, { bases: Float64Array.of(rule.base), placeOf }, width);
  const { outputs: _outputs, values, bases: _bases, ...shape } = built;
  return { ...shape, kind: 'trees', value: values, base: rule.base };
}

/**
 * Canonical trees from the parallel lists of the operator. Children shared by several parents are copied, because
 * attribution follows paths; a chain of equality tests with one common child becomes one test of a set first, or the
 * copies would double with every link. Throws OnnxFormatError for lists that are no trees, UnsupportedModelError for
 * splits that are not read.
 */
export function buildVectorForest(raw: RawEnsemble, rule: LeafRule, width: number | null): VectorForest {
  const index = indexNodes(raw);
  const grown: Growing = {
    feature: [],
    threshold: [],
    isEquality: [],
    alternatives: new Map(),
    nanLeft: [],
    left: [],
    right: [],
    value: [],
  };
  const leaves = leafMargins(raw, rule, index);
  const building: Building = { raw, index, rule, leaves, onPath: new Set(), grown };
  const roots = rootPositions(raw).map((position) => grow(building, position, 0));
  const used = grown.feature.reduce((most, feature) => Math.max(most, feature), -1) + 1;
  if (width !== null && used > width) {
    throw new OnnxFormatError(`${raw.operator} splits on column ${String(used - 1)} of ${String(width)}.`);
  }
  return {
    kind: 'vector-trees',
    width: width ?? used,
    roots: Int32Array.from(roots),
    feature: Int32Array.from(grown.feature),
    threshold: Float32Array.from(grown.threshold),
    isEquality: Uint8Array.from(grown.isEquality),
    alternatives: grown.alternatives,
    nanLeft: Uint8Array.from(grown.nanLeft),
    left: Int32Array.from(grown.left),
    right: Int32Array.from(grown.right),
    outputs: rule.bases.length,
    values: Float64Array.from(grown.value),
    bases: rule.bases,
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
  if (raw.roots !== null) return [...raw.roots];
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

function leafMargins(raw: RawEnsemble, rule: LeafRule, index: ReadonlyMap<number, number>): Float64Array {
  const outputs = rule.bases.length;
  const margins = new Float64Array(raw.treeIds.length * outputs).fill(Number.NaN);
  for (let vote = 0; vote < raw.voteTreeIds.length; vote += 1) {
    const position = index.get(keyOf(raw, raw.voteTreeIds[vote], raw.voteNodeIds[vote]));
    const place = rule.placeOf(raw.voteTargets[vote] ?? -1);
    if (position === undefined || place === undefined) {
      throw new OnnxFormatError(`${raw.operator} has a vote for a leaf or target that does not exist.`);
    }
    const at = position * outputs + place[0];
    const before = margins[at] ?? Number.NaN;
    const weight = (raw.voteWeights[vote] ?? Number.NaN) * place[1];
    if (!Number.isFinite(weight))
      throw new OnnxFormatError(`${raw.operator} has a vote that is not a finite number.`);
    margins[at] = Number.isNaN(before) ? weight : before + weight;
  }
  return margins;
}

function grow(building: Building, position: number, depth: number): number {
  const { raw } = building;
  checkGrowth(building, position, depth);
  if (raw.modes[position] === 'LEAF') return appendNode(building, -1, position);
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
  const chain = chainFrom(building, position);
  const swapped = appendTest(building, chain);
  const node = grown.feature.length - 1;
  for (const link of chain) onPath.add(link.position);
  const whenTrue = childPosition(building, position, raw.trueIds);
  const whenFalse = childPosition(building, (chain.at(-1) ?? chain[0]).position, raw.falseIds);
  grown.left[node] = grow(building, swapped ? whenFalse : whenTrue, depth + 1);
  grown.right[node] = grow(building, swapped ? whenTrue : whenFalse, depth + 1);
  for (const link of chain) onPath.delete(link.position);
  return node;
}

/** Appends the split of a chain; returns whether its left child is the false branch. */
function appendTest(building: Building, chain: readonly [Link, ...Link[]]): boolean {
  const { raw, grown } = building;
  const { position, values } = chain[0];
  const mode = raw.modes[position] ?? '';
  const split = canonicalSplit(
    raw,
    mode === 'BRANCH_MEMBER' && raw.sets.has(position) ? 'BRANCH_EQ' : mode,
    values[0] ?? Number.NaN,
  );
  const node = appendNode(building, featureOf(raw, position), null);
  grown.threshold[node] = split.threshold;
  grown.isEquality[node] = split.equality ? 1 : 0;
  const others = chain.flatMap((link) => link.values).slice(1);
  // A value off the float32 grid equals no input.
  const alternatives = others.filter((value) => Math.fround(value) === value);
  if (alternatives.length > 0) grown.alternatives.set(node, Float32Array.from(alternatives));
  // NaN differs from every number, so an inequality test holds for it whatever the flag says.
  const nanTrue = mode === 'BRANCH_NEQ' || chain.some((link) => raw.nanTrue[link.position] === 1);
  grown.nanLeft[node] = nanTrue === split.swapped ? 0 : 1;
  return split.swapped;
}

/** One test, or a chain of equality tests on one column that share the child for a hit. */
interface Link {
  readonly position: number;
  readonly values: readonly number[];
}

function chainFrom(building: Building, position: number): readonly [Link, ...Link[]] {
  const { raw, onPath } = building;
  const values = (at: number): readonly number[] => raw.sets.get(at) ?? [raw.thresholds[at] ?? Number.NaN];
  const links: [Link, ...Link[]] = [{ position, values: values(position) }];
  if (!isHit(raw, position)) return links;
  const hit = childPosition(building, position, raw.trueIds);
  let next = childPosition(building, position, raw.falseIds);
  while (isHit(raw, next) && raw.featureIds[next] === raw.featureIds[position]) {
    const seen = onPath.has(next) || links.some((link) => link.position === next);
    // Runtimes do not agree on chains whose links send missing values to different sides.
    const isAlike = raw.nanTrue[next] === raw.nanTrue[position];
    if (seen || !isAlike || childPosition(building, next, raw.trueIds) !== hit) break;
    links.push({ position: next, values: values(next) });
    next = childPosition(building, next, raw.falseIds);
  }
  return links;
}

function isHit(raw: RawEnsemble, position: number): boolean {
  return raw.modes[position] === 'BRANCH_EQ' || raw.modes[position] === 'BRANCH_MEMBER';
}

/** A split, or the leaf at a position. */
function appendNode(building: Building, feature: number, leaf: number | null): number {
  const { grown, rule } = building;
  for (let output = 0; output < rule.bases.length; output += 1)
    grown.value.push(leaf === null ? 0 : leafValue(building, leaf, output));
  grown.threshold.push(0);
  grown.isEquality.push(0);
  grown.nanLeft.push(0);
  grown.left.push(-1);
  grown.right.push(-1);
  return grown.feature.push(feature) - 1;
}

function leafValue({ raw, rule, leaves }: Building, position: number, output: number): number {
  const value = leaves[position * rule.bases.length + output] ?? Number.NaN;
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
