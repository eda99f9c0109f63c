import { AnalysisInputError } from '../../errors.js';
import { f64 } from '../../numeric/typed.js';
import type { ScoredRows } from '../../performance/validate.js';
import type { GroupCodes } from '../counts.js';
import { cutAt, type Cuts, cutsByGroup, cutsOf } from './sorted-scores.js';
import { GROUP_AWARE_WARNING } from './warning.js';

/** What the difference between the sides is measured in. */
export type RejectMetric = 'selectionRate' | 'truePositiveRate' | 'averageOdds';

/** What is searched for. */
export interface RejectOptionRequest {
  readonly privileged: readonly string[];
  readonly metric?: RejectMetric;
  /** Largest size of the difference, unprivileged minus privileged, that is accepted. */
  readonly limit: number;
  /** Numbers of thresholds and margins that are tried; all combinations are. */
  readonly thresholds?: number;
  readonly margins?: number;
}

/** A simulation of the reject option. */
export interface RejectOptionSimulation {
  readonly warning: string;
  readonly threshold: number;
  /** From threshold - margin to threshold + margin the unprivileged are selected and the privileged are not. */
  readonly margin: number;
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly difference: number;
  /** No combination reached the limit: the one with the smallest size of the difference is given. */
  readonly isFeasible: boolean;
  readonly tried: number;
}

type Counts = readonly [selected: number, hits: number];

/**
 * Reject option (Kamiran, Karim and Zhang, 2012): where the score is unsure, the unprivileged are favoured. Best balanced
 * accuracy among thresholds and margins whose difference is within the limit in size. Scores are sorted once; each
 * combination then costs one look-up per side.
 * @throws AnalysisInputError for rows that do not fit, a side without both classes, and limits outside 0 to 1.
 */
export function rejectOption(
  codes: GroupCodes,
  rows: ScoredRows,
  request: RejectOptionRequest,
): RejectOptionSimulation {
  const { privileged, metric = 'selectionRate', limit, thresholds = 100, margins = 50 } = request;
  if (!(limit >= 0 && limit <= 1)) throw new AnalysisInputError('The limit lies between 0 and 1.');
  const sides = sidesOf(codes, rows, privileged);
  const tried = pairsOf(thresholds, margins).map(([threshold, margin]) =>
    simulationAt(sides, threshold, margin, { metric, limit }),
  );
  const [first, ...others] = tried;
  if (first === undefined) throw new AnalysisInputError('No threshold is to be tried.');
  return { ...others.reduce((best, own) => (isBetter(own, best) ? own : best), first), tried: tried.length };
}

/** Thresholds inside of 0 to 1, each with margins up to where the band would leave it. */
function pairsOf(thresholds: number, margins: number): (readonly [threshold: number, margin: number])[] {
  const inside = Array.from({ length: thresholds }, (_, index) => (index + 1) / (thresholds + 1));
  return inside.flatMap((threshold) => {
    const widest = Math.min(threshold, 1 - threshold);
    return Array.from(
      { length: margins },
      (_, index) => [threshold, (widest * index) / Math.max(1, margins - 1)] as const,
    );
  });
}

function isBetter(own: RejectOptionSimulation, best: RejectOptionSimulation): boolean {
  if (own.isFeasible !== best.isFeasible) return own.isFeasible;
  if (own.isFeasible) return own.balancedAccuracy > best.balancedAccuracy;
  return Math.abs(own.difference) < Math.abs(best.difference);
}

interface Sides {
  readonly unprivileged: Cuts;
  readonly privileged: Cuts;
}

function sidesOf(codes: GroupCodes, rows: ScoredRows, privileged: readonly string[]): Sides {
  cutsByGroup(codes, rows);
  const stranger = privileged.find((group) => !codes.groups.includes(group));
  if (stranger !== undefined) throw new AnalysisInputError(`'${stranger}' is not among the groups.`);
  const [yes, no] = [true, false].map((wanted) => {
    const isIn = (_: number, row: number): boolean => {
      const group = codes.groups[codes.codes[row] ?? -1];
      return group !== undefined && privileged.includes(group) === wanted;
    };
    const labels = rows.labels.filter(isIn);
    const cuts = cutsOf(rows.probabilities.filter(isIn), labels);
    if (cuts.positives === 0 || cuts.positives === cuts.n) {
      throw new AnalysisInputError(`The ${wanted ? '' : 'un'}privileged do not have rows of both classes.`);
    }
    return cuts;
  });
  if (yes === undefined || no === undefined) throw new AnalysisInputError('A side is missing.');
  return { unprivileged: no, privileged: yes };
}

function countsAt(cuts: Cuts, threshold: number): Counts {
  const cut = cutAt(cuts, threshold);
  return [f64(cuts.selected, cut), f64(cuts.hits, cut)];
}

/** Rates of one side. */
function ratesOf({ n, positives }: Cuts, [selected, hits]: Counts): { sr: number; tpr: number; fpr: number } {
  return { sr: selected / n, tpr: hits / positives, fpr: (selected - hits) / (n - positives) };
}

function simulationAt(
  { unprivileged, privileged }: Sides,
  threshold: number,
  margin: number,
  { metric, limit }: { metric: RejectMetric; limit: number },
): RejectOptionSimulation {
  const favoured = countsAt(unprivileged, threshold - margin);
  const others = countsAt(privileged, threshold + margin);
  const [a, b] = [ratesOf(unprivileged, favoured), ratesOf(privileged, others)];
  const differences: Record<RejectMetric, number> = {
    selectionRate: a.sr - b.sr,
    truePositiveRate: a.tpr - b.tpr,
    averageOdds: (a.tpr - b.tpr + (a.fpr - b.fpr)) / 2,
  };
  const positives = unprivileged.positives + privileged.positives;
  const n = unprivileged.n + privileged.n;
  const hits = favoured[1] + others[1];
  const wrong = favoured[0] + others[0] - hits;
  const right = n - positives - wrong;
  const difference = differences[metric];
  return {
    warning: GROUP_AWARE_WARNING,
    threshold,
    margin,
    accuracy: (hits + right) / n,
    balancedAccuracy: (hits / positives + right / (n - positives)) / 2,
    difference,
    isFeasible: Math.abs(difference) <= limit,
    tried: 1,
  };
}
