import { columnOwners, type Ensemble } from '../ensemble/ensemble.js';
import { AnalysisInputError } from '../errors.js';
import { addTo, f64, i32, u8 } from '../numeric/typed.js';
import { steadySigmoid } from './exp.js';
import { type GameMemory, openGameMemory } from './kernels/game-memory.js';
import { type MergedTrees, mergeTrees } from './merged-trees.js';
import { coalitionSizes, MOST_SLOTS, shapleyWeights } from './shapley-weights.js';

/**
 * The game between one row x and one background row r. Players on which the two part ways get slots, in the order
 * in which a path first forks on them; a coalition is a mask of slots whose values come from x. All buffers are
 * allocated once; playing a pair allocates nothing. The walk and the votes also exist in WebAssembly (wasm/game.ts).
 */
export interface Game {
  readonly ensemble: Ensemble;
  readonly trees: MergedTrees;
  /** Player of every column. */
  readonly owner: Int32Array;
  /** Coalitions that fit; the stride between the members' margins. */
  readonly capacity: number;
  readonly memory: GameMemory;
  readonly sizes: Uint8Array;
  readonly weights: Float64Array;
  readonly bases: Float64Array;
  /** Products of outcomes and weights, while Shapley values are summed. */
  readonly scratch: Float64Array;
}

/** Buffers for the games of an ensemble against so many background rows. */
export function createGame(ensemble: Ensemble, backgroundRows: number, kernel: 'wasm' | 'plain'): Game {
  const trees = mergeTrees(ensemble);
  const slots = Math.min(MOST_SLOTS, ensemble.groups.length);
  const capacity = 2 ** slots;
  const sizes = coalitionSizes(slots);
  const members = ensemble.members.length;
  const shape = { nodes: trees.nodes, trees: trees.roots.length / 2, members, slots, backgroundRows };
  const memory = openGameMemory({ ...shape, players: ensemble.groups.length }, kernel);
  memory.nodes.set(trees.records);
  memory.values.set(trees.value);
  memory.roots.set(trees.roots);
  memory.shares.set(ensemble.shares);
  memory.isLogistic.set(ensemble.members.map(({ member }) => (member.link === 'logistic' ? 1 : 0)));
  sizes.forEach((size, mask) => {
    memory.signs[mask] = size % 2 === 0 ? 1 : -1;
  });
  return {
    ensemble,
    trees,
    owner: columnOwners(ensemble.groups, ensemble.width),
    capacity,
    memory,
    sizes,
    weights: shapleyWeights(),
    bases: Float64Array.from(ensemble.members, ({ member: { model } }) =>
      model.kind === 'trees' ? model.base : model.bias,
    ),
    scratch: new Float64Array(capacity),
  };
}

/** Players who have a slot. */
export function slotsOf({ memory }: Game): number {
  return i32(memory.slots, 0);
}

/** Forgets the last pair. */
export function resetGame(game: Game): void {
  const { slots, slotBit, slotPlayer, margins } = game.memory;
  for (let slot = 0; slot < slotsOf(game); slot += 1) slotBit[i32(slotPlayer, slot)] = 0;
  slots[0] = 0;
  for (let member = 0; member < game.bases.length; member += 1) {
    margins[member * game.capacity] = f64(game.bases, member);
  }
}

/** The bit of a player; a new slot doubles the coalitions, whose coefficients start at zero. */
function bitOf(game: Game, player: number): number {
  const { slots, slotBit, slotPlayer, margins } = game.memory;
  const known = i32(slotBit, player);
  if (known !== 0) return known;
  const used = i32(slots, 0);
  const size = 2 ** used;
  if (size >= game.capacity) throw tooMany();
  for (let member = 0; member < game.bases.length; member += 1) {
    const start = member * game.capacity + size;
    margins.fill(0, start, start + size);
  }
  slotBit[player] = size;
  slotPlayer[used] = player;
  slots[0] = used + 1;
  return size;
}

function tooMany(): AnalysisInputError {
  return new AnalysisInputError(
    `More than ${String(MOST_SLOTS)} features differ from the background; exact attribution stops there.`,
  );
}

/** Adds what the linear members gain when a player moves from r to x. Offsets are into the arrays of linear parts. */
export function addLinear(game: Game, ofRow: Float64Array, ofBackground: Float64Array): void {
  const { slotBit, margins } = game.memory;
  const players = slotBit.length;
  for (let at = 0; at < ofRow.length; at += 1) {
    const from = f64(ofBackground, at);
    const gain = f64(ofRow, at) - from;
    const member = Math.floor(at / players);
    if (from !== 0) addTo(margins, member * game.capacity, from);
    if (gain === 0) continue;
    const bit = bitOf(game, at % players);
    addTo(margins, member * game.capacity + bit, gain);
  }
}

