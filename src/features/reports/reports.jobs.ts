import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { defineJob, defineReaction, type JobContext } from '../../kernel/job.js';
import type { StoredArtifact } from '../../kernel/ports.js';
import { beginReport, failReport, recordReport } from './reports.commands/progress.js';
import { buildPaper } from './reports.jobs/build-paper.js';
import { buildWorkbook } from './reports.jobs/build-workbook.js';
import { gatherReport, reportOfJob } from './reports.queries/gather.js';
import { readTemplate } from './template.js';

const mostBytes = 256 * 1_048_576;
const renderTimeoutMs = 300_000;

type Context = Pick<JobContext<unknown>, 'outside' | 'signal'>;

const once = async function* (content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(content);
};

const store = ({ outside }: Context, content: Uint8Array): Promise<StoredArtifact> =>
  outside.artifacts.put(once(content), { maxBytes: mostBytes });

/** Lays a document out in a worker thread and stores what comes back under its digest. */
const renderAndStore = async (context: Context, task: 'report.pdf' | 'report.xlsx', source: unknown): Promise<StoredArtifact> => {
  const { outside, signal } = context;
  const file = await outside.compute.run<Uint8Array>(task, source, { timeoutMs: renderTimeoutMs, signal });
  return store(context, file);
};

/** Renders a report. Files are stored under their digests, so a try that is repeated leaves nothing behind twice. */
export const renderJob = defineJob({
  name: 'reports.render',
  queue: 'heavy',
  payload: z.object({ reportId: z.uuid() }),
  attempts: 3,
  timeoutMs: 15 * 60_000,
  visible: true,
  handle: async (context) => {
    const { ask, run, actor, jobId, progress } = context;
    const { reportId } = context.payload;
    const { report, data } = await ask(gatherReport, actor, { reportId });
    if (report.finishedAt !== null) return;
    await run(beginReport, actor, { reportId });
    await progress(0.2, 'Data gathered');
    const canonical = Buffer.from(canonicalBytes(data));
    const dataSha256 = createHash('sha256').update(canonical).digest('hex');
    await store(context, canonical);
    const template = readTemplate(report.template);
    const names = { reportId, dataSha256 };
    const pdf = await renderAndStore(context, 'report.pdf', buildPaper(template, data, names));
    await progress(0.6, 'PDF rendered');
    const xlsx = await renderAndStore(context, 'report.xlsx', buildWorkbook(template, data, names));
    await run(recordReport, actor, { ...names, pdf, xlsx }, { effectKey: `${jobId}:record` });
    await progress(1, 'Ready');
  },
});

/** When the job failed for the last time, the report says so and why. */
export const noteFailedReport = defineReaction({
  name: 'reports.noteFailure',
  follows: [giveUpJob],
  attempts: 8,
  handle: async ({ payload, ask, run, actor }) => {
    for (const { id } of payload.subjects) {
      const found = await ask(reportOfJob, actor, { jobId: id });
      if (found) await run(failReport, actor, { jobId: id, reason: found.reason });
    }
  },
});
