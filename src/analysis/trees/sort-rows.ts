import { f32, i32, u8 } from '../numeric/typed.js';
import { goesLeft, type ForestShape } from './forest.js';

/** Rows that are sorted into a tree at a time; they stay in a near cache. */
const STRETCH = 4096;

/** Called for every node of a tree that rows reach: `order[from..to]` are their numbers. */
export type NodeVisit = (node: number, order: Int32Array, from: number, to: number) => void;

interface Sorting {
  readonly forest: ForestShape;
  readonly matrix: Float32Array;
  readonly order: Int32Array;
  readonly aside: Int32Array;
  readonly visit: NodeVisit;
}

/**
 * Sorts the rows of a row-major matrix through all trees: for every stretch of rows tree after tree, every node with
 * the rows that reach it. Several times faster than one descent per row, because no branch depends on a single row.
 */
export function sortRows(forest: ForestShape, matrix: Float32Array, rows: number, visit: NodeVisit): void {
  const order = new Int32Array(Math.min(rows, STRETCH));
  const sorting: Sorting = { forest, matrix, order, aside: new Int32Array(order.length), visit };
  for (let first = 0; first < rows; first += STRETCH) {
    const count = Math.min(STRETCH, rows - first);
    for (const root of forest.roots) {
      for (let at = 0; at < count; at += 1) order[at] = first + at;
      descend(sorting, root, 0, count);
    }
  }
}

function descend(sorting: Sorting, node: number, from: number, to: number): void {
  if (from === to) return;
  const { forest, visit, order } = sorting;
  visit(node, order, from, to);
  if (i32(forest.feature, node) < 0) return;
  const middle =
    u8(forest.isEquality, node) === 1 ? splitSet(sorting, node, from, to) : split(sorting, node, from, to);
  descend(sorting, i32(forest.left, node), from, middle);
  descend(sorting, i32(forest.right, node), middle, to);
}

/** Moves the rows that go left to the front, in order; returns where the others begin. */
function split({ forest, matrix, order, aside }: Sorting, node: number, from: number, to: number): number {
  const { width } = forest;
  const column = i32(forest.feature, node);
  const threshold = f32(forest.threshold, node);
  const missingLeft = u8(forest.nanLeft, node) === 1;
  let left = from;
  let right = 0;
  for (let at = from; at < to; at += 1) {
    const row = i32(order, at);
    const x = f32(matrix, row * width + column);
    // One of the two writes is overwritten by the next row of its side.
    const goes = Number(x <= threshold || (missingLeft && x !== x));
    order[left] = row;
    aside[right] = row;
    left += goes;
    right += 1 - goes;
  }
  for (let at = 0; at < right; at += 1) order[left + at] = i32(aside, at);
  return left;
}

function splitSet({ forest, matrix, order, aside }: Sorting, node: number, from: number, to: number): number {
  const column = i32(forest.feature, node);
  let left = from;
  let right = 0;
  for (let at = from; at < to; at += 1) {
    const row = i32(order, at);
    if (goesLeft(forest, node, f32(matrix, row * forest.width + column))) {
      order[left] = row;
      left += 1;
    } else {
      aside[right] = row;
      right += 1;
    }
  }
  for (let at = 0; at < right; at += 1) order[left + at] = i32(aside, at);
  return left;
}
