import { AnalysisInputError } from '../../errors.js';
import { addTo, f64, i32 } from '../../numeric/typed.js';
import type { VectorForest } from '../../trees/forest.js';
import { sortRows } from '../../trees/sort-rows.js';

/** Rows that say what a feature is when it is not known. */
export interface Reference {
  readonly rows: number;
  /** Row-major, `rows * width`. */
  readonly matrix: Float32Array;
}

/** Checks that a matrix has whole rows, and at least one. */
export function referenceOf(forest: VectorForest, matrix: Float32Array): Reference {
  const rows = matrix.length / forest.width;
  if (!Number.isInteger(rows) || rows === 0) {
    throw new AnalysisInputError(
      `The background holds ${String(matrix.length)} values; it needs at least one row of ${String(forest.width)} columns.`,
    );
  }
  return { rows, matrix };
}

/** How many reference rows pass through every node. */
export function coverOf(forest: VectorForest, { rows, matrix }: Reference): Float64Array {
  const cover = new Float64Array(forest.feature.length);
  sortRows(forest, matrix, rows, (node, _order, from, to) => {
    addTo(cover, node, to - from);
  });
  return cover;
}

/** The share of a node's reference rows that go to one of its children; half where no row says anything. */
export function shareOf(cover: Float64Array, node: number, child: number): number {
  const whole = f64(cover, node);
  return whole === 0 ? 0.5 : f64(cover, child) / whole;
}

/** What the trees say when nothing is known: every leaf weighted by the shares of the edges that lead to it. */
export function expectedMargins(forest: VectorForest, cover: Float64Array): Float64Array {
  const { outputs, values, feature, left, right } = forest;
  const expected = Float64Array.from(forest.bases);
  const visit = (node: number, weight: number): void => {
    if (i32(feature, node) < 0) {
      for (let output = 0; output < outputs; output += 1)
        addTo(expected, output, weight * f64(values, node * outputs + output));
      return;
    }
    for (const child of [i32(left, node), i32(right, node)])
      visit(child, weight * shareOf(cover, node, child));
  };
  for (const root of forest.roots) visit(root, 1);
  return expected;
}

/** Rows that reach a node which no reference row reached: 1 where it happens. */
export function outsideSupport(
  forest: VectorForest,
  cover: Float64Array,
  matrix: Float32Array,
  rows: number,
): Uint8Array {
  const outside = new Uint8Array(rows);
  if (!forest.feature.some((feature, node) => feature < 0 && f64(cover, node) === 0)) return outside;
  sortRows(forest, matrix, rows, (node, order, from, to) => {
    if (f64(cover, node) > 0) return;
    for (let at = from; at < to; at += 1) outside[i32(order, at)] = 1;
  });
  return outside;
}
