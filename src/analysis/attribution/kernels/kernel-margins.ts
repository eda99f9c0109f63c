import { f32, f64, i32, u8 } from '../../numeric/typed.js';
import type { VectorForest } from '../../trees/forest.js';
import { vectorMargins } from '../../trees/margins.js';
import { createMemory, instantiateKernels } from './wasm.js';

/** Rows that are in the memory at a time; a multiple of four. */
const STRETCH = 1024;
/** Below so many rows the copies cost more than they save. */
const FEW = 64;
const MISSING_LEFT = -0x80000000;

/**
 * The margins of vectorMargins, to the last bit, four rows in step by the compiled kernel; by vectorMargins itself where
 * there are few rows, tests of equality, or no WebAssembly.
 */
export function kernelMargins(forest: VectorForest, matrix: Float32Array, rows: number): Float64Array {
  const { width, outputs, roots, feature, bases } = forest;
  if (rows < FEW || width === 0 || forest.isEquality.includes(1)) return vectorMargins(forest, matrix, rows);
  const nodesAt = 4096;
  const valuesAt = nodesAt + feature.length * 16;
  const rootsAt = valuesAt + feature.length * outputs * 8;
  const intoAt = rootsAt + roots.length * 8;
  const matrixAt = intoAt + STRETCH * outputs * 8;
  const memory = createMemory(matrixAt + STRETCH * width * 4);
  if (memory === null) return vectorMargins(forest, matrix, rows);
  const { buffer } = memory;
  writeNodes(forest, new Int32Array(buffer, nodesAt, feature.length * 4));
  new Float64Array(buffer, valuesAt, forest.values.length).set(forest.values);
  const starts = new Int32Array(buffer, rootsAt, roots.length * 2);
  roots.forEach((root, tree) => {
    starts.set([root, depthOf(forest, root)], tree * 2);
  });
  const kernel = instantiateKernels(memory);
  const into = new Float64Array(buffer, intoAt, STRETCH * outputs);
  const input = new Float32Array(buffer, matrixAt, STRETCH * width);
  const margins = new Float64Array(rows * outputs);
  for (let first = 0; first < rows; first += STRETCH) {
    const count = Math.min(STRETCH, rows - first);
    input.set(matrix.subarray(first * width, (first + count) * width));
    for (let at = 0; at < into.length; at += 1) into[at] = f64(bases, at % outputs);
    const padded = Math.ceil(count / 4) * 4;
    kernel.descend(nodesAt, valuesAt, outputs, rootsAt, roots.length, matrixAt, width, padded, intoAt);
    margins.set(into.subarray(0, count * outputs), first * outputs);
  }
  return margins;
}

function writeNodes(forest: VectorForest, records: Int32Array): void {
  const floats = new Float32Array(records.buffer, records.byteOffset, records.length);
  for (let node = 0; node < forest.feature.length; node += 1) {
    const column = i32(forest.feature, node);
    const isLeaf = column < 0;
    const flag = u8(forest.nanLeft, node) === 1 ? MISSING_LEFT : 0;
    records[4 * node] = isLeaf ? 0 : column | flag;
    floats[4 * node + 1] = f32(forest.threshold, node);
    records[4 * node + 2] = isLeaf ? node : i32(forest.left, node);
    records[4 * node + 3] = isLeaf ? node : i32(forest.right, node);
  }
}

function depthOf(forest: VectorForest, node: number): number {
  if (i32(forest.feature, node) < 0) return 0;
  return 1 + Math.max(depthOf(forest, i32(forest.left, node)), depthOf(forest, i32(forest.right, node)));
}
