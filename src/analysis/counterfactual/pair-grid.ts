import { type ColumnGroup, columnOwners, type Ensemble } from '../ensemble/ensemble.js';
import { type Member, sigmoid } from '../ensemble/member.js';
import { applyScaling, type LinearModel } from '../linear/linear.js';
import { addTo, f32, f64, i32 } from '../numeric/typed.js';
import { type Forest, goesLeft } from '../trees/forest.js';
import type { Candidate } from './candidates.js';

/*
 * The probability of every pair of candidates of two features at once. A tree splits the grid of pairs into
 * blocks, one per leaf; a block is written once instead of walking the tree for each of its pairs.
 */

/** Stands in for the second feature when only one is changed. */
const NOBODY: Candidate = { player: -1, value: 0, distance: 0 };

/** Calibrated probability for each candidate of one feature. */
export function singleProbabilities(
  ensemble: Ensemble,
  row: Float32Array,
  candidates: readonly Candidate[],
): Float64Array {
  return pairProbabilities(ensemble, row, candidates, [NOBODY]);
}

/** One member's margins over the grid: a part of each pair, of each first, of each second candidate, and of all. */
interface MarginGrid {
  readonly pairs: Float64Array;
  readonly firsts: Float64Array;
  readonly seconds: Float64Array;
  rest: number;
}

interface GridWork {
  readonly member: Member;
  /** The row as the member's model reads it. */
  readonly input: Float32Array;
  readonly owner: Int32Array;
  readonly groups: readonly ColumnGroup[];
  readonly first: readonly Candidate[];
  readonly second: readonly Candidate[];
  /** Places of candidates; the candidates that reach a node stand together. */
  readonly firstOrder: Int32Array;
  readonly secondOrder: Int32Array;
  readonly grid: MarginGrid;
}

/** Calibrated probabilities, first candidate by second, when both features of a row are changed. */
export function pairProbabilities(
  ensemble: Ensemble,
  row: Float32Array,
  first: readonly Candidate[],
  second: readonly Candidate[],
): Float64Array {
  const owner = columnOwners(ensemble.groups, ensemble.width);
  const votes = new Float64Array(first.length * second.length);
  ensemble.members.forEach(({ member }, index) => {
    const grid: MarginGrid = {
      pairs: new Float64Array(votes.length),
      firsts: new Float64Array(first.length),
      seconds: new Float64Array(second.length),
      rest: 0,
    };
    const work: GridWork = {
      member,
      input: member.scaling === null ? row : applyScaling(member.scaling, row, 1),
      owner,
      groups: ensemble.groups,
      first,
      second,
      firstOrder: Int32Array.from(first.keys()),
      secondOrder: Int32Array.from(second.keys()),
      grid,
    };
    if (member.model.kind === 'trees') addForest(work, member.model);
    else addLinear(work, member.model);
    addVotes(votes, grid, member.link, f64(ensemble.shares, index));
  });
  return votes.map(ensemble.calibrate);
}

function addVotes(votes: Float64Array, grid: MarginGrid, link: Member['link'], share: number): void {
  const width = grid.seconds.length;
  for (let at = 0; at < votes.length; at += 1) {
    const margin =
      grid.rest +
      f64(grid.firsts, Math.floor(at / width)) +
      f64(grid.seconds, at % width) +
      f64(grid.pairs, at);
    addTo(votes, at, share * (link === 'logistic' ? sigmoid(margin) : margin));
  }
}

/** What a column holds, as the model reads it, once the candidate is taken. */
function valueIn(
  { groups, member: { scaling } }: GridWork,
  candidate: Candidate | undefined,
  column: number,
): number {
  if (candidate === undefined) return Number.NaN;
  const group = groups[candidate.player];
  const isCategory = group !== undefined && group.columns[1] > 1;
  const plain = isCategory ? Number(column - group.columns[0] === candidate.value) : candidate.value;
  if (scaling === null) return plain;
  return Math.fround(Math.fround(plain - f32(scaling.offset, column)) * f32(scaling.scale, column));
}

