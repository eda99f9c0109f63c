import { f64 } from '../numeric/typed.js';
import { type Member, sigmoid } from './member.js';

/** Greatest difference to a runtime that calculates in single precision, relative to values above one. */
export const READING_TOLERANCE = 1e-5;

/** How another runtime reads a file differently. */
export interface ReadingDifference {
  /** What is read differently: `missing values`, `post transform`, `thresholds` or `leaf values`. */
  readonly semantic: 'missing values' | 'post transform' | 'thresholds' | 'leaf values';
  /** The probe row that differs most, and by how much. */
  readonly row: number;
  readonly gap: number;
  /** Probe rows that differ. */
  readonly rows: number;
}

/**
 * Compares our reading of a member with what another runtime said of the same probe rows (see probeRows: the first
 * `backgroundRows` are the background, the others sit on and beside thresholds). Null when the two agree.
 */
export function compareReadings(
  member: Member,
  probes: Float32Array,
  theirs: Float64Array,
  backgroundRows: number,
): ReadingDifference | null {
  const rows = theirs.length;
  const ours = member.predict(probes, rows);
  const differs = (row: number, value: number): boolean =>
    !(Math.abs(value - f64(theirs, row)) <= READING_TOLERANCE * Math.max(1, Math.abs(value)));
  const wrong = Array.from(ours.keys()).filter((row) => differs(row, f64(ours, row)));
  if (wrong.length === 0) return null;
  const gapOf = (row: number): number => Math.abs(f64(ours, row) - f64(theirs, row));
  // What is no number is as far away as can be.
  const distance = (row: number): number =>
    Number.isNaN(gapOf(row)) ? Number.POSITIVE_INFINITY : gapOf(row);
  const worst = wrong.reduce((most, row) => (distance(row) > distance(most) ? row : most));
  const margins = member.margins(probes, rows);
  const other = margins.map((margin) => (member.link === 'logistic' ? margin : sigmoid(margin)));
  const isTransform = margins.every((_, row) => !differs(row, f64(other, row)));
  const holdsMissing = (row: number): boolean =>
    probes.subarray(row * member.width, (row + 1) * member.width).some(Number.isNaN);
  return {
    semantic: semanticOf(wrong, isTransform, holdsMissing, backgroundRows),
    row: worst,
    gap: distance(worst),
    rows: wrong.length,
  };
}

function semanticOf(
  wrong: readonly number[],
  isTransform: boolean,
  holdsMissing: (row: number) => boolean,
  backgroundRows: number,
): ReadingDifference['semantic'] {
  if (isTransform) return 'post transform';
  if (wrong.every(holdsMissing)) return 'missing values';
  return wrong.every((row) => row >= backgroundRows) ? 'thresholds' : 'leaf values';
}
