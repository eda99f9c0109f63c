/*
 * The row loop of tree attribution, in AssemblyScript. The instructions are those of
 * src/analysis/attribution/tables/tree-program.ts, and src/analysis/attribution/kernels/plain.ts is the same in plain
 * TypeScript: both add the same numbers in the same order, so their results are equal to the last bit.
 *
 * Nothing here checks bounds: the programs come from compileTree, and the rows from a workspace of matching size.
 */

const BLOCK: i32 = 512;
const BLOCK_BYTES: usize = 2048;
const EDGE: i32 = 1;
const AT_MOST: i32 = 0;
const AT_MOST_OR_MISSING: i32 = 1;
const IN_SET_OR_MISSING: i32 = 3;

/**
 * Runs a tree's instructions over the rows from..to, in blocks, and adds to their sums. Addresses are in bytes;
 * `columnStride` and `sumStride` are the bytes of one column. The scratch takes two blocks and one per level.
 */
export function run(
  ops: usize,
  end: usize,
  tables: usize,
  columns: usize,
  columnStride: usize,
  sums: usize,
  sumStride: usize,
  from: i32,
  to: i32,
  scratch: usize,
): void {
  const masks = scratch + 2 * BLOCK_BYTES;
  memory.fill(masks, 0xff, BLOCK_BYTES);
  for (let row = from; row < to; row += BLOCK) {
    const rows = ((min(BLOCK, to - row) + 3) & ~3) as usize;
    const x = columns + ((row as usize) << 2);
    const into = sums + ((row as usize) << 3);
    let op = ops;
    while (op < end) {
      if (load<i32>(op) == EDGE) op = edge(op, x, columnStride, rows << 2, scratch, masks);
      else op = lookUp(op, tables, x, columnStride, into, sumStride, rows, scratch, masks);
    }
  }
}

/** One lane per row: all bits where the row passes the test at `at`. Returns where the test ends. */
function decide(at: usize, columns: usize, stride: usize, bytes: usize, go: usize): usize {
  const kind = load<i32>(at);
  const x = columns + (load<i32>(at, 4) as usize) * stride;
  const count = load<i32>(at, 8) as usize;
  const limit = v128.load32_splat(at, 12);
  if (kind == AT_MOST) {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(go + i, f32x4.le(v128.load(x + i), limit));
  } else if (kind == AT_MOST_OR_MISSING) {
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(x + i);
      v128.store(go + i, v128.or(f32x4.le(value, limit), f32x4.ne(value, value)));
    }
  } else {
    for (let i: usize = 0; i < bytes; i += 16) {
      const value = v128.load(x + i);
      let passes = f32x4.eq(value, limit);
      for (let k: usize = 1; k < count; ++k) {
        passes = v128.or(passes, f32x4.eq(value, v128.load32_splat(at + 12 + (k << 2))));
      }
      if (kind == IN_SET_OR_MISSING) passes = v128.or(passes, f32x4.ne(value, value));
      v128.store(go + i, passes);
    }
  }
  return at + 12 + (count << 2);
}

/** [EDGE, level, bit, flip, test]: the mask of the next level. */
function edge(op: usize, x: usize, stride: usize, bytes: usize, go: usize, masks: usize): usize {
  const mask = masks + (load<i32>(op, 4) as usize) * BLOCK_BYTES;
  const without = i32x4.splat(~load<i32>(op, 8));
  const flip = v128.load32_splat(op, 12);
  const next = decide(op + 16, x, stride, bytes, go);
  for (let i: usize = 0; i < bytes; i += 16) {
    const stays = v128.or(v128.xor(v128.load(go + i), flip), without);
    v128.store(mask + BLOCK_BYTES + i, v128.and(v128.load(mask + i), stays));
  }
  return next;
}

