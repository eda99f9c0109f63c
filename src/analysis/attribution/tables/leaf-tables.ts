import { addTo, f64, i32 } from '../../numeric/typed.js';
import { gaussLegendre } from '../quadrature-rule.js';
import { share, shareCross, sharePair } from '../share-weights.js';
import { coalitionSizes } from '../shapley-weights.js';
import { MOST_TABLE_SLOTS } from './tree-program.js';

/*
 * The table of one leaf of value 1 with d players on its path: entry a of column j is what player j is owed when the
 * row satisfies the splits of exactly the players in the mask a. Columns stand one after the other, 2^d entries each.
 */

const SIZES = coalitionSizes(MOST_TABLE_SLOTS);

/** Weighted masks of background rows at a leaf: `masks[k]` occurs in the share `shares[k]` of the background. */
export interface LeafMasks {
  readonly count: number;
  readonly masks: Int32Array;
  readonly shares: Float64Array;
}

/** Columns of a table of d players: one per player, then, where asked for, one per pair (0,1), (0,2), (1,2), (0,3), … */
export function columnCount(players: number, interactions: boolean): number {
  return interactions ? (players * (players + 1)) / 2 : players;
}

/** The column of a pair i < j among d players. */
export function pairColumn(players: number, i: number, j: number): number {
  return players + (j * (j - 1)) / 2 + i;
}

/**
 * Interventional table: a row of mask a against a background row of mask b counts for coalitions that hold a without b
 * and nobody of b without a; nothing when both fail at the same player.
 */
export function fillInterventional(
  d: number,
  leaf: LeafMasks,
  into: Float64Array,
  interactions: boolean,
): void {
  const size = 2 ** d;
  const full = size - 1;
  into.fill(0, 0, columnCount(d, interactions) * size);
  const losses = LOSSES.subarray(0, size).fill(0);
  const starts = new Int32Array(d);
  for (let k = 0; k < leaf.count; k += 1) {
    const b = i32(leaf.masks, k);
    const weight = f64(leaf.shares, k);
    const inside = full & ~b;
    const p = SIZES[inside] ?? 0;
    const columns = startsOf(d, inside, starts);
    for (let part = b; ; part = (part - 1) & b) {
      const a = inside | part;
      const q = d - (SIZES[a] ?? 0);
      const gain = weight * share(p, q);
      for (let column = 0; column < columns; column += 1) addTo(into, i32(starts, column) + a, gain);
      // Everybody who must come from the background loses the same.
      if (q > 0) addTo(losses, a, weight * share(q, p));
      if (interactions) addPairs(d, into, a, inside, weight);
      if (part === 0) break;
    }
  }
  for (let j = 0; j < d; j += 1) subtractLosses(j, size, losses, into);
}

/** Where the columns of the players in a mask begin; returns how many there are. */
function startsOf(d: number, mask: number, starts: Int32Array): number {
  let columns = 0;
  for (let j = 0; j < d; j += 1) {
    if ((mask & (1 << j)) === 0) continue;
    starts[columns] = j * 2 ** d;
    columns += 1;
  }
  return columns;
}

const LOSSES = new Float64Array(2 ** MOST_TABLE_SLOTS);

/** The losses of player j: at masks without it. */
function subtractLosses(j: number, size: number, losses: Float64Array, into: Float64Array): void {
  const bit = 1 << j;
  for (let block = 0; block < size; block += 2 * bit) {
    for (let a = block; a < block + bit; a += 1) addTo(into, j * size + a, -f64(losses, a));
  }
}

function addPairs(d: number, into: Float64Array, a: number, inside: number, weight: number): void {
  const size = 2 ** d;
  const p = SIZES[inside] ?? 0;
  const q = d - (SIZES[a] ?? 0);
  const indices = pairIndices(p, q, weight);
  for (let j = 1; j < d; j += 1) {
    const side = sideOf(a, inside, 1 << j);
    if (side === 0) continue;
    for (let i = 0; i < j; i += 1) {
      const other = sideOf(a, inside, 1 << i);
      if (other !== 0) addTo(into, pairColumn(d, i, j) * size + a, f64(indices, side + other));
    }
  }
}

