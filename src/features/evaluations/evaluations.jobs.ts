import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { defineJob, defineReaction, type JobContext } from '../../kernel/job.js';
import type { Artifact } from '../registry/index.js';
import type { DriftBaseline } from './drift-baseline.entity.js';
import {
  currentEvaluationPolicy,
  digestOf,
  engineVersion,
  type EvaluationPolicy,
} from './evaluation-policy.js';
import type { Evaluation } from './evaluation.entity.js';
import { beginEvaluation, failEvaluation } from './evaluations.commands/progress.js';
import { recordEvaluation, type EvidenceInputs } from './evaluations.commands/record.js';
import { computeResults } from './evaluations.jobs/compute-results.js';
import { loadEnsemble } from './evaluations.jobs/load-source.js';
import { measureSubmitted } from './evaluations.jobs/measure-submitted.js';
import { evaluationOfJob, evaluationTarget } from './evaluations.queries/for-jobs.js';
import type { PredictionsSpec } from './predictions-spec.js';

const name = 'evaluations.run';

interface Target {
  readonly evaluation: Evaluation;
  readonly version: { readonly digest: string | null };
  readonly artifacts: readonly Artifact[];
  readonly baseline: DriftBaseline | null;
}

type Context = Pick<JobContext<unknown>, 'outside' | 'signal' | 'progress'>;

const gone = (what: string): AppError => new AppError('PRECONDITION_FAILED', what, { rule: 'dataset' });

const inputsOf = (
  { evaluation, version }: Target,
  datasetSha256: string,
  policy: EvaluationPolicy,
): EvidenceInputs => {
  if (version.digest === null) throw gone('The version has no digest to tie evidence to');
  return {
    suite: evaluation.suite,
    versionDigest: version.digest,
    datasetSha256,
    policySha256: digestOf(policy),
    engineVersion: engineVersion(),
    seed: policy.seed,
  };
};

const resultsOfEnsemble = async (context: Context, target: Target, policy: EvaluationPolicy) => {
  const { evaluation, artifacts } = target;
  const dataset = artifacts.find(({ path }) => path === evaluation.dataset.path);
  if (!dataset) throw gone('The version no longer has the data set');
  const inputs = inputsOf(target, dataset.sha256, policy);
  const ensemble = await loadEnsemble(context.outside.artifacts, inputs.versionDigest, artifacts);
  return { inputs, results: await computeResults(context, ensemble, dataset, policy) };
};

const resultsOfPredictions = async (
  context: Context,
  target: Target,
  spec: PredictionsSpec,
  policy: EvaluationPolicy,
) => {
  const { evaluation, baseline } = target;
  const inputs = {
    ...inputsOf(target, evaluation.dataset.sha256, policy),
    // When the rows are from changes no figure, and the baseline goes by its content.
    predictionsSha256: digestOf({ ...spec, observedAt: null, baselineId: null }),
    ...(baseline ? { baselineSha256: baseline.sha256 } : {}),
  };
  const { versionDigest } = inputs;
  return {
    inputs,
    ...(await measureSubmitted(context, { evaluation, spec, versionDigest, baseline }, policy)),
  };
};

/**
 * Measures a version on a data set, or predictions that were sent, and records the evidence. Nothing is kept between tries: a killed worker's run is
 * done again from the start and, the inputs being the same, comes to the same result.
 */
export const runEvaluation = defineJob({
  name,
  queue: 'heavy',
  payload: z.object({ evaluationId: z.uuid() }),
  attempts: 3,
  timeoutMs: 30 * 60_000,
  visible: true,
  handle: async (context) => {
    const { ask, run, actor, jobId, progress } = context;
    const { evaluationId } = context.payload;
    const target = await ask(evaluationTarget, actor, { evaluationId });
    if (target.evaluation.finishedAt !== null) return;
    await run(beginEvaluation, actor, { evaluationId });
    const policy = currentEvaluationPolicy();
    const computed = target.evaluation.predictions
      ? await resultsOfPredictions(context, target, target.evaluation.predictions, policy)
      : await resultsOfEnsemble(context, target, policy);
    await run(recordEvaluation, actor, { evaluationId, ...computed }, { effectKey: `${jobId}:record` });
    await progress(1, 'Evidence recorded');
  },
});

/** When the job failed for the last time, the evaluation says so and why. */
export const noteFailedEvaluation = defineReaction({
  name: 'evaluations.noteFailure',
  follows: [giveUpJob],
  attempts: 8,
  handle: async ({ payload, ask, run, actor }) => {
    for (const { id } of payload.subjects) {
      const found = await ask(evaluationOfJob, actor, { jobId: id });
      if (found) await run(failEvaluation, actor, { jobId: id, reason: found.reason });
    }
  },
});
