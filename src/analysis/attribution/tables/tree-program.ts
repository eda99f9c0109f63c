import { f32, i32, u8 } from '../../numeric/typed.js';
import type { ForestShape } from '../../trees/forest.js';

/*
 * One tree as a list of instructions for the kernels. A super-leaf is the highest node whose answer can be looked up
 * in one table: by the mask of the players above it and one bit for each split below it. A row needs one look-up per
 * super-leaf and column instead of one per leaf.
 */

/** Bits of a table's index: the players above a super-leaf plus the splits below it. */
export const INDEX_BITS = 11;
/** Most players on one path for which tables are built; a leaf with more has 2^players entries per column. */
export const MOST_TABLE_SLOTS = 14;

/** Instruction: the mask of the next level is that of this level, without the player's bit where the row goes elsewhere. */
export const EDGE = 1;
/** Instruction: look up a super-leaf. */
export const LOOK_UP = 2;

/** Kinds of tests: against a threshold or a set, with the missing values on the passing side or not. */
export const AT_MOST = 0;
export const AT_MOST_OR_MISSING = 1;
export const IN_SET = 2;
export const IN_SET_OR_MISSING = 3;

/** A node whose subtree is answered by one table. */
export interface SuperLeaf {
  readonly node: number;
  /** Players above, in the order of their slots. */
  readonly above: readonly number[];
  /** Splits at and below the node, preorder; their order is that of the index bits. */
  readonly splits: readonly number[];
  /** Players of the table: those above, then those that appear below. */
  readonly players: readonly number[];
  /** Where its tables begin, in doubles from those of the tree. */
  readonly offset: number;
  /** Entries of each of its columns. */
  readonly size: number;
}

/** A tree compiled for the kernels. */
export interface TreeProgram {
  readonly root: number;
  readonly ops: Int32Array;
  readonly superLeaves: readonly SuperLeaf[];
  /** Doubles that its tables take. */
  readonly length: number;
}

/** Which columns a table of some players has, and the accumulator that each of them is added to. */
export type ColumnsOf = (players: readonly number[]) => readonly number[];

interface Compiling {
  readonly forest: ForestShape;
  readonly owner: Int32Array;
  readonly columnsOf: ColumnsOf;
  readonly ops: number[];
  readonly superLeaves: SuperLeaf[];
  /** Splits at or below every node. */
  readonly splitsBelow: Int32Array;
  length: number;
}

const bits = new Int32Array(1);
const asFloat = new Float32Array(bits.buffer);

/**
 * Compiles the tree at `root`; `owner` is the player of every column of the matrix. Returns null when a path has more
 * than MOST_TABLE_SLOTS players, so that tables would be too large.
 */
export function compileTree(
  forest: ForestShape,
  owner: Int32Array,
  root: number,
  columnsOf: ColumnsOf,
): TreeProgram | null {
  const splitsBelow = new Int32Array(forest.feature.length);
  countSplits(forest, root, splitsBelow);
  const compiling: Compiling = { forest, owner, columnsOf, ops: [], superLeaves: [], splitsBelow, length: 0 };
  if (!place(compiling, root, [], 0)) return null;
  const { ops, superLeaves, length } = compiling;
  return { root, ops: Int32Array.from(ops), superLeaves, length };
}

function countSplits(forest: ForestShape, node: number, into: Int32Array): number {
  if (i32(forest.feature, node) < 0) return 0;
  const left = countSplits(forest, i32(forest.left, node), into);
  const right = countSplits(forest, i32(forest.right, node), into);
  into[node] = 1 + left + right;
  return 1 + left + right;
}

function place(compiling: Compiling, node: number, above: readonly number[], level: number): boolean {
  const { forest, owner, splitsBelow } = compiling;
  const index = above.length + i32(splitsBelow, node);
  const isLeaf = i32(forest.feature, node) < 0;
  if (index <= INDEX_BITS || isLeaf) {
    if (index > MOST_TABLE_SLOTS) return false;
    addSuperLeaf(compiling, node, above, level);
    return true;
  }
  const player = i32(owner, i32(forest.feature, node));
  const known = above.indexOf(player);
  const slots = known < 0 ? [...above, player] : above;
  if (slots.length > MOST_TABLE_SLOTS) return false;
  const bit = 1 << (known < 0 ? above.length : known);
  compiling.ops.push(EDGE, level, bit, 0, ...testOf(forest, node));
  if (!place(compiling, i32(forest.left, node), slots, level + 1)) return false;
  compiling.ops.push(EDGE, level, bit, -1, ...testOf(forest, node));
  return place(compiling, i32(forest.right, node), slots, level + 1);
}

function addSuperLeaf(compiling: Compiling, node: number, above: readonly number[], level: number): void {
  const { forest, owner, columnsOf, ops, superLeaves } = compiling;
  const splits: number[] = [];
  const players = [...above];
  const gather = (at: number): void => {
    const feature = i32(forest.feature, at);
    if (feature < 0) return;
    splits.push(at);
    const player = i32(owner, feature);
    if (!players.includes(player)) players.push(player);
    gather(i32(forest.left, at));
    gather(i32(forest.right, at));
  };
  gather(node);
  const size = 2 ** (above.length + splits.length);
  const columns = columnsOf(players);
  const offset = compiling.length;
  ops.push(LOOK_UP, level, above.length, splits.length, columns.length, offset, size);
  for (const split of splits) ops.push(...testOf(forest, split));
  ops.push(...columns);
  superLeaves.push({ node, above, splits, players, offset, size });
  compiling.length += size * columns.length;
}

/** `[kind, column, count, ...values]`, the values as the bits of a float32. */
function testOf(forest: ForestShape, node: number): number[] {
  const isSet = u8(forest.isEquality, node) === 1;
  const takesMissing = u8(forest.nanLeft, node) === 1;
  const values = [f32(forest.threshold, node), ...(forest.alternatives?.get(node) ?? [])];
  const kind = (isSet ? IN_SET : AT_MOST) + (takesMissing ? 1 : 0);
  return [kind, i32(forest.feature, node), values.length, ...values.map(bitsOf)];
}

function bitsOf(value: number): number {
  asFloat[0] = value;
  return bits[0] ?? 0;
}
