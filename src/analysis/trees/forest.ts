import { addTo, f32, f64, i32, u8 } from '../numeric/typed.js';

/**
 * Trees as a struct of arrays over all nodes, preorder. Node k is a leaf when `feature[k]` is -1. Otherwise a row
 * goes left when `x <= threshold` (or `x === threshold` where `isEquality[k]`), both in float32, and where x is
 * NaN when `nanLeft[k]` is 1.
 */
export interface Forest {
  readonly kind: 'trees';
  readonly width: number;
  /** First node of every tree. */
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly isEquality: Uint8Array;
  readonly nanLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Margin added by a leaf; 0 at splits. */
  readonly value: Float64Array;
  readonly base: number;
}

/** Whether x takes the left branch of a split. */
export function goesLeft(forest: Forest, node: number, x: number): boolean {
  if (Number.isNaN(x)) return u8(forest.nanLeft, node) === 1;
  const threshold = f32(forest.threshold, node);
  return u8(forest.isEquality, node) === 1 ? x === threshold : x <= threshold;
}

/** The leaf that a row reaches. */
export function leafOf(forest: Forest, root: number, matrix: Float32Array, offset: number): number {
  let node = root;
  let feature = i32(forest.feature, node);
  while (feature >= 0) {
    const left = goesLeft(forest, node, f32(matrix, offset + feature));
    node = left ? i32(forest.left, node) : i32(forest.right, node);
    feature = i32(forest.feature, node);
  }
  return node;
}

/** Sum of the leaves that each row reaches, plus the base; float64 sums over float32 comparisons. */
export function forestMargins(forest: Forest, matrix: Float32Array, rows: number): Float64Array {
  const margins = new Float64Array(rows).fill(forest.base);
  for (const root of forest.roots) {
    for (let row = 0; row < rows; row += 1) {
      addTo(margins, row, f64(forest.value, leafOf(forest, root, matrix, row * forest.width)));
    }
  }
  return margins;
}
