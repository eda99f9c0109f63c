import { AnalysisInputError } from '../errors.js';
import { f64, u8 } from '../numeric/typed.js';
import { checkScoredRows } from '../performance/validate.js';

/** A rising line through points: the calibrated probability of a score, straight between neighbouring points. */
export interface IsotonicMap {
  /** Scores, strictly ascending, one or more. */
  readonly scores: Float64Array;
  /** Probabilities, ascending. */
  readonly probabilities: Float64Array;
}

interface Block {
  readonly from: number;
  to: number;
  rows: number;
  positives: number;
}

/** Rows of equal score as one block, by score. */
function blocksOf(labels: Uint8Array, scores: Float64Array): Block[] {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => f64(scores, a) - f64(scores, b));
  const blocks: Block[] = [];
  for (const row of order) {
    const score = f64(scores, row);
    const last = blocks.at(-1);
    if (last?.from === score) {
      last.rows += 1;
      last.positives += u8(labels, row);
    } else blocks.push({ from: score, to: score, rows: 1, positives: u8(labels, row) });
  }
  return blocks;
}

/** Pools neighbours whose shares fall until none does. */
function pool(blocks: readonly Block[]): Block[] {
  const pooled: Block[] = [];
  for (const block of blocks) {
    const current = { ...block };
    for (;;) {
      const last = pooled.at(-1);
      if (!last || last.positives * current.rows < current.positives * last.rows) break;
      current.positives += last.positives;
      current.rows += last.rows;
      pooled.pop();
      Object.assign(current, { from: last.from });
    }
    pooled.push(current);
  }
  return pooled;
}

/**
 * Isotonic regression of outcomes on scores by pooling adjacent violators (Ayer et al. 1955): the rising function
 * nearest to the outcomes in squares. Rows of equal score count as one point, whatever their order.
 */
export function isotonicMap(labels: Uint8Array, probabilities: Float64Array): IsotonicMap {
  checkScoredRows({ labels, probabilities });
  if (labels.length === 0) throw new AnalysisInputError('A calibration needs rows with outcomes.');
  const points = pool(blocksOf(labels, probabilities)).flatMap(({ from, to, rows, positives }) =>
    from === to
      ? [[from, positives / rows]]
      : [
          [from, positives / rows],
          [to, positives / rows],
        ],
  );
  return {
    scores: Float64Array.from(points, ([score]) => score ?? Number.NaN),
    probabilities: Float64Array.from(points, ([, probability]) => probability ?? Number.NaN),
  };
}

/** The calibrated probability of each score; beyond the scores of the reference that of the nearest one. */
export function calibrate({ scores, probabilities }: IsotonicMap, values: Float64Array): Float64Array {
  const last = scores.length - 1;
  return values.map((value) => {
    if (value !== value) throw new AnalysisInputError('A score is not a number.');
    if (value <= f64(scores, 0)) return f64(probabilities, 0);
    if (value >= f64(scores, last)) return f64(probabilities, last);
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (f64(scores, middle) <= value) low = middle;
      else high = middle;
    }
    const share = (value - f64(scores, low)) / (f64(scores, high) - f64(scores, low));
    return f64(probabilities, low) + share * (f64(probabilities, high) - f64(probabilities, low));
  });
}
