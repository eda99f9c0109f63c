/** Most players that may differ between a row and a background row: 2^20 coalitions are the bound of the work. */
export const MOST_SLOTS = 20;

/** weights[n * (MOST_SLOTS + 1) + s] = s! (n - s - 1)! / n!, the weight of a coalition of s among n players. */
export function shapleyWeights(): Float64Array {
  const weights = new Float64Array((MOST_SLOTS + 1) ** 2);
  for (let n = 1; n <= MOST_SLOTS; n += 1) {
    let binomial = 1;
    for (let s = 0; s < n; s += 1) {
      weights[n * (MOST_SLOTS + 1) + s] = 1 / (n * binomial);
      binomial = (binomial * (n - 1 - s)) / (s + 1);
    }
  }
  return weights;
}

/** Number of members of every coalition below 2^slots. */
export function coalitionSizes(slots: number): Uint8Array {
  const sizes = new Uint8Array(2 ** slots);
  for (let mask = 1; mask < sizes.length; mask += 1) sizes[mask] = (sizes[mask >> 1] ?? 0) + (mask & 1);
  return sizes;
}
