import { columnOwners, type Ensemble } from '../ensemble/ensemble.js';
import { sigmoid } from '../ensemble/member.js';
import { AnalysisInputError } from '../errors.js';
import { addTo, f64, i32, u8 } from '../numeric/typed.js';
import { type MergedTrees, mergeTrees } from './merged-trees.js';
import { coalitionSizes, MOST_SLOTS, shapleyWeights } from './shapley-weights.js';

const DEEPEST_STACK = 128;

/**
 * The game between one row x and one background row r. Players on which the two part ways get slots, in the order
 * in which a path first forks on them; a coalition is a mask of slots whose values come from x. All buffers are
 * allocated once; playing a pair allocates nothing.
 */
export interface Game {
  readonly ensemble: Ensemble;
  readonly trees: MergedTrees;
  /** Player of every column. */
  readonly owner: Int32Array;
  /** Coalitions that fit; the stride between the members' margins. */
  readonly capacity: number;
  /** Per member and coalition: Moebius coefficients while walking, margins after the zeta transform. */
  readonly margins: Float64Array;
  readonly outcome: Float64Array;
  readonly sizes: Uint8Array;
  readonly signs: Float64Array;
  readonly weights: Float64Array;
  readonly isLogistic: Uint8Array;
  readonly bases: Float64Array;
  readonly slotBit: Int32Array;
  readonly slotPlayer: Int32Array;
  readonly stackNode: Int32Array;
  readonly stackInside: Int32Array;
  readonly stackOutside: Int32Array;
  slots: number;
}

/** Buffers for the games of an ensemble. */
export function createGame(ensemble: Ensemble): Game {
  const trees = mergeTrees(ensemble);
  const members = ensemble.members.length;
  const slots = Math.min(MOST_SLOTS, ensemble.groups.length);
  const capacity = 2 ** slots;
  const sizes = coalitionSizes(slots);
  return {
    ensemble,
    trees,
    owner: columnOwners(ensemble.groups, ensemble.width),
    capacity,
    margins: new Float64Array(members * capacity),
    outcome: new Float64Array(capacity),
    sizes,
    signs: Float64Array.from(sizes, (size) => (size % 2 === 0 ? 1 : -1)),
    weights: shapleyWeights(),
    isLogistic: Uint8Array.from(ensemble.members, ({ member }) => (member.link === 'logistic' ? 1 : 0)),
    bases: Float64Array.from(ensemble.members, ({ member: { model } }) =>
      model.kind === 'trees' ? model.base : model.bias,
    ),
    slotBit: new Int32Array(ensemble.groups.length),
    slotPlayer: new Int32Array(slots),
    stackNode: new Int32Array(DEEPEST_STACK),
    stackInside: new Int32Array(DEEPEST_STACK),
    stackOutside: new Int32Array(DEEPEST_STACK),
    slots: 0,
  };
}

/** Forgets the last pair. */
export function resetGame(game: Game): void {
  for (let slot = 0; slot < game.slots; slot += 1) game.slotBit[i32(game.slotPlayer, slot)] = 0;
  game.slots = 0;
  for (let member = 0; member < game.bases.length; member += 1) {
    game.margins[member * game.capacity] = f64(game.bases, member);
  }
}

/** The bit of a player; a new slot doubles the coalitions, whose coefficients start at zero. */
function bitOf(game: Game, player: number): number {
  const known = i32(game.slotBit, player);
  if (known !== 0) return known;
  const size = 2 ** game.slots;
  if (size >= game.capacity) {
    throw new AnalysisInputError(
      `More than ${String(MOST_SLOTS)} features differ from the background; exact attribution stops there.`,
    );
  }
  for (let member = 0; member < game.bases.length; member += 1) {
    const start = member * game.capacity + size;
    game.margins.fill(0, start, start + size);
  }
  game.slotBit[player] = size;
  game.slotPlayer[game.slots] = player;
  game.slots += 1;
  return size;
}

/** Adds what the linear members gain when a player moves from r to x. Offsets are into the arrays of linear parts. */
export function addLinear(game: Game, ofRow: Float64Array, ofBackground: Float64Array): void {
  const players = game.slotBit.length;
  for (let at = 0; at < ofRow.length; at += 1) {
    const from = f64(ofBackground, at);
    const gain = f64(ofRow, at) - from;
    const member = Math.floor(at / players);
    if (from !== 0) addTo(game.margins, member * game.capacity, from);
    if (gain === 0) continue;
    const bit = bitOf(game, at % players);
    addTo(game.margins, member * game.capacity + bit, gain);
  }
}

