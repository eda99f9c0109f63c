import type { Test } from '../statistics/proportions.js';
import { checkCounts, type DriftCounts, type FrozenBins } from './baseline.js';
import { rowsOf } from './counts.js';
import {
  chiSquareTwoSamples,
  hellinger,
  jensenShannon,
  populationStability,
  type Distance,
  type Stability,
} from './distances.js';
import { kolmogorovOnBins, type Kolmogorov } from './kolmogorov.js';
import { wassersteinOnBins, type BoundedDistance } from './wasserstein.js';

/** How far a column has moved from its baseline, by every measure that applies. */
export interface ColumnDrift {
  readonly referenceRows: number;
  readonly rows: number;
  readonly missingBefore: number;
  readonly missing: number;
  /** Rows in bins that the baseline never had: out of its range, or names it does not list. */
  readonly unseen: number;
  /** Over all bins, rows without a value being one. */
  readonly psi: Stability;
  /** Base e, rows without a value being one bin. */
  readonly jensenShannon: Distance;
  readonly hellinger: Distance;
  readonly chiSquare: Test;
  /** Numbers only, those that are missing left out. */
  readonly kolmogorov: Kolmogorov;
  /** Numbers only, those that are missing left out; in the unit of the column. */
  readonly wasserstein: BoundedDistance;
}

const NAMES = 'The values are names, which have no order.';

/** Compares counts on the same frozen bins. No sample at all gives null with the reason, never zero. */
export function columnDrift(bins: FrozenBins, reference: DriftCounts, current: DriftCounts): ColumnDrift {
  checkCounts(bins, reference);
  checkCounts(bins, current);
  const before = [...reference.bins, reference.missing];
  const now = [...current.bins, current.missing];
  const isNumeric = bins.kind === 'NUMERIC';
  return {
    referenceRows: rowsOf(reference),
    rows: rowsOf(current),
    missingBefore: reference.missing,
    missing: current.missing,
    unseen: current.bins.reduce(
      (sum, count, bin) => ((reference.bins[bin] ?? 0) === 0 ? sum + count : sum),
      0,
    ),
    psi: populationStability(before, now),
    jensenShannon: jensenShannon(before, now),
    hellinger: hellinger(before, now),
    chiSquare: chiSquareTwoSamples(before, now, isNumeric),
    kolmogorov: isNumeric ? kolmogorovOnBins(reference.bins, current.bins) : { value: null, reason: NAMES },
    wasserstein: isNumeric ? wassersteinOnBins(bins, reference, current) : { value: null, reason: NAMES },
  };
}
