import { AnalysisInputError } from '../errors.js';
import { f64, u8 } from '../numeric/typed.js';
import { type Estimate, unknown } from '../statistics/estimate.js';
import { meanEstimate, momentsOf } from '../statistics/mean.js';

/** Rows by their features, row-major: `rows` times `columns` finite numbers, already scaled as distances need. */
export interface FeatureTable {
  readonly columns: number;
  readonly values: Float64Array;
}

/** All pairs are compared, so the number of rows is limited; draw a sample of more. */
const MOST_ROWS = 20_000;

/**
 * Consistency (Zemel and others, 2013, "Learning fair representations"): one minus the mean distance between the
 * decision on a row and the mean decision on its k nearest rows, itself among them, by Euclidean distance. Rows that tie for the
 * last place share it, so that the number does not depend on the order of the rows. O(rows^2 columns).
 * The interval takes rows as independent, which neighbours are not: read it as a lower limit of the uncertainty.
 * @throws AnalysisInputError for shapes that do not fit, values that are not finite, and more than 20,000 rows.
 */
export function consistency(table: FeatureTable, selected: Uint8Array, neighbours = 5): Estimate {
  const n = selected.length;
  checkTable(table, selected);
  if (!Number.isInteger(neighbours) || neighbours < 1) {
    throw new AnalysisInputError('The number of neighbours must be a positive whole number.');
  }
  if (n < Math.max(2, neighbours)) return unknown(n, 'There are fewer rows than neighbours.');
  const distances = new Float64Array(n);
  const sorted = new Float64Array(n);
  const agreements = new Float64Array(n);
  for (let row = 0; row < n; row += 1) {
    distancesFrom(table, row, distances);
    sorted.set(distances);
    agreements[row] =
      1 - Math.abs(u8(selected, row) - meanOfNearest(distances, sorted, selected, neighbours));
  }
  return meanEstimate(momentsOf(agreements));
}

function distancesFrom({ columns, values }: FeatureTable, row: number, out: Float64Array): void {
  for (let other = 0; other < out.length; other += 1) {
    let sum = 0;
    for (let column = 0; column < columns; column += 1) {
      const gap = f64(values, row * columns + column) - f64(values, other * columns + column);
      sum += gap * gap;
    }
    out[other] = sum;
  }
}

function meanOfNearest(
  distances: Float64Array,
  sorted: Float64Array,
  selected: Uint8Array,
  neighbours: number,
): number {
  const limit = f64(sorted.sort(), neighbours - 1);
  let [nearer, chosenNearer, tied, chosenTied] = [0, 0, 0, 0];
  for (let row = 0; row < distances.length; row += 1) {
    const distance = f64(distances, row);
    if (distance > limit) continue;
    if (distance < limit) {
      nearer += 1;
      chosenNearer += u8(selected, row);
    } else {
      tied += 1;
      chosenTied += u8(selected, row);
    }
  }
  return (chosenNearer + ((neighbours - nearer) * chosenTied) / tied) / neighbours;
}

function checkTable({ columns, values }: FeatureTable, selected: Uint8Array): void {
  if (!Number.isInteger(columns) || columns < 1 || values.length !== columns * selected.length) {
    throw new AnalysisInputError('The features do not have one row for each decision.');
  }
  if (selected.length > MOST_ROWS) {
    throw new AnalysisInputError(`At most ${String(MOST_ROWS)} rows can be compared with each other.`);
  }
  if (!values.every(Number.isFinite)) throw new AnalysisInputError('A feature is not a finite number.');
  if (selected.some((value) => value > 1)) throw new AnalysisInputError('Decisions are 0 or 1.');
}
