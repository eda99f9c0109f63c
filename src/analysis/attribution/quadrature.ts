import { addTo, f32, f64, i32 } from '../numeric/typed.js';
import { goesLeft, type VectorForest } from '../trees/forest.js';
import { gaussLegendre } from './quadrature-rule.js';
import { shareOf } from './tables/reference.js';

/** Players of a path; two numbers per slot: whether the row stays on the path, and the share of the reference that does. */
interface Path {
  readonly players: number[];
  readonly stays: number[];
  readonly kept: number[];
}

/**
 * Adds the path-dependent Shapley values of one row at `at` of `into`, for paths with any number of players. A leaf's
 * game is a product over its players; its Shapley values are integrals of polynomials of degree d - 1, for which
 * Gauss-Legendre sums of d / 2 nodes are exact (arXiv:2605.04497).
 */
export function addQuadrature(
  forest: VectorForest,
  owner: Int32Array,
  players: number,
  cover: Float64Array,
  input: Float32Array,
  into: Float64Array,
  at: number,
): void {
  const path: Path = { players: [], stays: [], kept: [] };
  const visit = (node: number): void => {
    const feature = i32(forest.feature, node);
    if (feature < 0) {
      addLeaf(forest, players, path, node, into, at);
      return;
    }
    const player = i32(owner, feature);
    const known = path.players.indexOf(player);
    const slot = known < 0 ? path.players.push(player) - 1 : known;
    const [stays, kept] = known < 0 ? [1, 1] : [path.stays[slot] ?? 1, path.kept[slot] ?? 1];
    const goes = goesLeft(forest, node, f32(input, feature));
    for (const isLeft of [true, false]) {
      const child = isLeft ? i32(forest.left, node) : i32(forest.right, node);
      path.stays[slot] = goes === isLeft ? stays : 0;
      path.kept[slot] = kept * shareOf(cover, node, child);
      visit(child);
    }
    path.stays[slot] = stays;
    path.kept[slot] = kept;
    if (known < 0) dropLast(path);
  };
  for (const root of forest.roots) visit(root);
}

function dropLast(path: Path): void {
  path.players.pop();
  path.stays.pop();
  path.kept.pop();
}

function addLeaf(
  forest: VectorForest,
  players: number,
  path: Path,
  node: number,
  into: Float64Array,
  at: number,
): void {
  const d = path.players.length;
  if (d === 0) return;
  const shares = leafShares(path);
  for (let output = 0; output < forest.outputs; output += 1) {
    const value = f64(forest.values, node * forest.outputs + output);
    path.players.forEach((player, slot) => {
      addTo(into, at + output * players + player, value * f64(shares, slot));
    });
  }
}

/** Shapley value of each player of the path in the game of a leaf of value 1. */
function leafShares({ stays, kept }: Path): Float64Array {
  const d = stays.length;
  const shares = new Float64Array(d);
  const before = new Float64Array(d + 1);
  const { nodes, weights } = gaussLegendre(Math.ceil(d / 2));
  for (let node = 0; node < nodes.length; node += 1) {
    const t = f64(nodes, node);
    const factor = (slot: number): number => {
      const z = kept[slot] ?? 0;
      return z + t * ((stays[slot] ?? 0) - z);
    };
    before[0] = 1;
    for (let slot = 0; slot < d; slot += 1) before[slot + 1] = f64(before, slot) * factor(slot);
    let after = f64(weights, node);
    for (let slot = d - 1; slot >= 0; slot -= 1) {
      addTo(shares, slot, ((stays[slot] ?? 0) - (kept[slot] ?? 0)) * f64(before, slot) * after);
      after *= factor(slot);
    }
  }
  return shares;
}
