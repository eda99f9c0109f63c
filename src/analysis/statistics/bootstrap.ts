import { f64 } from '../numeric/typed.js';
import { CONFIDENCE } from './estimate.js';
import type { RandomStream } from './random.js';

const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

/**
 * Counts drawn anew with the same total: one multinomial replicate, at a cost that does not depend on the total. What
 * is drawn has the chances of `weights`, by default of the counts themselves.
 */
export function resampleCounts(
  counts: readonly number[],
  stream: RandomStream,
  weights: readonly number[] = counts,
): number[] {
  let left = sumOf(counts);
  let weight = sumOf(weights);
  return weights.map((own) => {
    const drawn = weight <= 0 ? 0 : stream.binomial(left, Math.min(1, own / weight));
    left -= drawn;
    weight -= own;
    return drawn;
  });
}

/**
 * Chances for a group of which all rows or none count: half a row on each side. Drawn from what was seen alone, it
 * would come out the same every time, as if no other outcome were possible.
 */
export const neverCertain = (counts: readonly number[]): readonly number[] =>
  counts.includes(0) ? counts.map((count) => count + 0.5) : counts;

export interface BootstrapInterval {
  readonly low: number;
  readonly high: number;
  /** Mean of the replicates minus the statistic: how far it leans because of sampling alone. */
  readonly bias: number;
  /** Replicates in which the statistic was defined. */
  readonly replicates: number;
}

/**
 * Percentile interval of a statistic of several groups of counts, each group resampled by itself. The statistic
 * returns null where it is undefined; null when fewer than half of the replicates define it.
 */
export function bootstrapCounts(
  groups: readonly (readonly number[])[],
  statistic: (groups: readonly (readonly number[])[]) => number | null,
  stream: RandomStream,
  options: {
    replicates?: number;
    confidence?: number;
    chances?: (counts: readonly number[]) => readonly number[];
  } = {},
): BootstrapInterval | null {
  const { replicates = 2000, confidence = CONFIDENCE, chances = (counts) => counts } = options;
  const observed = statistic(groups);
  if (observed === null) return null;
  const weights = groups.map(chances);
  const values: number[] = [];
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const value = statistic(groups.map((counts, index) => resampleCounts(counts, stream, weights[index])));
    if (value !== null) values.push(value);
  }
  if (values.length < replicates / 2) return null;
  values.sort((a, b) => a - b);
  const bias = values.reduce((sum, value) => sum + value, 0) / values.length - observed;
  const tail = (1 - confidence) / 2;
  return {
    low: quantileOf(values, tail),
    high: quantileOf(values, 1 - tail),
    bias,
    replicates: values.length,
  };
}

/** Quantile of sorted values, linear between neighbours; NaN of none. */
export function quantileOf(sorted: ArrayLike<number>, p: number): number {
  const at = Math.min(Math.max(p, 0), 1) * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

/** Draws one multinomial replicate of `width` cells from `from` into `to`, both starting at `start`. */
function redraw(
  from: { readonly weights: Float64Array; readonly totals: Float64Array },
  to: Float64Array,
  [group, width]: readonly [number, number],
  stream: RandomStream,
): void {
  const start = group * width;
  let weight = 0;
  for (let cell = start; cell < start + width; cell += 1) weight += f64(from.weights, cell);
  let left = f64(from.totals, group);
  for (let cell = start; cell < start + width; cell += 1) {
    const own = f64(from.weights, cell);
    const drawn = weight <= 0 || left === 0 ? 0 : stream.binomial(left, Math.min(1, own / weight));
    to[cell] = drawn;
    left -= drawn;
    weight -= own;
  }
}

/** Several statistics of the same counts. */
export interface CountStatistics {
  /** How many there are. */
  readonly count: number;
  /** Writes them, NaN where undefined. `cells` holds the counts of the groups one after the other. */
  readonly evaluate: (cells: Float64Array, out: Float64Array) => void;
}

/**
 * Percentile intervals of several statistics of several groups of counts at once: every replicate draws each group
 * anew (multinomial, its own total), so that the cost depends on the number of groups and not of rows.
 * `groups` all have the same number of cells. An interval is null where fewer than half of the replicates define it.
 */
export function bootstrapStatistics(
  groups: readonly (readonly number[])[],
  statistics: CountStatistics,
  stream: RandomStream,
  options: { replicates?: number; confidence?: number } = {},
): (BootstrapInterval | null)[] {
  const { replicates = 2000, confidence = CONFIDENCE } = options;
  const width = groups[0]?.length ?? 0;
  const weights = Float64Array.from(groups.flatMap(neverCertain));
  const totals = Float64Array.from(groups, sumOf);
  const cells = Float64Array.from(groups.flat());
  const observed = new Float64Array(statistics.count);
  const out = new Float64Array(statistics.count);
  statistics.evaluate(cells, observed);
  const values = Array.from({ length: statistics.count }, () => new Float64Array(replicates));
  const defined = new Uint32Array(statistics.count);
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    for (let group = 0; group < groups.length; group += 1)
      redraw({ weights, totals }, cells, [group, width], stream);
    statistics.evaluate(cells, out);
    values.forEach((list, index) => {
      const value = f64(out, index);
      if (!Number.isNaN(value)) list[(defined[index] = (defined[index] ?? 0) + 1) - 1] = value;
    });
  }
  return values.map((list, index) =>
    intervalOf(list.subarray(0, defined[index]), f64(observed, index), replicates, confidence),
  );
}

function intervalOf(
  values: Float64Array,
  observed: number,
  replicates: number,
  confidence: number,
): BootstrapInterval | null {
  if (Number.isNaN(observed) || values.length < replicates / 2 || values.length === 0) return null;
  values.sort();
  const bias = values.reduce((sum, value) => sum + value, 0) / values.length - observed;
  const tail = (1 - confidence) / 2;
  const [low, high] = [quantileOf(values, tail), quantileOf(values, 1 - tail)];
  return { low, high, bias, replicates: values.length };
}
