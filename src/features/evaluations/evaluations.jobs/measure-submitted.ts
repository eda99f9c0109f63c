import {
  measureTable,
  type MeasuredPredictions,
  type PredictionsRequest,
} from '../../../compute/predictions/index.js';
import type { DriftBaseline as Document, DriftWindow } from '../../../kernel/drift-baseline.js';
import { AppError } from '../../../kernel/errors.js';
import { storageFault } from '../../../kernel/input.js';
import type { JobContext } from '../../../kernel/job.js';
import type { DriftBaseline } from '../drift-baseline.entity.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import type { Evaluation } from '../evaluation.entity.js';
import type { EvidenceResult } from '../evidence-result.js';
import type { PredictionsSpec } from '../predictions-spec.js';
import { driftResult } from '../results/drift.js';
import type { Submitted } from '../results/submitted.js';
import { submittedFairness, submittedPerformance } from './submitted-results.js';

type Context = Pick<JobContext<unknown>, 'outside' | 'signal' | 'progress'>;

/** What is evaluated, and against what. */
interface Target {
  readonly evaluation: Evaluation;
  readonly spec: PredictionsSpec;
  readonly versionDigest: string;
  readonly baseline: DriftBaseline | null;
}

/** Evidence, and what is kept beside it. */
export interface SubmittedResults {
  readonly results: EvidenceResult[];
  readonly drift: {
    readonly frozen: Document | null;
    readonly window: DriftWindow | null;
    readonly rows: number;
  };
}

/** Every pair of the groups that were sent. */
const pairsOf = (groups: readonly string[]): [number, number][] =>
  groups
    .flatMap((_, one) => groups.slice(one + 1).map((__, next): [number, number] => [one, one + 1 + next]))
    .slice(0, 10);

const requestOf = ({ spec, baseline }: Target, policy: EvaluationPolicy): PredictionsRequest => ({
  columns: {
    prediction: spec.prediction,
    score: spec.score,
    outcome: spec.outcome,
    groups: [...spec.groups],
  },
  positive: spec.positive,
  threshold: spec.threshold,
  isProbability: spec.isProbability,
  bins: policy.bins,
  seed: policy.seed,
  unknown: policy.unknown,
  intersections: pairsOf(spec.groups),
  baseline: baseline?.document ?? null,
  freeze: spec.freeze
    ? { features: [...spec.freeze], bins: policy.drift.bins, names: policy.drift.names }
    : null,
});

const measure = async (
  context: Context,
  target: Target,
  policy: EvaluationPolicy,
): Promise<MeasuredPredictions> => {
  const { sha256 } = target.evaluation.dataset;
  const answer = await context.outside.artifacts.withFile(sha256, (path) =>
    measureTable(path, requestOf(target, policy), { signal: context.signal }),
  );
  const sentence = answer.accepted ? storageFault(answer.measured) : answer.reason;
  if (answer.accepted && sentence === null) return answer.measured;
  const printable = (sentence ?? '').replace(/\p{C}/gu, ' ').slice(0, 900);
  throw new AppError('INVALID_INPUT', `The table of predictions cannot be measured: ${printable}`, {
    rule: answer.accepted ? 'unreadable' : answer.rule,
  });
};

/** Measures a table of predictions; the same table, baseline and policy give the same results to the last digit. */
export const measureSubmitted = async (
  context: Context,
  target: Target,
  policy: EvaluationPolicy,
): Promise<SubmittedResults> => {
  await context.progress(0.05, 'Reading the predictions');
  const measured = await measure(context, target, policy);
  await context.progress(0.9, `${String(measured.rows)} rows measured`);
  const { evaluation, spec, versionDigest, baseline } = target;
  const { name, path, sha256 } = evaluation.dataset;
  const about: Submitted = {
    dataset: { name, path, sha256, rows: measured.rows },
    spec,
    submittedBy: evaluation.requestedBy,
    versionDigest,
  };
  const { window, frozen } = measured;
  return {
    results: [
      submittedPerformance(measured, about, policy),
      ...(spec.groups.length > 0 ? [submittedFairness(measured, about, policy)] : []),
      ...(baseline && window ? [driftResult(baseline, window, about, policy)] : []),
    ],
    drift: { frozen, window, rows: measured.rows },
  };
};
