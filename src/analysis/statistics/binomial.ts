/** What a binomial draw needs: a source of uniform numbers in [0, 1). */
type Uniform = () => number;

/** Below this expected number of successes, gaps between successes are drawn; above it, the normal-like hat. */
const FEW = 10;

/**
 * Number of successes among `n` independent draws with chance `p`: exact, at a cost that does not grow with `n`.
 * Geometric gaps where few successes are expected, otherwise transformed rejection (BTRS: Hörmann, 1993, "The
 * generation of binomial random variates").
 */
export function drawBinomial(uniform: Uniform, n: number, p: number): number {
  if (n <= 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - drawBinomial(uniform, n, 1 - p);
  return n * p < FEW ? byGaps(uniform, n, p) : byRejection(uniform, n, p);
}

function byGaps(uniform: Uniform, n: number, p: number): number {
  const scale = Math.log1p(-p);
  let at = 0;
  for (let successes = 0; ; successes += 1) {
    at += Math.floor(Math.log(1 - uniform()) / scale) + 1;
    if (at > n) return successes;
  }
}

/** ln k! minus its Stirling approximation without the correction. */
const CORRECTIONS = [
  0.081_061_466_795_327_26, 0.041_340_695_955_409_29, 0.027_677_925_684_998_34, 0.020_790_672_103_765_09,
  0.016_644_691_189_821_19, 0.013_876_128_823_070_75, 0.011_896_709_945_891_77, 0.010_411_265_261_972_1,
  0.009_255_462_182_712_73, 0.008_330_563_433_362_87,
];

function correction(k: number): number {
  const known = CORRECTIONS[k];
  if (known !== undefined) return known;
  const inverse = 1 / (k + 1);
  const square = inverse * inverse;
  return (1 / 12 - (1 / 360 - square / 1260) * square) * inverse;
}

function byRejection(uniform: Uniform, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const alpha = (2.83 + 5.1 / b) * spread;
  const inner = 0.92 - 4.2 / b;
  const odds = p / (1 - p);
  const mode = Math.floor((n + 1) * p);
  for (;;) {
    const u = uniform() - 0.5;
    const v = 1 - uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + n * p + 0.5);
    if (us >= 0.07 && v <= inner) return k;
    if (!(k >= 0 && k <= n)) continue;
    const height = Math.log((v * alpha) / (a / (us * us) + b));
    const limit =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (n - mode + 1))) +
      (n + 1) * Math.log((n - mode + 1) / (n - k + 1)) +
      (k + 0.5) * Math.log((odds * (n - k + 1)) / (k + 1)) +
      (correction(mode) + correction(n - mode) - correction(k) - correction(n - k));
    if (height <= limit) return k;
  }
}
