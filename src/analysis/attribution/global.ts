import { AnalysisInputError } from '../errors.js';
import { addTo, f64 } from '../numeric/typed.js';
import type { Explanation } from './explain.js';

/** How much a feature moves predictions on average, whatever the direction. */
export interface GlobalAttribution {
  readonly player: string;
  /** Mean of |contribution| over the rows, in units of probability. */
  readonly mean: number;
  /** Standard error of that mean over rows; null below two rows. */
  readonly standardError: number | null;
  readonly n: number;
}

/** Sums that grow with each batch; rows are not kept. */
export interface AttributionSummary {
  readonly add: (explanation: Explanation) => void;
  readonly result: () => readonly GlobalAttribution[];
}

/** Streaming mean of absolute contributions with its standard error (Welford's recurrence). */
export function globalAttribution(players: readonly string[]): AttributionSummary {
  const means = new Float64Array(players.length);
  const squares = new Float64Array(players.length);
  let n = 0;
  const add = (explanation: Explanation): void => {
    if (explanation.players.length !== players.length)
      throw new AnalysisInputError('The explanation has other players than the summary.');
    for (let row = 0; row < explanation.rows; row += 1) {
      n += 1;
      for (let player = 0; player < players.length; player += 1) {
        const size = Math.abs(f64(explanation.values, row * players.length + player));
        const step = size - f64(means, player);
        addTo(means, player, step / n);
        addTo(squares, player, step * (size - f64(means, player)));
      }
    }
  };
  const result = (): readonly GlobalAttribution[] =>
    players.map((player, index) => ({
      player,
      mean: f64(means, index),
      standardError: n < 2 ? null : Math.sqrt(f64(squares, index) / (n - 1) / n),
      n,
    }));
  return { add, result };
}
