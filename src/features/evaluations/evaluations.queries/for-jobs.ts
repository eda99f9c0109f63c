import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import { Artifact, versionOr404 } from '../../registry/index.js';
import { DriftBaseline } from '../drift-baseline.entity.js';
import { Evaluation } from '../evaluation.entity.js';

/** What the evaluation job works on. */
export const evaluationTarget = defineQuery({
  name: 'evaluation.target',
  describe: 'An evaluation with its version and artifacts, for the job.',
  permission: 'evaluation:read',
  input: z.object({ evaluationId: z.uuid() }),
  handle: async ({ db, input }) => {
    const evaluation = await db.findOne(Evaluation, { id: input.evaluationId });
    if (!evaluation) throw notFound('The evaluation');
    const version = await versionOr404(db, evaluation.versionId);
    const artifacts = await db.find(Artifact, { where: { versionId: version.id }, order: { path: 'ASC' } });
    const baselineId = evaluation.predictions?.baselineId ?? null;
    const baseline = baselineId === null ? null : await db.findOne(DriftBaseline, { id: baselineId });
    return { evaluation, version, artifacts, baseline };
  },
});

/** The unfinished evaluation that a job was for, with why the job ended; null when it was for something else. */
export const evaluationOfJob = defineQuery({
  name: 'evaluation.ofJob',
  describe: 'The unfinished evaluation of a job.',
  permission: 'evaluation:read',
  input: z.object({ jobId: z.string() }),
  handle: async ({ db, input }): Promise<{ id: string; reason: string } | null> => {
    const [row] = await db.sql<{ id: string; message: string }>(
      `select e.id, j.message from evaluation e join job j on j.id = e.job_id
        where e.job_id::text = $1 and e.finished_at is null`,
      [input.jobId],
    );
    return row ? { id: row.id, reason: row.message || 'The evaluation failed; try it again' } : null;
  },
});
