import { f64 } from './typed.js';

/**
 * Lower factor L of a symmetric positive definite matrix A = L L', row-major, size squared; null when it is not
 * positive definite to working precision.
 */
export function cholesky(matrix: Float64Array, size: number): Float64Array | null {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column <= row; column += 1) {
      let sum = f64(matrix, row * size + column);
      for (let k = 0; k < column; k += 1) sum -= f64(lower, row * size + k) * f64(lower, column * size + k);
      if (row !== column) lower[row * size + column] = sum / f64(lower, column * size + column);
      else if (sum > 0) lower[row * size + row] = Math.sqrt(sum);
      else return null;
    }
  }
  return lower;
}

/** x with L L' x = b. */
export function solveCholesky(lower: Float64Array, vector: Float64Array): Float64Array {
  const size = vector.length;
  const x = Float64Array.from(vector);
  for (let row = 0; row < size; row += 1) {
    let sum = f64(x, row);
    for (let k = 0; k < row; k += 1) sum -= f64(lower, row * size + k) * f64(x, k);
    x[row] = sum / f64(lower, row * size + row);
  }
  for (let row = size - 1; row >= 0; row -= 1) {
    let sum = f64(x, row);
    for (let k = row + 1; k < size; k += 1) sum -= f64(lower, k * size + row) * f64(x, k);
    x[row] = sum / f64(lower, row * size + row);
  }
  return x;
}
