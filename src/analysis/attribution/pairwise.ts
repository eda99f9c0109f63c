import { addTo, f32, f64, i32, u8 } from '../numeric/typed.js';
import { goesLeft, type VectorForest } from '../trees/forest.js';
import { share, shareCross, sharePair } from './share-weights.js';
import { pairColumn } from './tables/leaf-tables.js';
import type { Reference } from './tables/reference.js';

/** Sides that a player is fixed to on a path. */
const OPEN = 0;
const FROM_ROW = 1;
const FROM_BACKGROUND = 2;

/** Everything for the walk of a row against a background row; nothing is allocated per pair. */
export interface PairWalk {
  readonly forest: VectorForest;
  readonly owner: Int32Array;
  readonly players: number;
  readonly interactions: boolean;
  readonly side: Uint8Array;
  /** Players fixed on the path. */
  readonly fixed: number[];
  inside: number;
  outside: number;
}

/** A walk with its buffers. */
export function createPairWalk(
  forest: VectorForest,
  owner: Int32Array,
  players: number,
  interactions: boolean,
): PairWalk {
  const side = new Uint8Array(players);
  return { forest, owner, players, interactions, side, fixed: [], inside: 0, outside: 0 };
}

interface Pair {
  readonly walk: PairWalk;
  readonly matrix: Float32Array;
  readonly x: number;
  readonly background: Float32Array;
  readonly r: number;
  readonly into: Float64Array;
  readonly at: number;
  readonly weight: number;
  readonly perOutput: number;
}

/**
 * Adds the interventional Shapley values of a row against every background row at `at` of `into`: each tree is walked
 * once per pair of rows, forking only where the two part. Exact for paths with any number of players.
 */
export function addPairwise(
  walk: PairWalk,
  matrix: Float32Array,
  row: number,
  background: Reference,
  into: Float64Array,
  at: number,
): void {
  const { forest, players, interactions } = walk;
  const perOutput = interactions ? (players * (players + 1)) / 2 : players;
  for (let other = 0; other < background.rows; other += 1) {
    const pair: Pair = {
      walk,
      matrix,
      x: row * forest.width,
      background: background.matrix,
      r: other * forest.width,
      into,
      at,
      weight: 1 / background.rows,
      perOutput,
    };
    for (const root of forest.roots) visit(pair, root);
  }
}

function visit(pair: Pair, node: number): void {
  const { walk, matrix, x, background, r } = pair;
  const { forest, owner, side } = walk;
  const feature = i32(forest.feature, node);
  if (feature < 0) {
    addLeaf(pair, node);
    return;
  }
  const ofRow = goesLeft(forest, node, f32(matrix, x + feature));
  const ofBackground = goesLeft(forest, node, f32(background, r + feature));
  const child = (left: boolean): number => (left ? i32(forest.left, node) : i32(forest.right, node));
  const player = i32(owner, feature);
  if (ofRow === ofBackground || u8(side, player) === FROM_ROW) visit(pair, child(ofRow));
  else if (u8(side, player) === FROM_BACKGROUND) visit(pair, child(ofBackground));
  else {
    walk.fixed.push(player);
    side[player] = FROM_ROW;
    walk.inside += 1;
    visit(pair, child(ofRow));
    walk.inside -= 1;
    side[player] = FROM_BACKGROUND;
    walk.outside += 1;
    visit(pair, child(ofBackground));
    walk.outside -= 1;
    side[player] = OPEN;
    walk.fixed.pop();
  }
}

function addLeaf(pair: Pair, node: number): void {
  const { walk, into, at, weight, perOutput } = pair;
  const { forest, side, fixed, inside, outside } = walk;
  const gain = inside === 0 ? 0 : weight * share(inside, outside);
  const loss = outside === 0 ? 0 : weight * share(outside, inside);
  for (let output = 0; output < forest.outputs; output += 1) {
    const value = f64(forest.values, node * forest.outputs + output);
    const start = at + output * perOutput;
    for (const player of fixed)
      addTo(into, start + player, u8(side, player) === FROM_ROW ? value * gain : -value * loss);
    if (walk.interactions) addLeafPairs(pair, start, value * weight);
  }
}

function addLeafPairs({ walk, into }: Pair, start: number, value: number): void {
  const { side, fixed, inside, outside, players } = walk;
  fixed.forEach((second, j) => {
    for (const first of fixed.slice(0, j)) {
      const column = pairColumn(players, Math.min(first, second), Math.max(first, second));
      const index = pairIndex(u8(side, first), u8(side, second), inside, outside);
      addTo(into, start + column, value * index);
    }
  });
}

function pairIndex(first: number, second: number, inside: number, outside: number): number {
  if (first !== second) return shareCross(inside, outside);
  return first === FROM_ROW ? sharePair(inside, outside) : sharePair(outside, inside);
}
