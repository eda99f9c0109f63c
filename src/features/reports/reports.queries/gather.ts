import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import type { ReportData } from '../report-data.js';
import { Report } from '../report.entity.js';
import { endpointPeriodData } from './endpoint-period-data.js';
import { modelVersionData } from './model-version-data.js';

/** What the render job works on: the report, and all that it will show. */
export const gatherReport = defineQuery({
  name: 'report.gather',
  describe: 'Everything that a report shows.',
  permission: 'report:record',
  input: z.object({ reportId: z.uuid() }),
  handle: async ({ db, input }): Promise<{ report: Report; data: ReportData }> => {
    const report = await db.findOne(Report, { id: input.reportId });
    if (!report) throw notFound('The report');
    const data = await (report.template === 'model-version' ? modelVersionData(db, report) : endpointPeriodData(db, report));
    return { report, data };
  },
});

/** The unfinished report that a job was for, with why the job ended; null when it was for something else. */
export const reportOfJob = defineQuery({
  name: 'report.ofJob',
  describe: 'The unfinished report of a job.',
  permission: 'report:record',
  input: z.object({ jobId: z.string() }),
  handle: async ({ db, input }): Promise<{ id: string; reason: string } | null> => {
    const [row] = await db.sql<{ id: string; message: string }>(
      `select r.id, j.message from report r join job j on j.id = r.job_id
        where r.job_id::text = $1 and r.finished_at is null`,
      [input.jobId],
    );
    return row ? { id: row.id, reason: row.message || 'The report could not be rendered; ask for it again' } : null;
  },
});
