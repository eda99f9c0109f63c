import type { Ensemble } from '../ensemble/ensemble.js';

/**
 * Shapley values by their definition: every coalition is predicted in full, for every background row.
 * The oracle of the tests; 2^M * B predictions per row.
 */
export function enumerateShapley(
  ensemble: Ensemble,
  row: Float32Array,
  background: Float32Array,
): Float64Array {
  const players = ensemble.groups.length;
  const rows = background.length / ensemble.width;
  const worth = Array.from({ length: 2 ** players }, (_, mask) => {
    const mixed = Float32Array.from(background);
    ensemble.groups.forEach(({ columns: [start, length] }, player) => {
      if ((mask & (1 << player)) === 0) return;
      for (let at = 0; at < rows; at += 1)
        mixed.set(row.subarray(start, start + length), at * ensemble.width + start);
    });
    return ensemble.predict(mixed, rows).probability.reduce((sum, value) => sum + value, 0) / rows;
  });
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  const sizeOf = (mask: number): number => mask.toString(2).replaceAll('0', '').length;
  return Float64Array.from({ length: players }, (_, player) => {
    let sum = 0;
    for (let mask = 0; mask < worth.length; mask += 1) {
      if ((mask & (1 << player)) !== 0) continue;
      const size = sizeOf(mask);
      const weight = (factorial(size) * factorial(players - size - 1)) / factorial(players);
      sum += weight * ((worth[mask | (1 << player)] ?? Number.NaN) - (worth[mask] ?? Number.NaN));
    }
    return sum;
  });
}
