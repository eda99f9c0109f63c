import {
  countGroups,
  fairnessReport,
  intersectGroups,
  performanceReport,
  type FairnessReport,
  type GroupCodes,
  type PerformanceReport,
} from '../../analysis/index.js';

/** What is measured once all rows are scored. */
export interface MeasureInput {
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
  readonly threshold: number;
  readonly bins: number;
  readonly seed: number;
  readonly groups: readonly GroupCodes[];
  /** Pairs of places in `groups`. */
  readonly intersections: readonly (readonly [number, number])[];
}

/** Performance, and fairness per attribute. */
export interface Measured {
  readonly performance: PerformanceReport;
  readonly fairness: readonly FairnessReport[];
}

/** Performance of all rows, and fairness between the groups of each attribute and of each intersection. */
export const measureRows = (input: MeasureInput): Measured => {
  const { labels, probabilities, threshold, bins, seed, groups } = input;
  const performance = performanceReport({ labels, probabilities }, { threshold, bins, seed });
  const selected = Uint8Array.from(probabilities, (probability) => (probability >= threshold ? 1 : 0));
  const crossed = input.intersections.flatMap(([first, second]) => {
    const [one, other] = [groups[first], groups[second]];
    return one && other ? [intersectGroups(one, other)] : [];
  });
  const fairness = [...groups, ...crossed].map((codes) =>
    fairnessReport(countGroups(codes, { selected, labels, probabilities }), { seed }),
  );
  return { performance, fairness };
};
