import { drawBinomial } from './binomial.js';

/** A reproducible stream of numbers. The same seed gives the same stream on every machine. */
export interface RandomStream {
  /** Uniform in [0, 1), 53 bits. */
  readonly uniform: () => number;
  /** Standard normal. */
  readonly normal: () => number;
  /** Number of successes among n draws with chance p, exact. */
  readonly binomial: (n: number, p: number) => number;
}

/** Words of a 32-bit state from one number, so that similar seeds start far apart (SplitMix32). */
function spreadSeed(seed: number): [number, number, number, number] {
  let state = seed | 0;
  const word = (): number => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return mixed ^ (mixed >>> 15);
  };
  return [word(), word(), word(), word() | 1];
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** A stream from a seed (xoshiro128**, Blackman and Vigna). Not for secrets. */
export function randomStream(seed: number): RandomStream {
  let [a, b, c, d] = spreadSeed(seed);
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return result >>> 0;
  };
  const uniform = (): number => ((word() >>> 5) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal, binomial: (n, p) => drawBinomial(uniform, n, p) };
}