/** [LOOK_UP, level, above, splits, columns, offset, size, tests, sums]: adds one entry per column. */
function lookUp(
  op: usize,
  tables: usize,
  x: usize,
  stride: usize,
  sums: usize,
  sumStride: usize,
  rows: usize,
  scratch: usize,
  masks: usize,
): usize {
  const bytes = rows << 2;
  const index = scratch + BLOCK_BYTES;
  const mask = masks + (load<i32>(op, 4) as usize) * BLOCK_BYTES;
  const above = i32x4.splat((1 << load<i32>(op, 8)) - 1);
  const splits = load<i32>(op, 12);
  const columns = load<i32>(op, 16);
  let table = tables + ((load<i32>(op, 20) as usize) << 3);
  const size = (load<i32>(op, 24) as usize) << 3;
  // Indices are kept as bytes: every entry is a double.
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(index + i, i32x4.shl(v128.and(v128.load(mask + i), above), splits + 3));
  }
  op += 28;
  for (let split = 0; split < splits; ++split) {
    const bit = i32x4.splat(8 << split);
    op = decide(op, x, stride, bytes, scratch);
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(index + i, v128.or(v128.load(index + i), v128.and(v128.load(scratch + i), bit)));
    }
  }
  for (let column = 0; column < columns; ++column) {
    addColumn(table, index, sums + (load<i32>(op) as usize) * sumStride, rows);
    table += size;
    op += 4;
  }
  return op;
}

function addColumn(table: usize, index: usize, sum: usize, rows: usize): void {
  for (let i: usize = 0; i < rows; i += 4) {
    const at = index + (i << 2);
    const to = sum + (i << 3);
    const first = v128.load64_lane(
      table + (load<u32>(at, 4) as usize),
      v128.load64_splat(table + (load<u32>(at) as usize)),
      1,
    );
    const second = v128.load64_lane(
      table + (load<u32>(at, 12) as usize),
      v128.load64_splat(table + (load<u32>(at, 8) as usize)),
      1,
    );
    v128.store(to, f64x2.add(v128.load(to), first));
    v128.store(to, f64x2.add(v128.load(to, 16), second), 16);
  }
}

/** into[i] += value * leaf[places[i]]: the table of a leaf, added to that of its super-leaf. `size` is even. */
export function spread(leaf: usize, places: usize, value: f64, into: usize, size: i32): void {
  const factor = f64x2.splat(value);
  for (let i: usize = 0; i < (size as usize); i += 2) {
    const at = places + (i << 2);
    const to = into + (i << 3);
    const entries = v128.load64_lane(
      leaf + ((load<u32>(at, 4) as usize) << 3),
      v128.load64_splat(leaf + ((load<u32>(at) as usize) << 3)),
      1,
    );
    v128.store(to, f64x2.add(v128.load(to), f64x2.mul(factor, entries)));
  }
}

/** The node that a row goes to: the record is [column, with the sign bit set when missing values go left; threshold; left; right]. */
function next(nodes: usize, node: u32, row: usize): u32 {
  const record = nodes + ((node as usize) << 4);
  const column = load<u32>(record);
  const x = load<f32>(row + (((column & 0x7fffffff) as usize) << 2));
  const passes = i32(x <= load<f32>(record, 4)) | (i32(x != x) & i32(column >> 31));
  return select(load<u32>(record, 8), load<u32>(record, 12), passes);
}

/**
 * Adds to `into` what every tree says of every row of a row-major matrix, four rows in step; leaves lead to themselves.
 * `roots` holds a root and a depth per tree. The rows are a multiple of four.
 */
export function descend(
  nodes: usize,
  values: usize,
  outputs: i32,
  roots: usize,
  trees: i32,
  matrix: usize,
  width: i32,
  rows: i32,
  into: usize,
): void {
  const line = (width as usize) << 2;
  for (let tree = 0; tree < trees; ++tree) {
    const root = load<u32>(roots + ((tree as usize) << 3));
    const depth = load<i32>(roots + ((tree as usize) << 3), 4);
    for (let row = 0; row < rows; row += 4) {
      const x = matrix + (row as usize) * line;
      let a = root;
      let b = root;
      let c = root;
      let d = root;
      for (let level = 0; level < depth; ++level) {
        a = next(nodes, a, x);
        b = next(nodes, b, x + line);
        c = next(nodes, c, x + 2 * line);
        d = next(nodes, d, x + 3 * line);
      }
      const to = into + (((row * outputs) as usize) << 3);
      addLeaf(values, a, outputs, to);
      addLeaf(values, b, outputs, to + ((outputs as usize) << 3));
      addLeaf(values, c, outputs, to + ((outputs as usize) << 4));
      addLeaf(values, d, outputs, to + 3 * ((outputs as usize) << 3));
    }
  }
}

function addLeaf(values: usize, node: u32, outputs: i32, to: usize): void {
  const from = values + (((node as usize) * (outputs as usize)) << 3);
  for (let output: usize = 0; output < (outputs as usize) << 3; output += 8) {
    store<f64>(to + output, load<f64>(to + output) + load<f64>(from + output));
  }
}
