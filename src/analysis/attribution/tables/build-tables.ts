import { addTo, f32, f64, i32 } from '../../numeric/typed.js';
import { goesLeft, type VectorForest } from '../../trees/forest.js';
import type { Building, Workspace } from '../kernels/workspace.js';
import { columnCount, fillInterventional, fillPathDependent, pairColumn } from './leaf-tables.js';
import { type Reference, shareOf } from './reference.js';
import { MOST_TABLE_SLOTS, type SuperLeaf, type TreeProgram } from './tree-program.js';

/** What "not known" means: a background row in its place, or the shares of a reference along the path. */
export type Against =
  | { readonly kind: 'interventional'; readonly background: Reference }
  | { readonly kind: 'path-dependent'; readonly cover: Float64Array };

/** Everything that building needs; reused from tree to tree. */
export interface TableBuilder {
  readonly forest: VectorForest;
  readonly owner: Int32Array;
  readonly against: Against;
  readonly interactions: boolean;
  /** Masks of the background rows, one list per level of the tree. */
  readonly levels: Int32Array[];
  readonly counts: Float64Array;
  readonly masks: Int32Array;
  readonly shares: Float64Array;
  readonly kept: Float64Array;
}

/** A builder with its buffers. */
export function createBuilder(
  forest: VectorForest,
  owner: Int32Array,
  against: Against,
  interactions: boolean,
): TableBuilder {
  const rows = against.kind === 'interventional' ? against.background.rows : 0;
  return {
    forest,
    owner,
    against,
    interactions,
    levels: [new Int32Array(rows).fill(-1)],
    counts: new Float64Array(2 ** MOST_TABLE_SLOTS),
    masks: new Int32Array(rows),
    shares: new Float64Array(rows),
    kept: new Float64Array(MOST_TABLE_SLOTS),
  };
}

/** A split on the way from a super-leaf down to a leaf. */
interface Turn {
  /** Which bit of the index is that of the split. */
  readonly bit: number;
  readonly isLeft: boolean;
  readonly slot: number;
}

interface Place {
  readonly node: number;
  readonly level: number;
  /** Players on the path, by slot. */
  readonly players: readonly number[];
  readonly kept: readonly number[];
  readonly within: SuperLeaf | null;
  readonly turns: readonly Turn[];
}

/** Where the tables of one tree go. */
interface Site {
  readonly building: Building;
  /** First entry of the tree's tables. */
  readonly offset: number;
}

/** Writes the tables of a tree, `program.length` entries, at `offset` of the workspace's tables. */
export function buildTables(
  builder: TableBuilder,
  program: TreeProgram,
  workspace: Workspace,
  { offset, thread }: { readonly offset: number; readonly thread: number },
): void {
  workspace.tables.fill(0, offset, offset + program.length);
  const site = { building: workspace.building(thread), offset };
  const byNode = new Map(program.superLeaves.map((superLeaf) => [superLeaf.node, superLeaf] as const));
  const visit = (place: Place): void => {
    const within = place.within ?? byNode.get(place.node) ?? null;
    const here = { ...place, within };
    if (i32(builder.forest.feature, place.node) < 0) addLeaf(builder, here, site);
    else for (const isLeft of [true, false]) visit(step(builder, here, isLeft));
  };
  visit({ node: program.root, level: 0, players: [], kept: [], within: null, turns: [] });
}

function step(builder: TableBuilder, place: Place, isLeft: boolean): Place {
  const { forest, owner, against } = builder;
  const { node, level, within } = place;
  const player = i32(owner, i32(forest.feature, node));
  const known = place.players.indexOf(player);
  const slot = known < 0 ? place.players.length : known;
  const child = isLeft ? i32(forest.left, node) : i32(forest.right, node);
  const kept = [...place.kept];
  if (against.kind === 'interventional') narrow(builder, against.background, { node, level, slot, isLeft });
  else kept[slot] = (kept[slot] ?? 1) * shareOf(against.cover, node, child);
  return {
    node: child,
    level: level + 1,
    players: known < 0 ? [...place.players, player] : place.players,
    kept,
    within,
    turns: within === null ? [] : [...place.turns, { bit: within.splits.indexOf(node), isLeft, slot }],
  };
}

