import { z } from 'zod';
import { AppError } from '../../kernel/errors.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { defineJob, defineReaction } from '../../kernel/job.js';
import { currentEvaluationPolicy, digestOf, engineVersion } from './evaluation-policy.js';
import { beginEvaluation, failEvaluation } from './evaluations.commands/progress.js';
import { recordEvaluation, type EvidenceInputs } from './evaluations.commands/record.js';
import { computeResults } from './evaluations.jobs/compute-results.js';
import { loadEnsemble } from './evaluations.jobs/load-source.js';
import { evaluationOfJob, evaluationTarget } from './evaluations.queries/for-jobs.js';

const name = 'evaluations.run';

/**
 * Measures a version on a data set and records the evidence. Nothing is kept between tries: a killed worker's run is
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
    const { ask, run, actor, outside, jobId, progress } = context;
    const { evaluationId } = context.payload;
    const { evaluation, version, artifacts } = await ask(evaluationTarget, actor, { evaluationId });
    if (evaluation.finishedAt !== null) return;
    await run(beginEvaluation, actor, { evaluationId });
    const dataset = artifacts.find(({ path }) => path === evaluation.dataset.path);
    if (!dataset || version.digest === null) {
      throw new AppError('PRECONDITION_FAILED', 'The version no longer has the data set', {
        rule: 'dataset',
      });
    }
    const policy = currentEvaluationPolicy();
    const ensemble = await loadEnsemble(outside.artifacts, version.digest, artifacts);
    const results = await computeResults(context, ensemble, dataset, policy);
    const inputs: EvidenceInputs = {
      suite: evaluation.suite,
      versionDigest: version.digest,
      datasetSha256: dataset.sha256,
      policySha256: digestOf(policy),
      engineVersion: engineVersion(),
      seed: policy.seed,
    };
    await run(recordEvaluation, actor, { evaluationId, inputs, results }, { effectKey: `${jobId}:record` });
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