/** Walks one tree: follows where x and r agree, forks where they part, and notes at each leaf who must come from whom. */
export function walkTree(game: Game, tree: number, goX: Uint8Array, goR: Uint8Array, offsetR: number): void {
  const { player, next, value, roots, rootMember } = game.trees;
  const { slotBit, stackNode, stackInside, stackOutside } = game;
  const margins = i32(rootMember, tree) * game.capacity;
  let node = i32(roots, tree);
  let inside = 0;
  let outside = 0;
  let depth = 0;
  for (;;) {
    let owner = i32(player, node);
    while (owner >= 0) {
      const x = u8(goX, node);
      const r = u8(goR, offsetR + node);
      let go = x;
      if (x !== r) {
        let bit = i32(slotBit, owner);
        if (bit === 0) bit = bitOf(game, owner);
        if ((outside & bit) !== 0) go = r;
        else if ((inside & bit) === 0) {
          stackNode[depth] = i32(next, 2 * node + r);
          stackInside[depth] = inside;
          stackOutside[depth] = outside | bit;
          depth += 1;
          inside |= bit;
        }
      }
      node = i32(next, 2 * node + go);
      owner = i32(player, node);
    }
    addLeaf(game, margins + inside, outside, f64(value, node));
    if (depth === 0) return;
    depth -= 1;
    node = i32(stackNode, depth);
    inside = i32(stackInside, depth);
    outside = i32(stackOutside, depth);
  }
}

/** A leaf counts for coalitions that hold `inside` and nobody of `outside`: as Moebius coefficients over supersets. */
function addLeaf(game: Game, at: number, outside: number, value: number): void {
  const { margins, signs } = game;
  let part = outside;
  while (part !== 0) {
    margins[at + part] = f64(margins, at + part) + f64(signs, part) * value;
    part = (part - 1) & outside;
  }
  margins[at] = f64(margins, at) + value;
}

/** Turns coefficients into margins, margins into the outcome of each coalition. */
export function settle(game: Game): void {
  const size = 2 ** game.slots;
  game.outcome.fill(0, 0, size);
  for (let member = 0; member < game.bases.length; member += 1) {
    const start = member * game.capacity;
    zeta(game.margins, start, game.slots);
    addVotes(game, member, start, size);
  }
  const { calibrate } = game.ensemble;
  for (let mask = 0; mask < size; mask += 1) game.outcome[mask] = calibrate(f64(game.outcome, mask));
}

function addVotes(game: Game, member: number, start: number, size: number): void {
  const { outcome, margins } = game;
  const share = f64(game.ensemble.shares, member);
  if (u8(game.isLogistic, member) === 1) {
    for (let mask = 0; mask < size; mask += 1)
      addTo(outcome, mask, share * sigmoid(f64(margins, start + mask)));
    return;
  }
  for (let mask = 0; mask < size; mask += 1) addTo(outcome, mask, share * f64(margins, start + mask));
}

/** Sum over subsets, in place. */
function zeta(values: Float64Array, start: number, slots: number): void {
  const stop = start + 2 ** slots;
  for (let bit = 1; bit < 2 ** slots; bit *= 2) {
    for (let block = start; block < stop; block += 2 * bit) {
      for (let at = block; at < block + bit; at += 1) {
        values[at + bit] = f64(values, at + bit) + f64(values, at);
      }
    }
  }
}

/** Adds every player's Shapley value of this pair, times `factor`, at `offset` of `into`. */
export function addShapley(game: Game, into: Float64Array, offset: number, factor: number): void {
  const { outcome, sizes, weights, slots } = game;
  const size = 2 ** slots;
  const weightsStart = slots * (MOST_SLOTS + 1);
  for (let slot = 0; slot < slots; slot += 1) {
    const bit = 2 ** slot;
    let sum = 0;
    for (let block = 0; block < size; block += 2 * bit) {
      for (let mask = block; mask < block + bit; mask += 1) {
        sum += f64(weights, weightsStart + u8(sizes, mask)) * (f64(outcome, mask + bit) - f64(outcome, mask));
      }
    }
    addTo(into, offset + i32(game.slotPlayer, slot), factor * sum);
  }
}