/** Walks all trees: the coefficients of every coalition of x against the background row. */
export function walkTrees(game: Game, backgroundRow: number): void {
  const { memory, trees } = game;
  if (memory.kernels !== null) {
    if (memory.kernels.walk(backgroundRow)) return;
    throw tooMany();
  }
  for (let tree = 0; tree < trees.roots.length / 2; tree += 1)
    walkTree(game, tree, backgroundRow * trees.nodes);
}

/** Follows where x and r agree, forks where they part, and notes at each leaf who must come from whom. */
function walkTree(game: Game, tree: number, offsetR: number): void {
  const { nodes, values, roots, goX, goR, slotBit, stack } = game.memory;
  const margins = i32(roots, 2 * tree + 1) * game.capacity;
  let node = i32(roots, 2 * tree);
  let inside = 0;
  let outside = 0;
  let top = 0;
  for (;;) {
    let owner = i32(nodes, 4 * node);
    while (owner >= 0) {
      const x = u8(goX, node);
      const r = u8(goR, offsetR + node);
      let go = x;
      if (x !== r) {
        let bit = i32(slotBit, owner);
        if (bit === 0) bit = bitOf(game, owner);
        if ((outside & bit) !== 0) go = r;
        else if ((inside & bit) === 0) {
          stack[top] = i32(nodes, 4 * node + 1 + r);
          stack[top + 1] = inside;
          stack[top + 2] = outside | bit;
          top += 3;
          inside |= bit;
        }
      }
      node = i32(nodes, 4 * node + 1 + go);
      owner = i32(nodes, 4 * node);
    }
    addLeaf(game, margins + inside, outside, f64(values, node));
    if (top === 0) return;
    top -= 3;
    node = i32(stack, top);
    inside = i32(stack, top + 1);
    outside = i32(stack, top + 2);
  }
}

/** A leaf counts for coalitions that hold `inside` and nobody of `outside`: as Moebius coefficients over supersets. */
function addLeaf({ memory: { margins, signs } }: Game, at: number, outside: number, value: number): void {
  let part = outside;
  while (part !== 0) {
    margins[at + part] = f64(margins, at + part) + f64(signs, part) * value;
    part = (part - 1) & outside;
  }
  margins[at] = f64(margins, at) + value;
}

/** Turns coefficients into margins, margins into the outcome of each coalition. */
export function settle(game: Game): void {
  const { memory, ensemble } = game;
  const slots = slotsOf(game);
  const size = 2 ** slots;
  if (memory.kernels !== null) memory.kernels.settle();
  else settlePlain(game, slots);
  if (ensemble.calibration === null) return;
  const { outcome } = memory;
  for (let mask = 0; mask < size; mask += 1) outcome[mask] = ensemble.calibrate(f64(outcome, mask));
}

function settlePlain({ memory, bases, capacity }: Game, slots: number): void {
  const { margins, outcome, shares, isLogistic } = memory;
  const size = 2 ** slots;
  outcome.fill(0, 0, size);
  for (let member = 0; member < bases.length; member += 1) {
    const start = member * capacity;
    zeta(margins, start, slots);
    const share = f64(shares, member);
    const logistic = u8(isLogistic, member) === 1;
    for (let mask = 0; mask < size; mask += 1) {
      const margin = f64(margins, start + mask);
      addTo(outcome, mask, share * (logistic ? steadySigmoid(margin) : margin));
    }
  }
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

/**
 * Adds every player's Shapley value of this pair, times `factor`, at `offset` of `into`. With w(s) = s! (n - s - 1)! / n!
 * it is the sum over coalitions with the player of (w(s - 1) + w(s)) P, minus the sum over all of w(s) P: the last does
 * not depend on the player, and the first is read off while the cube of coalitions is folded, slot by slot.
 */
export function addShapley(game: Game, into: Float64Array, offset: number, factor: number): void {
  const { sizes, weights, scratch } = game;
  const { outcome, slotPlayer } = game.memory;
  const slots = slotsOf(game);
  const start = slots * (MOST_SLOTS + 1);
  let all = 0;
  for (let mask = 0; mask < 2 ** slots; mask += 1) {
    const size = u8(sizes, mask);
    const after = size === slots ? 0 : f64(weights, start + size);
    const before = size === 0 ? 0 : f64(weights, start + size - 1);
    const value = f64(outcome, mask);
    all += after * value;
    scratch[mask] = (before + after) * value;
  }
  for (let slot = slots - 1; slot >= 0; slot -= 1) {
    const half = 2 ** slot;
    let held = 0;
    for (let mask = 0; mask < half; mask += 1) {
      const value = f64(scratch, mask + half);
      held += value;
      scratch[mask] = f64(scratch, mask) + value;
    }
    addTo(into, offset + i32(slotPlayer, slot), factor * (held - all));
  }
}
