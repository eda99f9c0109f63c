import { checkValue, type StreamDetector } from './adwin.js';

/** How the Page-Hinkley test sums up. */
export interface PageHinkleyOptions {
  /** Distances of the mean that are no change. */
  readonly delta?: number;
  /** Alarm at this sum. */
  readonly threshold?: number;
  /** What is kept of the sum at each value. */
  readonly alpha?: number;
  /** No alarm before so many values. */
  readonly grace?: number;
}

/**
 * Page-Hinkley test of a mean (Page 1954), both sides: S = max(0, α S + (x - x̄ - δ)) for a rise, its mirror image for a
 * fall, alarm at S > λ. After an alarm it starts anew.
 */
export function pageHinkley(options: PageHinkleyOptions = {}): StreamDetector {
  const { delta = 0.005, threshold = 50, alpha = 0.9999, grace = 30 } = options;
  let [n, mean, rise, fall] = [0, 0, 0, 0];
  return {
    update: (value) => {
      checkValue(value);
      n += 1;
      mean += (value - mean) / n;
      const gap = value - mean;
      rise = Math.max(0, alpha * rise + gap - delta);
      fall = Math.max(0, alpha * fall - gap - delta);
      if (n < grace || Math.max(rise, fall) <= threshold) return false;
      [n, mean, rise, fall] = [0, 0, 0, 0];
      return true;
    },
  };
}

/** What DDM says: in control, a warning, or a change. */
export type DdmState = 'STEADY' | 'WARNING' | 'DRIFT';

/** How DDM judges. */
export interface DdmOptions {
  readonly grace?: number;
  /** Standard deviations above the best error so far. */
  readonly warning?: number;
  readonly drift?: number;
}

/**
 * Drift detection method (Gama et al. 2004) on errors of predictions, 1 for a wrong one: with p their share and
 * s = √(p (1 - p) / n), a warning above p_min + 2 s_min and a change above p_min + 3 s_min, where p + s was least.
 * After a change it starts anew.
 */
export function ddm(options: DdmOptions = {}): { readonly update: (error: 0 | 1) => DdmState } {
  const { grace = 30, warning = 2, drift = 3 } = options;
  let [n, errors] = [0, 0];
  let best = { p: 0, s: Number.POSITIVE_INFINITY };
  const judge = (p: number, s: number): DdmState => {
    if (p + s > best.p + drift * best.s) return 'DRIFT';
    return p + s > best.p + warning * best.s ? 'WARNING' : 'STEADY';
  };
  return {
    update: (error) => {
      n += 1;
      errors += error;
      if (n <= grace) return 'STEADY';
      const p = errors / n;
      const s = Math.sqrt((p * (1 - p)) / n);
      if (p + s <= best.p + best.s) best = { p, s };
      const state = judge(p, s);
      if (state === 'DRIFT') {
        [n, errors] = [0, 0];
        best = { p: 0, s: Number.POSITIVE_INFINITY };
      }
      return state;
    },
  };
}
