import { f64, u8 } from '../numeric/typed.js';
import { twoSidedZ } from '../statistics/distributions.js';
import { CONFIDENCE, type Estimate, unknown } from '../statistics/estimate.js';
import { checkScoredRows, type ScoredRows } from './validate.js';

/** Logistic regression of the truth on the logit of the probability. Slope 1 and intercept 0 are well calibrated. */
export interface Recalibration {
  readonly slope: Estimate;
  readonly intercept: Estimate;
}

/** Probabilities are kept this far from 0 and 1, where the logit is infinite. */
const CLIP = 1e-9;
const MOST_STEPS = 100;
const STEEPEST = 1e4;

/** Logit of a probability, clipped. */
export function logitOf(probability: number): number {
  const p = Math.min(1 - CLIP, Math.max(CLIP, probability));
  return Math.log(p / (1 - p));
}

interface Fit {
  readonly intercept: number;
  readonly slope: number;
  /** Inverse of the information: variances of intercept and slope. */
  readonly variances: readonly [number, number];
}

/**
 * Calibration slope and intercept (Cox, 1958) with Wald intervals, by Newton's method. Null with the reason with fewer
 * than two rows of a class, constant probabilities, or when the classes are separated so that no maximum exists.
 * @throws AnalysisInputError for rows that cannot be measured.
 */
export function recalibration(rows: ScoredRows, confidence = CONFIDENCE): Recalibration {
  checkScoredRows(rows);
  const { labels, probabilities } = rows;
  const n = labels.length;
  const refuse = (reason: string): Recalibration => ({
    slope: unknown(n, reason),
    intercept: unknown(n, reason),
  });
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (Math.min(positives, n - positives) < 2) return refuse('The line needs two rows of each class.');
  const logits = probabilities.map(logitOf);
  if (logits.every((logit) => logit === logits[0])) return refuse('All probabilities are the same.');
  const fit = fitLine(logits, labels);
  if (fit === null) return refuse('The classes are separated, so the line has no finite slope.');
  const z = twoSidedZ(confidence);
  const around = (value: number, variance: number): Estimate => {
    const half = z * Math.sqrt(variance);
    return { value, n, low: value - half, high: value + half };
  };
  return { intercept: around(fit.intercept, fit.variances[0]), slope: around(fit.slope, fit.variances[1]) };
}

type LineMoments = Readonly<Record<'like' | 'g0' | 'g1' | 'h00' | 'h01' | 'h11', number>>;

/** Log-likelihood, its gradient and its information at a line. */
function momentsAt(x: Float64Array, labels: Uint8Array, a: number, b: number): LineMoments {
  let [like, g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0, 0];
  for (let row = 0; row < x.length; row += 1) {
    const at = f64(x, row);
    const score = a + b * at;
    const p = 1 / (1 + Math.exp(-score));
    const gap = u8(labels, row) - p;
    const weight = p * (1 - p);
    like +=
      u8(labels, row) * score -
      (score > 0 ? score + Math.log1p(Math.exp(-score)) : Math.log1p(Math.exp(score)));
    g0 += gap;
    g1 += gap * at;
    h00 += weight;
    h01 += weight * at;
    h11 += weight * at * at;
  }
  return { like, g0, g1, h00, h01, h11 };
}

/** Maximum likelihood line of labels over x; null when there is none. */
export function fitLine(x: Float64Array, labels: Uint8Array): Fit | null {
  let [intercept, slope] = [0, 0];
  for (let step = 0; step < MOST_STEPS && Math.abs(slope) <= STEEPEST; step += 1) {
    const { like, move, variances } = newton(momentsAt(x, labels, intercept, slope));
    if (variances === null) return null;
    const likeAt = (scale: number): number =>
      momentsAt(x, labels, intercept + scale * move[0], slope + scale * move[1]).like;
    let scale = 1;
    // Halved until the likelihood does not fall: Newton's step can overshoot far from the maximum.
    while (scale > 1e-8 && !(likeAt(scale) >= like - 1e-9 * Math.abs(like))) scale /= 2;
    intercept += scale * move[0];
    slope += scale * move[1];
    const size = Math.abs(move[0]) + Math.abs(move[1]);
    if (size < 1e-11 * (1 + Math.abs(intercept) + Math.abs(slope))) return { intercept, slope, variances };
  }
  return null;
}

interface Step {
  readonly like: number;
  readonly move: readonly [number, number];
  /** null where the information is singular. */
  readonly variances: readonly [number, number] | null;
}

function newton({ like, g0, g1, h00, h01, h11 }: LineMoments): Step {
  const determinant = h00 * h11 - h01 * h01;
  if (!(determinant > 1e-12 * h00 * h11)) return { like, move: [0, 0], variances: null };
  const move = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant] as const;
  return { like, move, variances: [h11 / determinant, h00 / determinant] };
}
