import {
  areaUnderCurve,
  calibrate,
  countGroups,
  decisionReport,
  expectedByGroup,
  expectedPerformance,
  fairnessReport,
  isotonicMap,
  performanceReport,
  wilson,
  type Estimate,
  type GroupCodes,
  type UnlabelledRows,
} from '../../analysis/index.js';
import type { DriftBaseline } from '../../kernel/drift-baseline.js';
import { UnfitTable, type PredictionColumns } from './columns.js';
import type { MeasuredPredictions } from './report.js';
import type { PredictionsRequest } from './request.js';

type Figures = Omit<MeasuredPredictions, 'window' | 'frozen' | 'engine'>;

/** The first few rows for which something holds, and how many there are in all. */
const rowsWhere = (length: number, holds: (row: number) => boolean): { count: number; first: string } => {
  const first: number[] = [];
  let count = 0;
  for (let row = 0; row < length; row += 1) {
    if (!holds(row)) continue;
    count += 1;
    if (first.length < 3) first.push(row + 1);
  }
  return { count, first: first.join(', ') };
};

const refuse = (rule: string, what: string, { count, first }: { count: number; first: string }): void => {
  if (count === 0) return;
  throw new UnfitTable(rule, `${what} in ${String(count)} rows (the first are rows ${first})`);
};

/** Refuses what would give wrong numbers: missing and infinite scores, probabilities out of range, no prediction. */
const checkColumns = (
  { rows, scores, predictions }: PredictionColumns,
  { isProbability }: PredictionsRequest,
): void => {
  if (rows === 0) throw new UnfitTable('rows', 'it has no rows');
  if (scores) {
    const missing = rowsWhere(rows, (row) => !Number.isFinite(scores[row]));
    refuse('scores', 'the score is missing, infinite or no number', missing);
    const outside = rowsWhere(
      rows,
      (row) => isProbability && !((scores[row] ?? -1) >= 0 && (scores[row] ?? 2) <= 1),
    );
    refuse('score-range', 'the score lies outside of 0 and 1, so it is no probability,', outside);
  }
  if (predictions)
    refuse(
      'predictions',
      'the prediction is missing',
      rowsWhere(rows, (row) => predictions[row] === -1),
    );
};

const selectedOf = ({ rows, scores, predictions }: PredictionColumns, threshold: number): Uint8Array =>
  Uint8Array.from({ length: rows }, (_, row) => {
    if (predictions) return predictions[row] === 1 ? 1 : 0;
    return (scores?.[row] ?? Number.NaN) >= threshold ? 1 : 0;
  });

/** Scores between 0 and 1 in the same order. */
const ordered = (scores: Float64Array): Float64Array => {
  const low = scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY);
  const high = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  return scores.map((score) => (high > low ? (score - low) / (high - low) : 0.5));
};

const none = (n: number, reason: string): Estimate => ({ value: null, n, reason });

const scoreFigures = (
  labels: Uint8Array,
  scores: Float64Array,
  { isProbability, threshold, bins, seed }: PredictionsRequest,
): NonNullable<Figures['scores']> => {
  if (isProbability) {
    const report = performanceReport({ labels, probabilities: scores }, { threshold, bins, seed });
    const { brier, logLoss, calibrationError, reliability } = report;
    return {
      areaUnderCurve: report.areaUnderCurve,
      brier,
      logLoss,
      calibrationError,
      reliability: [...reliability],
    };
  }
  const missing = none(labels.length, 'The score is an order and no probability.');
  const area = areaUnderCurve({ labels, probabilities: ordered(scores) });
  return {
    areaUnderCurve: area,
    brier: missing,
    logLoss: missing,
    calibrationError: missing,
    reliability: [],
  };
};

/** The rows whose outcome is known. */
interface Labelled {
  readonly labels: Uint8Array;
  readonly selected: Uint8Array;
  readonly scores: Float64Array | null;
  readonly groups: readonly GroupCodes[];
}

const labelledOf = (
  { outcomes, scores, groups }: PredictionColumns,
  selected: Uint8Array,
): Labelled | null => {
  if (!outcomes?.some((outcome) => outcome >= 0)) return null;
  const isKnown = (_: unknown, row: number): boolean => (outcomes[row] ?? -1) >= 0;
  return {
    labels: Uint8Array.from(outcomes.filter(isKnown)),
    selected: selected.filter(isKnown),
    scores: scores?.filter(isKnown) ?? null,
    groups: groups.map((group) => ({ ...group, codes: group.codes.filter(isKnown) })),
  };
};

const expectedFigures = (
  columns: PredictionColumns,
  selected: Uint8Array,
  baseline: DriftBaseline | null,
): Pick<Figures, 'expected' | 'expectedGroups'> => {
  const map = baseline?.calibration ?? null;
  const { scores } = columns;
  if (!map || !scores) return { expected: null, expectedGroups: [] };
  const rows: UnlabelledRows = {
    probabilities: calibrate(
      { scores: Float64Array.from(map.scores), probabilities: Float64Array.from(map.probabilities) },
      scores,
    ),
    selected,
    scores,
  };
  return {
    expected: expectedPerformance(rows),
    expectedGroups: columns.groups.flatMap((group) =>
      expectedByGroup(rows, group).map((one) => ({ attribute: group.attribute, ...one })),
    ),
  };
};

const exactMatchOf = (matches: Int8Array | null): Estimate | null => {
  if (!matches) return null;
  const n = matches.reduce((sum, match) => sum + (match >= 0 ? 1 : 0), 0);
  return wilson({ successes: matches.reduce((sum, match) => sum + (match === 1 ? 1 : 0), 0), n });
};

/** The calibration of scores by outcomes, to be frozen with a baseline; null where there is nothing to learn it from. */
export const calibrationOf = (
  columns: PredictionColumns,
  request: PredictionsRequest,
): DriftBaseline['calibration'] => {
  const labelled = labelledOf(columns, selectedOf(columns, request.threshold));
  if (!labelled?.scores || !request.isProbability) return null;
  const { scores, probabilities } = isotonicMap(labelled.labels, labelled.scores);
  return scores.length > 10_000 ? null : { scores: [...scores], probabilities: [...probabilities] };
};

/** Measures what the columns allow: with outcomes performance and fairness, without them what is expected. */
export const measurePredictions = (columns: PredictionColumns, request: PredictionsRequest): Figures => {
  checkColumns(columns, request);
  const selected = selectedOf(columns, request.threshold);
  const labelled = labelledOf(columns, selected);
  const { seed } = request;
  const known = labelled?.labels.length ?? 0;
  const fairness = labelled
    ? labelled.groups.map((codes) => {
        const probabilities = request.isProbability ? labelled.scores : null;
        return fairnessReport(
          countGroups(codes, { selected: labelled.selected, labels: labelled.labels, probabilities }),
          { seed },
        );
      })
    : columns.groups.map((codes) =>
        fairnessReport(countGroups(codes, { selected, labels: null, probabilities: null }), { seed }),
      );
  const chosen = selected.reduce((sum, one) => sum + one, 0);
  return {
    rows: columns.rows,
    withoutOutcome: columns.rows - known,
    selectionRate: wilson({ successes: chosen, n: columns.rows }),
    exactMatch: exactMatchOf(columns.matches),
    decisions: labelled ? decisionReport(labelled.labels, labelled.selected) : null,
    scores: labelled?.scores ? scoreFigures(labelled.labels, labelled.scores, request) : null,
    ...(labelled
      ? { expected: null, expectedGroups: [] }
      : expectedFigures(columns, selected, request.baseline)),
    fairness: fairness as Figures['fairness'],
  };
};