interface Edge {
  readonly node: number;
  readonly level: number;
  readonly slot: number;
  readonly isLeft: boolean;
}

/** Masks of the background rows one level further down: those that go elsewhere lose the bit of the player. */
function narrow(builder: TableBuilder, background: Reference, { node, level, slot, isLeft }: Edge): void {
  const { forest, levels } = builder;
  const from = levels[level] ?? new Int32Array(0);
  const to = (levels[level + 1] ??= new Int32Array(background.rows));
  const column = i32(forest.feature, node);
  const without = ~(1 << slot);
  for (let row = 0; row < background.rows; row += 1) {
    const stays = goesLeft(forest, node, f32(background.matrix, row * forest.width + column)) === isLeft;
    to[row] = stays ? i32(from, row) : i32(from, row) & without;
  }
}

function addLeaf(builder: TableBuilder, place: Place, { building, offset }: Site): void {
  const { within, players, node } = place;
  const d = players.length;
  const { outputs, values } = builder.forest;
  if (within === null || d === 0) return;
  fillLeaf(builder, place, building.leaf);
  fillPlaces(building.places, within, place.turns, d);
  const wide = columnCount(within.players.length, builder.interactions);
  const targets = targetColumns(players, within.players, builder.interactions);
  for (let output = 0; output < outputs; output += 1) {
    const value = f64(values, node * outputs + output);
    if (value === 0) continue;
    targets.forEach((target, column) => {
      const at = offset + within.offset + (output * wide + target) * within.size;
      building.spread(column * 2 ** d, value, at, within.size);
    });
  }
}

function fillLeaf(builder: TableBuilder, place: Place, leaf: Float64Array): void {
  const { against, interactions, kept } = builder;
  const d = place.players.length;
  if (against.kind === 'path-dependent') {
    kept.set(place.kept);
    fillPathDependent(d, kept, leaf, interactions);
    return;
  }
  const count = countMasks(builder, against.background.rows, place.level, 2 ** d - 1);
  fillInterventional(d, { count, masks: builder.masks, shares: builder.shares }, leaf, interactions);
}

/** The distinct masks at a leaf with the share of the background that has each. */
function countMasks(builder: TableBuilder, rows: number, level: number, full: number): number {
  const { counts, masks, shares } = builder;
  const list = builder.levels[level] ?? new Int32Array(0);
  let count = 0;
  for (let row = 0; row < rows; row += 1) {
    const mask = i32(list, row) & full;
    if (f64(counts, mask) === 0) {
      masks[count] = mask;
      count += 1;
    }
    addTo(counts, mask, 1);
  }
  for (let k = 0; k < count; k += 1) {
    shares[k] = f64(counts, i32(masks, k)) / rows;
    counts[i32(masks, k)] = 0;
  }
  return count;
}

/** For every index of the super-leaf's tables the mask of the leaf's players that it means. */
function fillPlaces(places: Int32Array, within: SuperLeaf, turns: readonly Turn[], d: number): void {
  places[0] = 2 ** d - 1;
  let size = 1;
  const widen = (whenSet: number, whenClear: number): void => {
    for (let index = 0; index < size; index += 1) {
      const mask = i32(places, index);
      places[size + index] = mask & whenSet;
      places[index] = mask & whenClear;
    }
    size *= 2;
  };
  for (let bit = 0; bit < within.splits.length; bit += 1) {
    const turn = turns.find((one) => one.bit === bit);
    const without = turn === undefined ? -1 : ~(1 << turn.slot);
    widen(turn?.isLeft === false ? without : -1, turn?.isLeft === true ? without : -1);
  }
  for (let slot = 0; slot < within.above.length; slot += 1) widen(-1, ~(1 << slot));
}

/** The columns of the super-leaf that those of the leaf add to. */
function targetColumns(leaf: readonly number[], wide: readonly number[], interactions: boolean): number[] {
  const place = leaf.map((player) => wide.indexOf(player));
  if (!interactions) return place;
  const pairs: number[] = [];
  place.forEach((second, j) => {
    for (const first of place.slice(0, j))
      pairs.push(pairColumn(wide.length, Math.min(first, second), Math.max(first, second)));
  });
  return [...place, ...pairs];
}
