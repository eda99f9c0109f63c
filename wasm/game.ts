/*
 * The game between one row and one background row, in AssemblyScript. src/analysis/attribution/game.ts is the same in
 * plain TypeScript: both calculate the same numbers in the same order, so their results are equal to the last bit.
 *
 * `c` is the control block of createGame: 32-bit words that say where everything lies. Nothing here checks bounds.
 */

const NODES: usize = 0;
const VALUES: usize = 4;
const ROOTS: usize = 8;
const TREES: usize = 12;
const GO_X: usize = 16;
const SLOT_BIT: usize = 20;
const SLOT_PLAYER: usize = 24;
const MARGINS: usize = 28;
const CAPACITY: usize = 32;
const MEMBERS: usize = 36;
const STACK: usize = 40;
const SLOTS: usize = 44;
const OUTCOME: usize = 48;
const SHARES: usize = 52;
const IS_LOGISTIC: usize = 56;
const SIGNS: usize = 60;

const LOG2E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;
const LOWEST: f64 = -708.0;

/** The bit of a player who has none yet: a new slot doubles the coalitions. Zero when there is no room. */
function newBit(c: usize, player: i32): i32 {
  const slots = load<i32>(c, SLOTS);
  const size = 1 << slots;
  const capacity = load<i32>(c, CAPACITY);
  if (size >= capacity) return 0;
  const margins = load<u32>(c, MARGINS) as usize;
  const members = load<i32>(c, MEMBERS);
  for (let member = 0; member < members; ++member) {
    memory.fill(margins + (((member * capacity + size) as usize) << 3), 0, (size as usize) << 3);
  }
  store<i32>((load<u32>(c, SLOT_BIT) as usize) + ((player as usize) << 2), size);
  store<i32>((load<u32>(c, SLOT_PLAYER) as usize) + ((slots as usize) << 2), player);
  store<i32>(c, slots + 1, SLOTS);
  return size;
}

/** A leaf counts for coalitions that hold `inside` and nobody of `outside`: as Moebius coefficients over supersets. */
function addLeaf(margins: usize, inside: i32, outside: i32, value: f64, signs: usize): void {
  const at = margins + ((inside as usize) << 3);
  let part = outside;
  while (part != 0) {
    const to = at + ((part as usize) << 3);
    store<f64>(to, load<f64>(to) + load<f64>(signs + ((part as usize) << 3)) * value);
    part = (part - 1) & outside;
  }
  store<f64>(at, load<f64>(at) + value);
}

/** Walks all trees for the background row whose decisions begin at `goR`; false when too many players differ. */
export function walk(c: usize, goR: usize): bool {
  const nodes = load<u32>(c, NODES) as usize;
  const values = load<u32>(c, VALUES) as usize;
  const roots = load<u32>(c, ROOTS) as usize;
  const trees = load<i32>(c, TREES) as usize;
  const goX = load<u32>(c, GO_X) as usize;
  const slotBit = load<u32>(c, SLOT_BIT) as usize;
  const allMargins = load<u32>(c, MARGINS) as usize;
  const capacity = load<i32>(c, CAPACITY) as usize;
  const stack = load<u32>(c, STACK) as usize;
  const signs = load<u32>(c, SIGNS) as usize;
  for (let tree: usize = 0; tree < trees; ++tree) {
    const margins = allMargins + (((load<u32>(roots + (tree << 3), 4) as usize) * capacity) << 3);
    let node = load<u32>(roots + (tree << 3)) as usize;
    let inside = 0;
    let outside = 0;
    let top = stack;
    for (;;) {
      let record = nodes + (node << 4);
      let player = load<i32>(record);
      while (player >= 0) {
        const x = load<u8>(goX + node) as i32;
        const r = load<u8>(goR + node) as i32;
        let go = x;
        if (x != r) {
          let bit = load<i32>(slotBit + ((player as usize) << 2));
          if (bit == 0) {
            bit = newBit(c, player);
            if (bit == 0) return false;
          }
          if ((outside & bit) != 0) go = r;
          else if ((inside & bit) == 0) {
            store<i32>(top, load<i32>(record + ((r as usize) << 2), 4));
            store<i32>(top, inside, 4);
            store<i32>(top, outside | bit, 8);
            top += 12;
            inside |= bit;
          }
        }
        node = load<u32>(record + ((go as usize) << 2), 4) as usize;
        record = nodes + (node << 4);
        player = load<i32>(record);
      }
      addLeaf(margins, inside, outside, load<f64>(values + (node << 3)), signs);
      if (top == stack) break;
      top -= 12;
      node = load<u32>(top) as usize;
      inside = load<i32>(top, 4);
      outside = load<i32>(top, 8);
    }
  }
  return true;
}

/** e^x for x <= 0, in two lanes; see exp.ts for the plain one. */
function exp(x: v128): v128 {
  const k = f64x2.nearest(f64x2.mul(x, f64x2.splat(LOG2E)));
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HIGH))), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  let sum = f64x2.splat(1.0 / 6227020800.0);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 479001600.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 39916800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 3628800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 362880.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 40320.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 5040.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 720.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 120.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 24.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 6.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0));
  const exponent = i64x2.shl(
    i64x2.add(i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(k)), i64x2.splat(1023)),
    52,
  );
  return v128.and(f64x2.mul(sum, exponent), f64x2.ge(x, f64x2.splat(LOWEST)));
}

/** 1 / (1 + e^-m) in two lanes. */
function sigmoid(m: v128): v128 {
  const one = f64x2.splat(1.0);
  const e = exp(f64x2.neg(f64x2.abs(m)));
  const top = v128.bitselect(one, e, f64x2.ge(m, f64x2.splat(0.0)));
  return f64x2.div(top, f64x2.add(one, e));
}

/** Turns coefficients into the vote of each coalition. */
export function settle(c: usize): void {
  const slots = load<i32>(c, SLOTS);
  const bytes = (1 << slots) << 3;
  const outcome = load<u32>(c, OUTCOME) as usize;
  const stride = (load<i32>(c, CAPACITY) as usize) << 3;
  const members = load<i32>(c, MEMBERS) as usize;
  memory.fill(outcome, 0, bytes as usize);
  for (let member: usize = 0; member < members; ++member) {
    const margins = (load<u32>(c, MARGINS) as usize) + member * stride;
    zeta(margins, bytes as usize);
    const share = f64x2.splat(load<f64>((load<u32>(c, SHARES) as usize) + (member << 3)));
    const isLogistic = load<u8>((load<u32>(c, IS_LOGISTIC) as usize) + member) == 1;
    for (let at: usize = 0; at < (bytes as usize); at += 16) {
      const margin = v128.load(margins + at);
      const value = isLogistic ? sigmoid(margin) : margin;
      v128.store(outcome + at, f64x2.add(v128.load(outcome + at), f64x2.mul(share, value)));
    }
  }
}

/** Sum over subsets, in place. */
function zeta(values: usize, bytes: usize): void {
  for (let at = values; at < values + bytes; at += 16) store<f64>(at, load<f64>(at, 8) + load<f64>(at), 8);
  for (let bit: usize = 16; bit < bytes; bit <<= 1) {
    for (let block = values; block < values + bytes; block += 2 * bit) {
      for (let at = block; at < block + bit; at += 16) {
        v128.store(at + bit, f64x2.add(v128.load(at + bit), v128.load(at)));
      }
    }
  }
}
