import type { ColumnGroup } from '../ensemble/ensemble.js';
import { columnOwners } from '../ensemble/ensemble.js';
import { f32, f64, i32 } from '../numeric/typed.js';
import { goesLeft, type VectorForest } from '../trees/forest.js';
import { vectorMargins } from '../trees/margins.js';

/** The worth of a coalition, a mask of players, per output. */
export type Worth = (mask: number) => readonly number[];

/** Background rows in place of what is not known. */
export function interventionalWorth(
  forest: VectorForest,
  groups: readonly ColumnGroup[],
  row: Float32Array,
  background: Float32Array,
): Worth {
  const rows = background.length / forest.width;
  return (mask) => {
    const mixed = Float32Array.from(background);
    groups.forEach(({ columns: [start, length] }, player) => {
      if ((mask & (1 << player)) === 0) return;
      for (let at = 0; at < rows; at += 1)
        mixed.set(row.subarray(start, start + length), at * forest.width + start);
    });
    const margins = vectorMargins(forest, mixed, rows);
    return Array.from({ length: forest.outputs }, (_, output) =>
      margins
        .filter((_value, at) => at % forest.outputs === output)
        .reduce((sum, value) => sum + value / rows, 0),
    );
  };
}

/** Follows the row at the splits of known players, averages by cover elsewhere. */
export function pathDependentWorth(
  forest: VectorForest,
  groups: readonly ColumnGroup[],
  row: Float32Array,
  cover: Float64Array,
): Worth {
  const owner = columnOwners(groups, forest.width);
  return (mask) => {
    const visit = (node: number): number[] => {
      const feature = i32(forest.feature, node);
      if (feature < 0) return [...forest.values.subarray(node * forest.outputs, (node + 1) * forest.outputs)];
      const [left, right] = [i32(forest.left, node), i32(forest.right, node)];
      if ((mask & (1 << i32(owner, feature))) !== 0)
        return visit(goesLeft(forest, node, f32(row, feature)) ? left : right);
      const whole = f64(cover, node);
      const share = whole === 0 ? 0.5 : f64(cover, left) / whole;
      const [ofLeft, ofRight] = [visit(left), visit(right)];
      return ofLeft.map((value, output) => share * value + (1 - share) * (ofRight[output] ?? 0));
    };
    const total = [...forest.bases];
    for (const root of forest.roots)
      visit(root).forEach((value, output) => (total[output] = (total[output] ?? 0) + value));
    return total;
  };
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
const sizeOf = (mask: number): number => mask.toString(2).replaceAll('0', '').length;

/** Shapley values by their definition, `outputs * players`. */
export function shapleyOf(worth: Worth, players: number): number[] {
  const worths = Array.from({ length: 2 ** players }, (_, mask) => worth(mask));
  const outputs = worths[0]?.length ?? 0;
  return Array.from({ length: outputs * players }, (_, at) => {
    const [output, bit] = [Math.floor(at / players), 1 << (at % players)];
    let sum = 0;
    worths.forEach((values, mask) => {
      if ((mask & bit) !== 0) return;
      const weight = (factorial(sizeOf(mask)) * factorial(players - sizeOf(mask) - 1)) / factorial(players);
      sum += weight * ((worths[mask | bit]?.[output] ?? Number.NaN) - (values[output] ?? Number.NaN));
    });
    return sum;
  });
}

/** Shapley interaction index of two players in the first output. */
export function interactionOf(worth: Worth, players: number, i: number, j: number): number {
  const value = (mask: number): number => worth(mask)[0] ?? Number.NaN;
  const both = (1 << i) | (1 << j);
  let sum = 0;
  for (let mask = 0; mask < 2 ** players; mask += 1) {
    if ((mask & both) !== 0) continue;
    const weight = (factorial(sizeOf(mask)) * factorial(players - sizeOf(mask) - 2)) / factorial(players - 1);
    sum += weight * (value(mask | both) - value(mask | (1 << i)) - value(mask | (1 << j)) + value(mask));
  }
  return sum;
}
