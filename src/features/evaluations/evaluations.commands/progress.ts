import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { notFound } from '../../../kernel/errors.js';
import { Evaluation } from '../evaluation.entity.js';
import { lockEvaluation } from './find.js';

/** A worker took it; run by the evaluation job only. A run that a killed worker left behind is simply taken again. */
export const beginEvaluation = defineCommand({
  name: 'evaluation.begin',
  describe: 'Marks an evaluation as running.',
  permission: 'evaluation:record',
  input: z.object({ evaluationId: z.uuid() }),
  target: (tx, input) => lockEvaluation(tx, input.evaluationId),
  handle: async ({ tx, target }) => {
    const { id, state } = target;
    if (state !== 'QUEUED') return { result: { id, state }, audit: nothingChanged };
    await tx.update(Evaluation, { id }, { state: 'RUNNING' });
    return {
      result: { id, state: 'RUNNING' as const },
      audit: { subject: { kind: 'evaluation', id }, changes: { state: { from: state, to: 'RUNNING' } } },
    };
  },
});

/** The job ended without evidence; run by the reaction to its last failure. */
export const failEvaluation = defineCommand({
  name: 'evaluation.fail',
  describe: 'Ends an evaluation whose job failed for the last time.',
  permission: 'evaluation:record',
  input: z.object({ jobId: z.uuid(), reason: z.string().min(1).max(1000) }),
  target: async (tx, input) => {
    const evaluation = await tx.lock(Evaluation, { jobId: input.jobId });
    if (!evaluation) throw notFound('The evaluation');
    return evaluation;
  },
  handle: async ({ tx, input, target, now }) => {
    const { id, state } = target;
    if (target.finishedAt !== null) return { result: { id }, audit: nothingChanged };
    await tx.update(Evaluation, { id }, { state: 'FAILED', failure: input.reason, finishedAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'evaluation', id },
        changes: { state: { from: state, to: 'FAILED' } },
        facts: { reason: input.reason, jobId: input.jobId },
      },
    };
  },
});
