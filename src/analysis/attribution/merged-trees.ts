import type { Ensemble } from '../ensemble/ensemble.js';
import { columnOwners } from '../ensemble/ensemble.js';
import { applyScaling } from '../linear/linear.js';
import { f32, i32, u8 } from '../numeric/typed.js';
import { type Forest, goesLeft } from '../trees/forest.js';

/**
 * The trees of all members in one set of arrays, with players instead of columns where paths fork. A row is
 * reduced to one bit per node (does it go left?) before any path is walked.
 */
export interface MergedTrees {
  readonly nodes: number;
  /**
   * Four words per node: the player of a split (-1 at leaves), where a row goes with bit 0 (right), where with bit 1
   * (left), and one unused.
   */
  readonly records: Int32Array;
  readonly value: Float64Array;
  /** Two words per tree: its root and its member. */
  readonly roots: Int32Array;
  readonly parts: readonly TreePart[];
}

/** The nodes of one member within the merged arrays. */
interface TreePart {
  readonly member: number;
  readonly firstNode: number;
  readonly forest: Forest;
}

/** Merges the tree members of an ensemble; linear members have no part in it. */
export function mergeTrees(ensemble: Ensemble): MergedTrees {
  const owner = columnOwners(ensemble.groups, ensemble.width);
  const parts: TreePart[] = [];
  let nodes = 0;
  ensemble.members.forEach(({ member: { model } }, member) => {
    if (model.kind !== 'trees') return;
    parts.push({ member, firstNode: nodes, forest: model });
    nodes += model.feature.length;
  });
  const records = new Int32Array(4 * nodes).fill(-1);
  const value = new Float64Array(nodes);
  const roots: number[] = [];
  for (const { member, firstNode, forest } of parts) {
    value.set(forest.value, firstNode);
    for (let node = 0; node < forest.feature.length; node += 1) {
      const feature = i32(forest.feature, node);
      if (feature < 0) continue;
      const right = firstNode + i32(forest.right, node);
      records.set([i32(owner, feature), right, firstNode + i32(forest.left, node)], 4 * (firstNode + node));
    }
    for (const root of forest.roots) roots.push(firstNode + root, member);
  }
  return { nodes, records, value, roots: Int32Array.from(roots), parts };
}

/** Writes the bit of every node for one row of the matrix, starting at `offset` of `into`. */
export function fillDecisions(
  trees: MergedTrees,
  ensemble: Ensemble,
  row: Float32Array,
  into: Uint8Array,
  offset: number,
): void {
  for (const { member, firstNode, forest } of trees.parts) {
    const scaling = ensemble.members[member]?.member.scaling ?? null;
    const input = scaling === null ? row : applyScaling(scaling, row, 1);
    fillPart(forest, input, into, offset + firstNode);
  }
}

function fillPart(forest: Forest, row: Float32Array, into: Uint8Array, offset: number): void {
  const { feature, threshold, isEquality, nanLeft } = forest;
  for (let node = 0; node < feature.length; node += 1) {
    const column = i32(feature, node);
    if (column < 0) continue;
    const x = f32(row, column);
    if (u8(isEquality, node) === 1) into[offset + node] = goesLeft(forest, node, x) ? 1 : 0;
    else into[offset + node] = x <= f32(threshold, node) || (x !== x && u8(nanLeft, node) === 1) ? 1 : 0;
  }
}
