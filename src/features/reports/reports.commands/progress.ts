import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { Report } from '../report.entity.js';

const lockReport = async (tx: Tx, where: { id: string } | { jobId: string }): Promise<Report> => {
  const report = await tx.lock(Report, where);
  if (!report) throw notFound('The report');
  return report;
};

/** A worker took it; run by the render job only. */
export const beginReport = defineCommand({
  name: 'report.begin',
  describe: 'Marks a report as being rendered.',
  permission: 'report:record',
  input: z.object({ reportId: z.uuid() }),
  target: (tx, input) => lockReport(tx, { id: input.reportId }),
  handle: async ({ tx, target: { id, state } }) => {
    if (state !== 'QUEUED') return { result: { id }, audit: nothingChanged };
    await tx.update(Report, { id }, { state: 'RUNNING' });
    return {
      result: { id },
      audit: { subject: { kind: 'report', id }, changes: { state: { from: state, to: 'RUNNING' } } },
    };
  },
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const file = z.object({ sha256, bytes: z.int().min(1) });

/** The files are stored; run by the render job only. */
export const recordReport = defineCommand({
  name: 'report.record',
  describe: 'Records the files of a rendered report.',
  permission: 'report:record',
  input: z.object({ reportId: z.uuid(), dataSha256: sha256, pdf: file, xlsx: file }),
  target: (tx, input) => lockReport(tx, { id: input.reportId }),
  handle: async ({ tx, input, target: { id, state, finishedAt }, now }) => {
    if (finishedAt !== null) return { result: { id }, audit: nothingChanged };
    const { dataSha256, pdf, xlsx } = input;
    await tx.update(
      Report,
      { id },
      {
        state: 'DONE',
        finishedAt: now,
        dataSha256,
        pdfSha256: pdf.sha256,
        pdfBytes: pdf.bytes,
        xlsxSha256: xlsx.sha256,
        xlsxBytes: xlsx.bytes,
      },
    );
    return {
      result: { id },
      audit: {
        subject: { kind: 'report', id },
        changes: { state: { from: state, to: 'DONE' } },
        facts: { dataSha256, pdf, xlsx },
      },
    };
  },
});

/** The job ended without files; run by the reaction to its last failure. */
export const failReport = defineCommand({
  name: 'report.fail',
  describe: 'Ends a report whose job failed for the last time.',
  permission: 'report:record',
  input: z.object({ jobId: z.uuid(), reason: z.string().min(1).max(1000) }),
  target: (tx, input) => lockReport(tx, { jobId: input.jobId }),
  handle: async ({ tx, input, target: { id, state, finishedAt }, now }) => {
    if (finishedAt !== null) return { result: { id }, audit: nothingChanged };
    await tx.update(Report, { id }, { state: 'FAILED', failure: input.reason, finishedAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'report', id },
        changes: { state: { from: state, to: 'FAILED' } },
        facts: { reason: input.reason },
      },
    };
  },
});
