/** A number with its sample size and interval, or no number with the reason. Undefined is never zero. */
export type Estimate =
  | { readonly value: number; readonly n: number; readonly low: number; readonly high: number }
  | {
      readonly value: null;
      /** null where even the number of rows is too small to show. */
      readonly n: number | null;
      readonly reason: string;
    };

/** An estimate that could not be made. */
export function unknown(n: number | null, reason: string): Estimate {
  return { value: null, n, reason };
}

/** Two-sided confidence level of intervals where nothing else is asked for. */
export const CONFIDENCE = 0.95;
