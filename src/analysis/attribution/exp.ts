/*
 * The exponential of the games, with the same operations in the same order as wasm/game.ts: what the language's own
 * Math.exp gives may differ from machine to machine in the last bit, and an explanation must not.
 */

const LOG2E = 1.4426950408889634;
/** ln 2 in two parts; the first has zeros at its end, so that its products with small integers are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Below it the result is taken for zero; e^-708 is 3e-308. */
const LOWEST = -708;

/** 1/13!, 1/12!, … 1/0!: the series of e^r, which is exact to the last place for |r| <= ln 2 / 2. */
const SERIES = Float64Array.of(
  ...[1 / 6227020800, 1 / 479001600, 1 / 39916800, 1 / 3628800, 1 / 362880, 1 / 40320, 1 / 5040, 1 / 720],
  ...[1 / 120, 1 / 24, 1 / 6, 0.5, 1, 1],
);

/** e^x for x <= 0, within two units of the last place; NaN is given zero, as in the kernel. */
export function expDown(x: number): number {
  if (!(x >= LOWEST)) return 0;
  const k = nearest(x * LOG2E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 0;
  for (const term of SERIES) sum = sum * r + term;
  return sum * 2 ** k;
}

/** Nearest integer, ties to even, as the kernel rounds. */
function nearest(x: number): number {
  const shift = 6755399441055744;
  return x + shift - shift;
}

/** 1 / (1 + e^-m) without overflow. */
export function steadySigmoid(margin: number): number {
  const e = expDown(-Math.abs(margin));
  return (margin >= 0 ? 1 : e) / (1 + e);
}
