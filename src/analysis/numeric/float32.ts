const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The greatest float32 below `value`, which must be a float32; NaN below -Infinity, so that no x is <= it. */
export function below32(value: number): number {
  if (value === Number.NEGATIVE_INFINITY || Number.isNaN(value)) return Number.NaN;
  if (value === 0) return -1.401298464324817e-45;
  float[0] = value;
  bits[0] = (bits[0] ?? 0) + (value > 0 ? -1 : 1);
  return float[0];
}

/** The smallest float32 above `value`, which must be a float32; NaN above Infinity. */
export function above32(value: number): number {
  return -below32(-value);
}

/** The greatest float32 that is not above the double `value`. */
export function floor32(value: number): number {
  const rounded = Math.fround(value);
  return rounded > value ? below32(rounded) : rounded;
}
