import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { qualityReport, type QualityReport } from '../../../kernel/data-expectations.js';
import { notFound } from '../../../kernel/errors.js';
import { DataQualityCheck } from '../data-quality-check.entity.js';

const outcomeOf = (report: QualityReport | null) =>
  report
    ? ({ state: 'DONE', report, verdict: report.verdict } as const)
    : ({ state: 'FAILED', report: null, verdict: null } as const);

/** Writes down what was found; run by the job only. */
export const recordQuality = defineCommand({
  name: 'datasetVersion.recordQuality',
  describe: 'Records what a check of data found, or why it could not be made.',
  permission: 'dataset:recordProfile',
  input: z.object({
    checkId: z.uuid(),
    report: qualityReport.nullable(),
    message: z.string().min(1).max(2000),
  }),
  target: async (tx, input) => {
    const check = await tx.lock(DataQualityCheck, { id: input.checkId });
    if (!check) throw notFound('The check');
    return check;
  },
  handle: async ({ tx, input, target, now }) => {
    const { id } = target;
    if (target.state !== 'QUEUED') return { result: { id }, audit: nothingChanged };
    const next = outcomeOf(input.report);
    await tx.update(DataQualityCheck, { id }, { ...next, message: input.message, finishedAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'dataQualityCheck', id },
        changes: { state: { from: target.state, to: next.state } },
        facts: {
          datasetVersionId: target.datasetVersionId,
          sha256: target.sha256,
          verdict: next.verdict,
          message: input.message,
          failed: (input.report?.results ?? []).filter(({ verdict }) => verdict !== 'PASS').length,
        },
      },
    };
  },
});
