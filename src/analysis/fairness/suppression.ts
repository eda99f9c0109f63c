import type { GroupCounts } from './counts.js';
import { LARGEST_HIDDEN } from './reportable.js';

/** Counts of a group as they may be shown; null where a count is hidden. */
export interface ShownCounts {
  readonly n: number | null;
  readonly truePositives: number | null;
  readonly falsePositives: number | null;
  readonly falseNegatives: number | null;
  readonly trueNegatives: number | null;
}

/**
 * Hides counts from 1 to 10, and as many others as it takes that no hidden count follows from a total of its
 * group (cells add up to n) or of its column (groups add up to the whole), nor from several of them together.
 */
export function suppressSmallCells(groups: readonly GroupCounts[]): ShownCounts[] {
  const table = groups.map(({ n, cells, selected }) =>
    cells === null
      ? [n, selected, n - selected]
      : [n, cells.truePositives, cells.falsePositives, cells.falseNegatives, cells.trueNegatives],
  );
  const hidden = table.map((row) => row.map((count) => count >= 1 && count <= LARGEST_HIDDEN));
  // Every round hides at least one more cell, so the rounds end.
  while (hideOneMore(table, hidden) || coverOneBridge(table, hidden));
  return groups.map(({ cells }, row) => {
    const shown = (column: number): number | null =>
      hidden[row]?.[column] === false ? (table[row]?.[column] ?? null) : null;
    const cell = (column: number): number | null => (cells === null ? null : shown(column));
    return {
      n: shown(0),
      truePositives: cell(1),
      falsePositives: cell(2),
      falseNegatives: cell(3),
      trueNegatives: cell(4),
    };
  });
}

type Place = readonly [row: number, column: number];

/** Finds a line of the table with exactly one hidden count and hides its smallest other one. */
function hideOneMore(table: readonly (readonly number[])[], hidden: boolean[][]): boolean {
  for (const line of linesOf(table)) {
    const open = line.filter(([row, column]) => hidden[row]?.[column] === false);
    if (open.length !== line.length - 1 || open.length === 0) continue;
    const value = ([row, column]: Place): number => table[row]?.[column] ?? 0;
    const [smallest] = open.toSorted((a, b) => value(a) - value(b) || b[1] - a[1]);
    const flags = smallest === undefined ? undefined : hidden[smallest[0]];
    if (smallest === undefined || flags === undefined) continue;
    flags[smallest[1]] = true;
    return true;
  }
  return false;
}

/**
 * Every total gives one equation over the hidden counts of its line, and every hidden count stands in one row and one
 * column. So it is known exactly when, in the graph of rows and columns with hidden counts as edges, it is a bridge:
 * then the equations of one side, added up, leave it alone. Finds a bridge and hides one more count beside it.
 */
function coverOneBridge(table: readonly (readonly number[])[], hidden: boolean[][]): boolean {
  if (table.length < 2) return false;
  const places = hidden.flatMap((row, index) =>
    row.flatMap((is, column): Place[] => (is ? [[index, column]] : [])),
  );
  const bridge = findBridge(places);
  if (bridge === undefined) return false;
  const beside = linesOf(table)
    .filter((line) => line.some(([row, column]) => row === bridge[0] && column === bridge[1]))
    .flat();
  const value = ([row, column]: Place): number => table[row]?.[column] ?? 0;
  const [smallest] = beside
    .filter(([row, column]) => hidden[row]?.[column] === false)
    .toSorted((a, b) => value(a) - value(b) || b[1] - a[1]);
  const flags = smallest === undefined ? undefined : hidden[smallest[0]];
  if (smallest === undefined || flags === undefined) return false;
  flags[smallest[1]] = true;
  return true;
}

/** A place that is the only way between two parts of the graph (Tarjan's low links); there are few columns, so it is shallow. */
function findBridge(places: readonly Place[]): Place | undefined {
  // Rows are even nodes, columns odd ones.
  const beside = new Map<number, { readonly place: Place; readonly to: number }[]>();
  const add = (from: number, to: number, place: Place): void => {
    const list = beside.get(from);
    if (list === undefined) beside.set(from, [{ place, to }]);
    else list.push({ place, to });
  };
  for (const place of places) {
    add(2 * place[0], 2 * place[1] + 1, place);
    add(2 * place[1] + 1, 2 * place[0], place);
  }
  const order = new Map<number, number>();
  let bridge: Place | undefined;
  /** Earliest node that can be reached from here without the way that led here. */
  const visit = (node: number, by: Place | null): number => {
    const own = order.size;
    order.set(node, own);
    let low = own;
    for (const { place, to } of beside.get(node) ?? []) {
      if (place === by) continue;
      const known = order.get(to);
      const reached = known ?? visit(to, place);
      if (known === undefined && reached > own) bridge = place;
      low = Math.min(low, reached);
    }
    return low;
  };
  for (const node of beside.keys()) if (!order.has(node)) visit(node, null);
  return bridge;
}

function linesOf(table: readonly (readonly number[])[]): Place[][] {
  const rows = table.map((cells, row) => cells.map((_, column): Place => [row, column]));
  const columns = (table[0] ?? []).map((_, column) => table.map((_cells, row): Place => [row, column]));
  return [...rows, ...columns];
}
