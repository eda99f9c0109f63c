import { z } from 'zod';
import { AppError, notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { actorName } from '../report-data.js';
import { reportState, type ReportState } from '../report.entity.js';

/** A report as shown. */
export interface ReportView {
  readonly id: string;
  readonly template: string;
  readonly title: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly periodFrom: Date | null;
  readonly periodTo: Date | null;
  readonly cutOff: Date;
  readonly state: ReportState;
  readonly failure: string | null;
  readonly jobId: string;
  readonly progress: number;
  readonly requestedBy: string;
  readonly requestedByName: string;
  readonly scheduleId: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly dataSha256: string | null;
  readonly pdfSha256: string | null;
  readonly pdfBytes: number | null;
  readonly xlsxSha256: string | null;
  readonly xlsxBytes: number | null;
}

const reportSelect = `
  select r.id, r.template, r.title, r.subject_kind as "subjectKind", r.subject_id as "subjectId",
         r.period_from as "periodFrom", r.period_to as "periodTo", r.cut_off as "cutOff", r.state, r.failure,
         r.job_id as "jobId", coalesce(j.progress, 0)::float8 as progress, r.requested_by as "requestedBy",
         ${actorName('r.requested_by')} as "requestedByName", r.schedule_id as "scheduleId",
         r.created_at as "createdAt", r.finished_at as "finishedAt", r.data_sha256 as "dataSha256",
         r.pdf_sha256 as "pdfSha256", r.pdf_bytes as "pdfBytes", r.xlsx_sha256 as "xlsxSha256", r.xlsx_bytes as "xlsxBytes"
    from report r left join job j on j.id = r.job_id`;

export const reportById = defineQuery({
  name: 'report.byId',
  describe: 'One report, with the progress of its rendering.',
  permission: 'report:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<ReportView> => {
    const [row] = await db.sql<ReportView>(`${reportSelect} where r.id = $1`, [input.id]);
    if (!row) throw notFound('The report');
    return row;
  },
});

export const listReports = defineQuery({
  name: 'report.list',
  describe: 'Reports, newest first; all of them, or those about one thing, of one schedule or in one state.',
  permission: 'report:read',
  input: z.object({
    ...pageInput,
    subjectId: z.uuid().nullish(),
    scheduleId: z.uuid().nullish(),
    state: reportState.nullish(),
  }),
  handle: async ({ db, input }): Promise<Page<ReportView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<ReportView>(
      `${reportSelect}
        where ($1::uuid is null or r.id < $1::uuid) and ($2::uuid is null or r.subject_id = $2::uuid)
          and ($3::uuid is null or r.schedule_id = $3::uuid) and ($4::text is null or r.state = $4)
        order by r.id desc limit $5`,
      [after?.[0] ?? null, input.subjectId ?? null, input.scheduleId ?? null, input.state ?? null, input.first + 1],
    );
    return pageOf(rows, input, (row) => [row.id], (row) => row);
  },
});

/** The files of a report. */
export const fileKind = z.enum(['pdf', 'xlsx', 'json']);

/** A file of a report, ready to be fetched. */
export interface ReportFile {
  readonly sha256: string;
  readonly name: string;
}

/** `Income routing, version 3` → `income-routing-version-3`. */
const fileName = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 80) || 'report';

/** Fetching a report leaves a trace: it holds what was decided about people, and by whom. */
export const readReportFile = defineQuery({
  name: 'report.download',
  describe: 'A file of a report.',
  permission: 'report:read',
  input: z.object({ id: z.uuid(), file: fileKind }),
  recordAccess: ({ id, file }, { sha256 }: ReportFile) => ({ subject: { kind: 'report', id }, facts: { file, sha256 } }),
  handle: async ({ db, input }): Promise<ReportFile> => {
    const [row] = await db.sql<ReportView>(`${reportSelect} where r.id = $1`, [input.id]);
    if (!row) throw notFound('The report');
    const digests = { pdf: row.pdfSha256, xlsx: row.xlsxSha256, json: row.dataSha256 };
    const sha256 = digests[input.file];
    if (row.state !== 'DONE' || sha256 === null) {
      throw new AppError('CONFLICT', `The report is ${row.state}; its files are there when it is DONE`, { state: row.state });
    }
    return { sha256, name: `${fileName(row.title)}-${row.createdAt.toISOString().slice(0, 10)}.${input.file}` };
  },
});

/** A schedule as shown. */
export interface ScheduleView {
  readonly id: string;
  readonly name: string;
  readonly template: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly catchUp: string;
  readonly state: string;
  readonly nextRunAt: Date | null;
  readonly lastRunAt: Date | null;
  readonly lastReportId: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
}

export const listReportSchedules = defineQuery({
  name: 'reportSchedule.list',
  describe: 'The schedules of reports, newest first.',
  permission: 'reportSchedule:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input }): Promise<Page<ScheduleView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<ScheduleView>(
      `select s.id, s.name, s.template, s.subject_kind as "subjectKind", s.subject_id as "subjectId", s.cron,
              s.time_zone as "timeZone", s.catch_up as "catchUp", s.state, s.next_run_at as "nextRunAt",
              l.scheduled_for as "lastRunAt", l.report_id as "lastReportId", s.created_by as "createdBy",
              s.created_at as "createdAt"
         from report_schedule s left join lateral (
              select r.scheduled_for, r.report_id from report_schedule_run r
               where r.schedule_id = s.id and r.outcome = 'RENDERED' order by r.scheduled_for desc limit 1) l on true
        where $1::uuid is null or s.id < $1::uuid order by s.id desc limit $2`,
      [after?.[0] ?? null, input.first + 1],
    );
    return pageOf(rows, input, (row) => [row.id], (row) => row);
  },
});
