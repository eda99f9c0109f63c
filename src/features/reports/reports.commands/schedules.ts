import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { catchUp, ReportSchedule } from '../report-schedule.entity.js';
import { reportTemplate } from '../report.entity.js';
import { nextTime, requireTimetable } from '../schedule-times.js';
import { subjectName, subjectOf } from './open-report.js';

export const createReportSchedule = defineCommand({
  name: 'reportSchedule.create',
  describe: 'Asks for a report again and again, at the times of a cron expression in a time zone.',
  permission: 'reportSchedule:manage',
  input: z.object({
    name: z.string().trim().min(1).max(200),
    template: z.string().pipe(reportTemplate).describe('`model-version` or `endpoint-period`.'),
    subjectId: z.uuid(),
    cron: z.string().trim().min(9).max(100).describe('Minute, hour, day of month, month, day of week.'),
    timeZone: z.string().trim().min(1).max(100).describe('Like Europe/Berlin or UTC.'),
    catchUp: catchUp.default('ONCE').describe('For times that passed while nothing ran: none, the last one, or each.'),
  }),
  target: async (tx, input) => ({ id: input.subjectId, name: await subjectName(tx, input.template, input.subjectId) }),
  handle: async ({ tx, actor, input, now }) => {
    requireTimetable(input, now);
    const id = newId();
    const nextRunAt = nextTime(input, now);
    const { name, template, subjectId, cron, timeZone } = input;
    await tx.insert(ReportSchedule, {
      id,
      name,
      template,
      subjectId,
      cron,
      timeZone,
      nextRunAt,
      workspaceId: actor.workspaceId ?? '',
      subjectKind: subjectOf[template],
      catchUp: input.catchUp,
      state: 'ACTIVE',
      createdBy: actor.id,
      createdAt: now,
    });
    return {
      result: { id },
      audit: {
        subject: { kind: 'reportSchedule', id },
        changes: { state: { from: null, to: 'ACTIVE' }, nextRunAt: { from: null, to: nextRunAt } },
        facts: { name, template, subjectId, cron, timeZone, catchUp: input.catchUp },
      },
    };
  },
});

/** The schedule, locked until the transaction ends, or NOT_FOUND. */
export const lockSchedule = async (tx: Tx, id: string): Promise<ReportSchedule> => {
  const schedule = await tx.lock(ReportSchedule, { id });
  if (!schedule) throw notFound('The schedule');
  return schedule;
};

export const pauseReportSchedule = defineCommand({
  name: 'reportSchedule.pause',
  describe: 'Stops a schedule until it is resumed. What is being rendered goes on.',
  permission: 'reportSchedule:manage',
  input: z.object({ scheduleId: z.uuid() }),
  target: (tx, input) => lockSchedule(tx, input.scheduleId),
  handle: async ({ tx, target: { id, state } }) => {
    if (state === 'PAUSED') return { result: { id }, audit: nothingChanged };
    await tx.update(ReportSchedule, { id }, { state: 'PAUSED', nextRunAt: null });
    return {
      result: { id },
      audit: { subject: { kind: 'reportSchedule', id }, changes: { state: { from: state, to: 'PAUSED' } } },
    };
  },
});

export const resumeReportSchedule = defineCommand({
  name: 'reportSchedule.resume',
  describe: 'Lets a paused schedule go on from now; times that passed while it was paused are not made up for.',
  permission: 'reportSchedule:manage',
  input: z.object({ scheduleId: z.uuid() }),
  target: (tx, input) => lockSchedule(tx, input.scheduleId),
  handle: async ({ tx, target, now }) => {
    const { id, state } = target;
    if (state === 'ACTIVE') throw conflict('The schedule is active already', { state });
    const nextRunAt = nextTime(target, now);
    await tx.update(ReportSchedule, { id }, { state: 'ACTIVE', nextRunAt });
    return {
      result: { id },
      audit: {
        subject: { kind: 'reportSchedule', id },
        changes: { state: { from: state, to: 'ACTIVE' }, nextRunAt: { from: null, to: nextRunAt } },
      },
    };
  },
});
