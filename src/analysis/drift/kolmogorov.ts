import { AnalysisInputError } from '../errors.js';
import { f64 } from '../numeric/typed.js';
import { alongBoth, checkNumbers } from './empirical.js';

/** The Kolmogorov-Smirnov statistic, or the reason why there is none. */
export type Kolmogorov =
  | {
      /** The largest distance of the two distribution functions; on bins at least this. */
      readonly value: number;
      /** At most this: equal to `value` where it was taken from the values themselves. */
      readonly high: number;
      readonly pValue: number;
      readonly method: 'exact' | 'asymptotic';
      readonly reason: null;
    }
  | { readonly value: null; readonly reason: string };

const NO_ROWS = 'One of the two samples has no numbers.';
/** Cells of the path count, beyond which the asymptotic p-value is taken. */
const MOST_CELLS = 1_000_000;

/** The two-sample statistic from the values: sup |F - G|, ties counted on both sides. O(n log n). */
export function kolmogorovSmirnov(reference: Float64Array, current: Float64Array): Kolmogorov {
  checkNumbers(reference, current);
  const [n, m] = [reference.length, current.length];
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  // In units of 1 / (n m), where it is a whole number.
  let widest = 0;
  alongBoth(reference.toSorted(), current.toSorted(), (_, i, j) => {
    widest = Math.max(widest, Math.abs(i * m - j * n));
  });
  const value = widest / (n * m);
  const isExact = n * m <= MOST_CELLS;
  return {
    value,
    high: value,
    pValue: isExact ? exactPValue(widest, n, m) : asymptoticPValue(value, n, m),
    method: isExact ? 'exact' : 'asymptotic',
    reason: null,
  };
}

/**
 * P(D >= d) of two samples without ties, by counting lattice paths (Hodges 1957): all orders of the two samples are
 * equally likely, and a path that reaches |i m - j n| >= widest shows at least d.
 */
function exactPValue(widest: number, n: number, m: number): number {
  const inside = new Float64Array(m + 1);
  for (let i = 0; i <= n; i += 1) {
    for (let j = 0; j <= m; j += 1) {
      if (Math.abs(i * m - j * n) >= widest && i + j > 0) inside[j] = 0;
      else if (i + j === 0) inside[j] = 1;
      else {
        const fromLeft = i === 0 ? 0 : (i / (i + j)) * f64(inside, j);
        const fromBelow = j === 0 ? 0 : (j / (i + j)) * f64(inside, j - 1);
        inside[j] = fromLeft + fromBelow;
      }
    }
  }
  return widest === 0 ? 1 : Math.min(1, Math.max(0, 1 - f64(inside, m)));
}

/** 2 Σ (-1)^(k-1) exp(-2 k² λ²) with Stephens' λ = (√N + 0.12 + 0.11 / √N) D, N = n m / (n + m). */
export function asymptoticPValue(value: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m));
  const lambda = (root + 0.12 + 0.11 / root) * value;
  if (lambda < 0.2) return 1;
  let total = 0;
  for (let k = 1; k <= 100; k += 1) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    total += k % 2 === 1 ? term : -term;
    if (term < 1e-17) break;
  }
  return Math.min(1, Math.max(0, 2 * total));
}

/**
 * The statistic from counts on the same frozen edges. Both distribution functions are known at the edges, so the
 * largest distance there is a lower bound; inside a bin it cannot exceed F(right) - G(left) or G(right) - F(left).
 * The p-value is that of the lower bound: never too small.
 */
export function kolmogorovOnBins(reference: readonly number[], current: readonly number[]): Kolmogorov {
  if (reference.length !== current.length) throw new AnalysisInputError('The two samples have other bins.');
  const n = reference.reduce((sum, count) => sum + count, 0);
  const m = current.reduce((sum, count) => sum + count, 0);
  if (n === 0 || m === 0) return { value: null, reason: NO_ROWS };
  let [f, g, value, high] = [0, 0, 0, 0];
  reference.forEach((count, bin) => {
    const right = { f: f + count / n, g: g + (current[bin] ?? 0) / m };
    value = Math.max(value, Math.abs(right.f - right.g));
    high = Math.max(high, right.f - g, right.g - f);
    f = right.f;
    g = right.g;
  });
  return {
    value,
    high: Math.max(value, Math.min(1, high)),
    pValue: asymptoticPValue(value, n, m),
    method: 'asymptotic',
    reason: null,
  };
}
