import { f32, i32, u8 } from '../numeric/typed.js';

/**
 * Trees as a struct of arrays over all nodes, preorder. Node k is a leaf when `feature[k]` is -1. Otherwise a row
 * goes left when `x <= threshold` (or `x === threshold` where `isEquality[k]`), both in float32, and where x is
 * NaN when `nanLeft[k]` is 1.
 */
export interface ForestShape {
  readonly width: number;
  /** First node of every tree. */
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly isEquality: Uint8Array;
  /** What an equality split accepts besides its threshold, by node; a node without an entry accepts nothing else. */
  readonly alternatives?: ReadonlyMap<number, Float32Array>;
  readonly nanLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
}

/** Trees whose leaves add to one margin. */
export interface Forest extends ForestShape {
  readonly kind: 'trees';
  /** Margin added by a leaf; 0 at splits. */
  readonly value: Float64Array;
  readonly base: number;
}

/** Trees whose leaves add to several margins: one per class or target. */
export interface VectorForest extends ForestShape {
  readonly kind: 'vector-trees';
  readonly outputs: number;
  /** What the leaf k adds to margin o at `k * outputs + o`; 0 at splits. */
  readonly values: Float64Array;
  /** One per output. */
  readonly bases: Float64Array;
}

/** The same trees with one output; shares their arrays. */
export function asVector(forest: Forest): VectorForest {
  const { value, base, ...shape } = forest;
  return { ...shape, kind: 'vector-trees', outputs: 1, values: value, bases: Float64Array.of(base) };
}

/** Whether x takes the left branch of a split. */
export function goesLeft(forest: ForestShape, node: number, x: number): boolean {
  if (Number.isNaN(x)) return u8(forest.nanLeft, node) === 1;
  const threshold = f32(forest.threshold, node);
  if (u8(forest.isEquality, node) === 0) return x <= threshold;
  return x === threshold || (forest.alternatives?.get(node)?.includes(x) ?? false);
}

/** The leaf that a row reaches. */
export function leafOf(forest: ForestShape, root: number, matrix: Float32Array, offset: number): number {
  let node = root;
  let feature = i32(forest.feature, node);
  while (feature >= 0) {
    const left = goesLeft(forest, node, f32(matrix, offset + feature));
    node = left ? i32(forest.left, node) : i32(forest.right, node);
    feature = i32(forest.feature, node);
  }
  return node;
}
