import { f64 } from '../numeric/typed.js';

/** Most players on one path; trees are at most 60 deep. */
const MOST = 64;

/** (p - 1)! q! / (p + q)! at `p * MOST + q`, which is 1 / (p C(p + q, p)). */
const SHARE = new Float64Array(MOST * MOST);

for (let p = 1; p < MOST; p += 1) {
  SHARE[p * MOST] = 1 / p;
  for (let q = 1; q < MOST; q += 1) SHARE[p * MOST + q] = (f64(SHARE, p * MOST + q - 1) * q) / (p + q);
}

/**
 * What each of p players is owed in the game that is worth 1 to coalitions with all of them and none of q others:
 * (p - 1)! q! / (p + q)!. Each of the others is owed minus `share(q, p)`.
 */
export function share(p: number, q: number): number {
  return f64(SHARE, p * MOST + q);
}

/** The Shapley interaction index of two of the p players of that game; two of the q others: `sharePair(q, p)`. */
export function sharePair(p: number, q: number): number {
  return share(p - 1, q);
}

/** The interaction index of one of the p players with one of the q others; it is never positive. */
export function shareCross(p: number, q: number): number {
  return -share(p, q - 1);
}
