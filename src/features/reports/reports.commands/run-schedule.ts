import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { CommandContext } from '../../../kernel/command.js';
import { AppError } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ReportScheduleRun } from '../report-schedule-run.entity.js';
import { ReportSchedule } from '../report-schedule.entity.js';
import { planOf, previousTime, type DueTime } from '../schedule-times.js';
import { openReport, subjectName } from './open-report.js';
import { lockSchedule } from './schedules.js';

type Running = Pick<CommandContext<unknown, unknown>, 'tx' | 'actor' | 'now' | 'enqueue'>;

/** The name of what is reported on, or null when it is no longer there. */
const nameOf = async ({ tx }: Running, { template, subjectId }: ReportSchedule): Promise<string | null> => {
  try {
    return await subjectName(tx, template, subjectId);
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
};

/** The report of one time: its period ends there and begins at the time before. */
const openAt = async (running: Running, schedule: ReportSchedule, at: Date, name: string) => {
  const hasPeriod = schedule.template === 'endpoint-period';
  return openReport(running, {
    template: schedule.template,
    subjectId: schedule.subjectId,
    subjectName: name,
    from: hasPeriod ? previousTime(schedule, at) : null,
    to: hasPeriod ? at : null,
    scheduleId: schedule.id,
  });
};

const settle = async (running: Running, schedule: ReportSchedule, due: DueTime, name: string): Promise<AuditEntry[]> => {
  const opened = due.outcome === 'RENDERED' ? await openAt(running, schedule, due.at, name) : null;
  await running.tx.insert(ReportScheduleRun, {
    id: newId(),
    workspaceId: schedule.workspaceId,
    scheduleId: schedule.id,
    scheduledFor: due.at,
    outcome: due.outcome,
    reportId: opened?.id ?? null,
    createdAt: running.now,
  });
  return opened ? [opened.audit] : [];
};

/** Settles every time that has passed; run by the job of the clock only. Asked twice, the second finds nothing due. */
export const runReportSchedule = defineCommand({
  name: 'reportSchedule.run',
  describe: 'Opens the reports that a schedule has made due.',
  permission: 'report:record',
  input: z.object({ scheduleId: z.uuid() }),
  target: (tx, input) => lockSchedule(tx, input.scheduleId),
  handle: async ({ tx, actor, target: schedule, now, enqueue }) => {
    const { id, nextRunAt, cron, timeZone, catchUp } = schedule;
    if (nextRunAt === null || nextRunAt > now) return { result: { id, opened: 0 }, audit: nothingChanged };
    const running: Running = { tx, actor, now, enqueue };
    const name = await nameOf(running, schedule);
    if (name === null) {
      await tx.update(ReportSchedule, { id }, { state: 'PAUSED', nextRunAt: null });
      const facts = { reason: 'What it reports on is no longer there' };
      const changes = { state: { from: schedule.state, to: 'PAUSED' } };
      return { result: { id, opened: 0 }, audit: { subject: { kind: 'reportSchedule', id }, changes, facts } };
    }
    const plan = planOf({ cron, timeZone, catchUp, nextRunAt }, now);
    const opened: AuditEntry[] = [];
    for (const due of plan.due) opened.push(...(await settle(running, schedule, due, name)));
    await tx.update(ReportSchedule, { id }, { nextRunAt: plan.next });
    const settled: AuditEntry = {
      subject: { kind: 'reportSchedule', id },
      changes: { nextRunAt: { from: nextRunAt, to: plan.next } },
      facts: { times: plan.due.map(({ at, outcome }) => ({ at: at.toISOString(), outcome })) },
    };
    return { result: { id, opened: opened.length }, audit: [settled, ...opened] };
  },
});
