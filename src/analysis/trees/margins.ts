import { addTo, f64, i32 } from '../numeric/typed.js';
import { asVector, type Forest, leafOf, type VectorForest } from './forest.js';
import { sortRows } from './sort-rows.js';

/** Below so many rows each one descends on its own. */
const FEW = 32;

/** Sum of the leaves that each row reaches, plus the base; float64 sums over float32 comparisons. */
export function forestMargins(forest: Forest, matrix: Float32Array, rows: number): Float64Array {
  return vectorMargins(asVector(forest), matrix, rows);
}

/** Margins of every output, row-major: `rows * outputs` values. Each is added tree after tree, in their order. */
export function vectorMargins(forest: VectorForest, matrix: Float32Array, rows: number): Float64Array {
  const { outputs, values, bases, width, feature } = forest;
  const margins = new Float64Array(rows * outputs);
  for (let at = 0; at < margins.length; at += 1) margins[at] = f64(bases, at % outputs);
  const add = (leaf: number, row: number): void => {
    for (let output = 0; output < outputs; output += 1)
      addTo(margins, row * outputs + output, f64(values, leaf * outputs + output));
  };
  if (rows < FEW) {
    for (let row = 0; row < rows; row += 1)
      for (const root of forest.roots) add(leafOf(forest, root, matrix, row * width), row);
    return margins;
  }
  sortRows(forest, matrix, rows, (node, order, from, to) => {
    if (i32(feature, node) >= 0) return;
    for (let at = from; at < to; at += 1) add(node, i32(order, at));
  });
  return margins;
}
