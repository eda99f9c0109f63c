/*
 * Checked reads of typed arrays. One function per array kind, because a shared one would see every kind and run
 * several times slower in the inner loops. An index outside reads NaN, which no later check lets pass.
 */

export function f64(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}

export function f32(values: Float32Array, index: number): number {
  return values[index] ?? Number.NaN;
}

export function i32(values: Int32Array, index: number): number {
  return values[index] ?? Number.NaN;
}

export function u8(values: Uint8Array, index: number): number {
  return values[index] ?? Number.NaN;
}

/** Adds to one cell of a Float64Array. */
export function addTo(values: Float64Array, index: number, amount: number): void {
  values[index] = f64(values, index) + amount;
}