function addLinear(work: GridWork, model: LinearModel): void {
  const { grid, input } = work;
  grid.rest = model.bias;
  for (let column = 0; column < model.width; column += 1) {
    const weight = f64(model.weights, column);
    const player = i32(work.owner, column);
    if (player === work.first[0]?.player) {
      work.first.forEach((candidate, at) => {
        addTo(grid.firsts, at, weight * valueIn(work, candidate, column));
      });
    } else if (player === work.second[0]?.player) {
      work.second.forEach((candidate, at) => {
        addTo(grid.seconds, at, weight * valueIn(work, candidate, column));
      });
    } else grid.rest += weight * f32(input, column);
  }
}

/** The candidates that reach a node: stretches of the two orders. */
interface Block {
  readonly firstFrom: number;
  readonly firstTo: number;
  readonly secondFrom: number;
  readonly secondTo: number;
}

function addForest(work: GridWork, forest: Forest): void {
  work.grid.rest = forest.base;
  const whole: Block = {
    firstFrom: 0,
    firstTo: work.first.length,
    secondFrom: 0,
    secondTo: work.second.length,
  };
  for (const root of forest.roots) addNode(work, forest, root, whole);
}

function addNode(work: GridWork, forest: Forest, node: number, block: Block): void {
  if (block.firstFrom === block.firstTo || block.secondFrom === block.secondTo) return;
  const column = i32(forest.feature, node);
  if (column < 0) {
    addLeaf(work, f64(forest.value, node), block);
    return;
  }
  const [left, right] = [i32(forest.left, node), i32(forest.right, node)];
  const player = i32(work.owner, column);
  const { firstFrom, firstTo, secondFrom, secondTo } = block;
  if (player === work.first[0]?.player) {
    const passes = (place: number): boolean =>
      goesLeft(forest, node, valueIn(work, work.first[place], column));
    const middle = partition(work.firstOrder, firstFrom, firstTo, passes);
    addNode(work, forest, left, { ...block, firstTo: middle });
    addNode(work, forest, right, { ...block, firstFrom: middle });
  } else if (player === work.second[0]?.player) {
    const passes = (place: number): boolean =>
      goesLeft(forest, node, valueIn(work, work.second[place], column));
    const middle = partition(work.secondOrder, secondFrom, secondTo, passes);
    addNode(work, forest, left, { ...block, secondTo: middle });
    addNode(work, forest, right, { ...block, secondFrom: middle });
  } else addNode(work, forest, goesLeft(forest, node, f32(work.input, column)) ? left : right, block);
}

/** Moves those that pass to the front of a stretch; returns where the others begin. */
function partition(order: Int32Array, from: number, to: number, passes: (place: number) => boolean): number {
  let middle = from;
  for (let at = from; at < to; at += 1) {
    const place = i32(order, at);
    if (!passes(place)) continue;
    order[at] = i32(order, middle);
    order[middle] = place;
    middle += 1;
  }
  return middle;
}

function addLeaf({ grid, firstOrder, secondOrder }: GridWork, value: number, block: Block): void {
  const { firstFrom, firstTo, secondFrom, secondTo } = block;
  const width = secondOrder.length;
  const allFirst = firstTo - firstFrom === firstOrder.length;
  const allSecond = secondTo - secondFrom === width;
  if (allFirst && allSecond) grid.rest += value;
  else if (allSecond)
    for (let a = firstFrom; a < firstTo; a += 1) addTo(grid.firsts, i32(firstOrder, a), value);
  else if (allFirst)
    for (let b = secondFrom; b < secondTo; b += 1) addTo(grid.seconds, i32(secondOrder, b), value);
  else {
    for (let a = firstFrom; a < firstTo; a += 1) {
      const start = i32(firstOrder, a) * width;
      for (let b = secondFrom; b < secondTo; b += 1) addTo(grid.pairs, start + i32(secondOrder, b), value);
    }
  }
}
