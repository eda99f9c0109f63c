import type { ReadDb, Tx } from '../../../kernel/db.js';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import type { CommandContext } from '../../../kernel/command.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import { Report, type ReportSubject, type ReportTemplate } from '../report.entity.js';
import { renderJob } from '../reports.jobs.js';

/** The noun of each template. */
export const subjectOf: Readonly<Record<ReportTemplate, ReportSubject>> = {
  'model-version': 'modelVersion',
  'endpoint-period': 'endpoint',
};

const names: Readonly<Record<ReportTemplate, string>> = {
  'model-version': `select m.name || ', version ' || v.version as name
                      from model_version v join registered_model m on m.id = v.model_id
                     where v.id = $1 and v.deleted_at is null and m.deleted_at is null`,
  'endpoint-period': 'select name from endpoint where id = $1',
};

/** The name of a subject, or NOT_FOUND. */
export const subjectName = async (db: ReadDb, template: ReportTemplate, id: string): Promise<string> => {
  const [row] = await db.sql<{ name: string }>(names[template], [id]);
  if (!row) throw notFound(template === 'model-version' ? 'The version' : 'The endpoint');
  return row.name;
};

/** A period as asked for. */
export interface Period {
  readonly from: Date | null;
  readonly to: Date | null;
}

const longestDays = 400;
const dayMs = 86_400_000;

const fault = (path: string, message: string): never => {
  throw invalidInput(`The period of the report is not valid: ${path} ${message}`, [{ path, message }]);
};

const requireWhole = ({ from, to }: Period): { from: Date; to: Date } => ({
  from: from ?? fault('from', 'is required for endpoint-period'),
  to: to ?? fault('to', 'is required for endpoint-period'),
});

/** Only what has a period is given one, and it ends before now. */
export const requirePeriod = (template: ReportTemplate, period: Period, now: Date): void => {
  if (template === 'model-version') {
    if (period.from ?? period.to) fault('from', 'is for endpoint-period only; a version has no period');
    return;
  }
  const { from, to } = requireWhole(period);
  if (from >= to) fault('to', 'must be later than from');
  if (to > now) fault('to', 'lies in the future');
  const days = (to.getTime() - from.getTime()) / dayMs;
  if (days > longestDays) fault('from', `is more than ${String(longestDays)} days before to`);
};

/** What is asked for, by a person or by a schedule. */
export interface NewReport extends Period {
  readonly template: ReportTemplate;
  readonly subjectId: string;
  readonly subjectName: string;
  readonly scheduleId: string | null;
}

type Opening = Pick<CommandContext<unknown, unknown>, 'actor' | 'now' | 'enqueue'> & { readonly tx: Tx };

/** Writes a report down and asks for its rendering, in the caller's transaction. */
export const openReport = async (
  { tx, actor, now, enqueue }: Opening,
  asked: NewReport,
): Promise<{ id: string; jobId: string; audit: AuditEntry }> => {
  const id = newId();
  const { template, subjectId, from, to, scheduleId } = asked;
  const subject = { kind: 'report', id };
  const jobId = enqueue(renderJob, { reportId: id }, { subject });
  await tx.insert(Report, {
    id,
    jobId,
    template,
    subjectId,
    scheduleId,
    workspaceId: actor.workspaceId ?? '',
    title: asked.subjectName,
    subjectKind: subjectOf[template],
    periodFrom: from,
    periodTo: to,
    cutOff: now,
    state: 'QUEUED',
    requestedBy: actor.id,
    createdAt: now,
  });
  const period = from && to ? { from: from.toISOString(), to: to.toISOString() } : null;
  const audit: AuditEntry = {
    subject,
    changes: { state: { from: null, to: 'QUEUED' } },
    facts: { template, about: { kind: subjectOf[template], id: subjectId }, period, scheduleId },
  };
  return { id, jobId, audit };
};