/** By the sum of the two sides: both from the row, one from each, both from the background. */
function pairIndices(p: number, q: number, weight: number): Float64Array {
  return Float64Array.of(
    0,
    0,
    p > 1 ? weight * sharePair(p, q) : 0,
    p > 0 && q > 0 ? weight * shareCross(p, q) : 0,
    q > 1 ? weight * sharePair(q, p) : 0,
  );
}

/** 1: must come from the row, 2: must come from the background, 0: no matter. */
function sideOf(a: number, inside: number, bit: number): number {
  if ((inside & bit) !== 0) return 1;
  return (a & bit) === 0 ? 2 : 0;
}

/**
 * Path-dependent table. `kept[j]` is the share of the reference that stays on the path at the splits of player j. The
 * value of a coalition is a product over players; its Shapley values are integrals of polynomials of degree d - 1,
 * which Gauss-Legendre sums give exactly (arXiv:2605.04497). No term is negative before the last difference.
 */
export function fillPathDependent(
  d: number,
  kept: Float64Array,
  into: Float64Array,
  interactions: boolean,
): void {
  const size = 2 ** d;
  into.fill(0, 0, columnCount(d, interactions) * size);
  const rule = gaussLegendre(Math.ceil(d / 2));
  const products = PRODUCTS.subarray(0, size);
  for (let node = 0; node < rule.nodes.length; node += 1) {
    const t = f64(rule.nodes, node);
    const weight = f64(rule.weights, node);
    fillProducts(d, kept, t, products);
    for (let j = 0; j < d; j += 1) {
      addPlayer(size, f64(kept, j), j, weight / factorOf(kept, t, j), into, products);
      if (!interactions) continue;
      for (let i = 0; i < j; i += 1) {
        const scale = weight / (factorOf(kept, t, i) * factorOf(kept, t, j));
        addPathPair(d, kept, i, j, scale, into, products);
      }
    }
  }
}

const PRODUCTS = new Float64Array(2 ** MOST_TABLE_SLOTS);

/** z + t (1 - z), the factor of a player that stays: never below t, so that it may be divided by. */
function factorOf(kept: Float64Array, t: number, j: number): number {
  return f64(kept, j) + t * (1 - f64(kept, j));
}

/** For every mask the product of z + t (a - z) over the players. */
function fillProducts(d: number, kept: Float64Array, t: number, into: Float64Array): void {
  into[0] = 1;
  for (let k = 0; k < d; k += 1) {
    const high = factorOf(kept, t, k);
    const low = f64(kept, k) * (1 - t);
    const half = 2 ** k;
    for (let a = 0; a < half; a += 1) {
      into[half + a] = f64(into, a) * high;
      into[a] = f64(into, a) * low;
    }
  }
}

/** Adds (a - z) times the product over the others, which is that of the mask with j divided by j's own factor. */
function addPlayer(
  size: number,
  z: number,
  j: number,
  scale: number,
  into: Float64Array,
  products: Float64Array,
): void {
  const bit = 1 << j;
  const column = j * size;
  for (let block = 0; block < size; block += 2 * bit) {
    for (let a = block; a < block + bit; a += 1) {
      const others = scale * f64(products, a + bit);
      addTo(into, column + a, -z * others);
      addTo(into, column + a + bit, (1 - z) * others);
    }
  }
}

function addPathPair(
  d: number,
  kept: Float64Array,
  i: number,
  j: number,
  scale: number,
  into: Float64Array,
  products: Float64Array,
): void {
  const size = 2 ** d;
  const both = (1 << i) | (1 << j);
  const column = pairColumn(d, i, j) * size;
  for (let a = 0; a < size; a += 1) {
    const factor = (((a >> i) & 1) - f64(kept, i)) * (((a >> j) & 1) - f64(kept, j));
    addTo(into, column + a, factor * scale * f64(products, a | both));
  }
}
