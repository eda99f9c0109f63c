import { AnalysisInputError } from '../errors.js';

/** What a detector of change in a stream says after each value. */
export interface StreamDetector {
  /** Takes the next value of the stream, a finite number; says whether it shows a change. */
  readonly update: (value: number) => boolean;
}

/** How ADWIN looks for a change. */
export interface AdwinOptions {
  /** Chance of a false alarm at one look. */
  readonly delta?: number;
  /** Looks once in so many values. */
  readonly clock?: number;
  /** No look before so many values. */
  readonly grace?: number;
  /** Fewest values on either side of a cut. */
  readonly shortest?: number;
}

/** ADWIN, and what its window holds. */
export interface Adwin extends StreamDetector {
  readonly window: () => { readonly n: number; readonly mean: number; readonly variance: number };
}

interface Bucket {
  readonly total: number;
  /** Sum of squared distances from the mean of the bucket. */
  readonly spread: number;
}

const MOST_BUCKETS = 5;

/** Refuses what is no finite number: one NaN would make every later answer wrong. */
export function checkValue(value: number): void {
  if (!Number.isFinite(value)) throw new AnalysisInputError('A value of the stream is not a finite number.');
}

/** Sum of squares between two parts, which joining them adds to the sum within. */
const between = (n: number, total: number, m: number, other: number): number =>
  ((n * m) / (n + m)) * (total / n - other / m) ** 2;

/** The window as rows of buckets: row k holds at most five buckets of 2^k values, the newest row first. */
class Window {
  readonly rows: Bucket[][] = [[]];
  n = 0;
  total = 0;
  spread = 0;

  add(value: number): void {
    if (this.n > 0) this.spread += between(this.n, this.total, 1, value);
    this.n += 1;
    this.total += value;
    this.rows[0]?.push({ total: value, spread: 0 });
    this.#compress();
  }

  #compress(): void {
    for (let level = 0; level < this.rows.length; level += 1) {
      const row = this.rows[level] ?? [];
      if (row.length <= MOST_BUCKETS) return;
      const [one, other] = row.splice(0, 2);
      if (!one || !other) return;
      const size = 2 ** level;
      const joined = {
        total: one.total + other.total,
        spread: one.spread + other.spread + between(size, one.total, size, other.total),
      };
      const next = this.rows[level + 1];
      if (next) next.push(joined);
      else this.rows.push([joined]);
    }
  }

  /** Forgets the oldest bucket. */
  drop(): void {
    const level = this.rows.length - 1;
    const oldest = this.rows[level]?.shift();
    if (!oldest) return;
    const size = 2 ** level;
    this.n -= size;
    this.total -= oldest.total;
    if (this.n > 0) this.spread -= oldest.spread + between(size, oldest.total, this.n, this.total);
    else this.spread = 0;
    if (this.rows[level]?.length === 0 && level > 0) this.rows.pop();
  }

  /** Every cut between buckets, the oldest first: values and sum on the older side. */
  *cuts(): Generator<{ readonly n: number; readonly total: number }> {
    let n = 0;
    let total = 0;
    for (let level = this.rows.length - 1; level >= 0; level -= 1) {
      for (const bucket of this.rows[level] ?? []) {
        n += 2 ** level;
        total += bucket.total;
        if (n < this.n) yield { n, total };
      }
    }
  }
}

/**
 * ADWIN (Bifet and Gavaldà 2007): a window that shrinks when its older and its newer part differ. A cut into n0 and n1
 * values is a change when |μ0 - μ1| > √(2 m σ² δ') + ⅔ δ' m, m = 1/(n0 - w + 1) + 1/(n1 - w + 1), δ' = ln(2 ln(n)/δ),
 * w the fewest values on a side. Memory O(log n).
 */
export function adwin(options: AdwinOptions = {}): Adwin {
  const { delta = 0.002, clock = 32, grace = 10, shortest = 5 } = options;
  if (!(delta > 0 && delta < 1)) throw new AnalysisInputError('delta lies between 0 and 1.');
  const window = new Window();
  let seen = 0;
  const isChange = (n0: number, total0: number): boolean => {
    const n1 = window.n - n0;
    if (n0 < shortest || n1 < shortest) return false;
    const gap = Math.abs(total0 / n0 - (window.total - total0) / n1);
    const level = Math.log((2 * Math.log(window.n)) / delta);
    const m = 1 / (n0 - shortest + 1) + 1 / (n1 - shortest + 1);
    const variance = window.spread / window.n;
    return gap > Math.sqrt(2 * m * variance * level) + (2 / 3) * level * m;
  };
  const shrink = (): boolean => {
    for (const { n, total } of window.cuts()) {
      if (!isChange(n, total)) continue;
      window.drop();
      return true;
    }
    return false;
  };
  const update = (value: number): boolean => {
    checkValue(value);
    window.add(value);
    seen += 1;
    if (seen % clock !== 0 || window.n <= grace) return false;
    let changed = false;
    while (shrink()) changed = true;
    return changed;
  };
  return {
    update,
    window: () => ({ n: window.n, mean: window.total / window.n, variance: window.spread / window.n }),
  };
}
