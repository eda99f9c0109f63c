import { addTo, f32, f64, i32 } from '../../numeric/typed.js';
import { AT_MOST_OR_MISSING, EDGE, IN_SET, IN_SET_OR_MISSING } from '../tables/tree-program.js';

/*
 * The row loop in plain TypeScript; wasm/attribution.ts is the same in AssemblyScript. Per row and sum, both add the
 * same numbers in the same order.
 */

/** The rows, tables and sums of a workspace. */
interface Views {
  readonly stride: number;
  readonly ops: Int32Array;
  readonly tables: Float64Array;
  readonly columns: Float32Array;
  readonly sums: Float64Array;
}

const ROWS = 512;

interface Run {
  readonly views: Views;
  /** Values of the instructions that are float32. */
  readonly limits: Float32Array;
  readonly tables: number;
  readonly go: Int32Array;
  readonly index: Int32Array;
  readonly masks: Int32Array[];
  row: number;
  rows: number;
}

/** Runs the instructions of one tree over the rows from..to and adds to their sums. */
export function runPlain(
  views: Views,
  stretch: { readonly from: number; readonly to: number; readonly tables: number },
  from: number,
  to: number,
): void {
  const run: Run = {
    views,
    limits: new Float32Array(views.ops.buffer, views.ops.byteOffset, views.ops.length),
    tables: stretch.tables,
    go: new Int32Array(ROWS),
    index: new Int32Array(ROWS),
    masks: [new Int32Array(ROWS).fill(-1)],
    row: from,
    rows: 0,
  };
  for (; run.row < to; run.row += ROWS) {
    run.rows = Math.min(ROWS, to - run.row);
    let op = stretch.from;
    while (op < stretch.to) op = i32(views.ops, op) === EDGE ? edge(run, op) : lookUp(run, op);
  }
}

/** One lane per row: -1 where the row passes the test at `at`, else 0. Returns where the test ends. */
function decide(run: Run, at: number): number {
  const { views, limits, go } = run;
  const kind = i32(views.ops, at);
  const count = i32(views.ops, at + 2);
  const start = i32(views.ops, at + 1) * views.stride + run.row;
  const takesMissing = kind === AT_MOST_OR_MISSING || kind === IN_SET_OR_MISSING;
  for (let row = 0; row < run.rows; row += 1) {
    const x = f32(views.columns, start + row);
    const passes = kind >= IN_SET ? isIn(x, limits, at + 3, count) : x <= f32(limits, at + 3);
    go[row] = passes || (takesMissing && Number.isNaN(x)) ? -1 : 0;
  }
  return at + 3 + count;
}

function isIn(x: number, limits: Float32Array, from: number, count: number): boolean {
  for (let at = from; at < from + count; at += 1) if (x === f32(limits, at)) return true;
  return false;
}

function edge(run: Run, op: number): number {
  const { ops } = run.views;
  const level = i32(ops, op + 1);
  const without = ~i32(ops, op + 2);
  const flip = i32(ops, op + 3);
  const next = decide(run, op + 4);
  const from = run.masks[level] ?? run.go;
  const to = (run.masks[level + 1] ??= new Int32Array(ROWS));
  for (let row = 0; row < run.rows; row += 1)
    to[row] = i32(from, row) & ((i32(run.go, row) ^ flip) | without);
  return next;
}

function lookUp(run: Run, op: number): number {
  const { views, index, go } = run;
  const { ops } = views;
  const mask = run.masks[i32(ops, op + 1)] ?? go;
  const above = 2 ** i32(ops, op + 2) - 1;
  const splits = i32(ops, op + 3);
  const columns = i32(ops, op + 4);
  for (let row = 0; row < run.rows; row += 1) index[row] = (i32(mask, row) & above) << splits;
  let next = op + 7;
  for (let split = 0; split < splits; split += 1) {
    next = decide(run, next);
    for (let row = 0; row < run.rows; row += 1) index[row] = i32(index, row) | (i32(go, row) & (1 << split));
  }
  for (let column = 0; column < columns; column += 1) {
    const table = run.tables + i32(ops, op + 5) + column * i32(ops, op + 6);
    addColumn(run, table, i32(ops, next + column) * views.stride + run.row);
  }
  return next + columns;
}

function addColumn({ views, index, rows }: Run, table: number, to: number): void {
  for (let row = 0; row < rows; row += 1)
    addTo(views.sums, to + row, f64(views.tables, table + i32(index, row)));
}

/** Adds `value` times the entries of a leaf's table, each in its place, at `at` of the tables. */
export function spreadPlain(
  { leaf, places, tables }: { leaf: Float64Array; places: Int32Array; tables: Float64Array },
  from: number,
  value: number,
  at: number,
  size: number,
): void {
  for (let index = 0; index < size; index += 1)
    addTo(tables, at + index, value * f64(leaf, from + i32(places, index)));
}
