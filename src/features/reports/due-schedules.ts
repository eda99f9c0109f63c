import { z } from 'zod';
import type { Tx } from '../../kernel/db.js';
import { defineJob } from '../../kernel/job.js';
import { defineTick } from '../../kernel/tick.js';
import { runReportSchedule } from './reports.commands/run-schedule.js';

/** A schedule whose time has come. */
export interface DueSchedule {
  readonly id: string;
  readonly workspaceId: string;
  readonly organizationId: string | null;
  readonly dueAt: Date;
}

const mostAtOnce = 500;

/** Schedules of all workspaces whose time has come, the longest due first. */
export const dueSchedules = (tx: Pick<Tx, 'sql'>, now: Date): Promise<DueSchedule[]> =>
  tx.sql<DueSchedule>(
    `select s.id, s.workspace_id as "workspaceId", w.organization_id as "organizationId", s.next_run_at as "dueAt"
       from report_schedule s join workspace w on w.id = s.workspace_id
      where s.state = 'ACTIVE' and s.next_run_at <= $1 order by s.next_run_at limit $2`,
    [now, mostAtOnce],
  );

/** Settles what is due of one schedule. */
export const runScheduleJob = defineJob({
  name: 'reports.runSchedule',
  queue: 'light',
  payload: z.object({ scheduleId: z.uuid() }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload, run, actor, jobId }) => {
    await run(runReportSchedule, actor, payload, { effectKey: `${jobId}:run` });
  },
});

/** The clock of the schedules. */
export const scheduleTick = defineTick({
  name: 'reports.schedules',
  everyMs: 5000,
  look: async ({ tx, now, enqueue }) => {
    for (const { id, workspaceId, organizationId, dueAt } of await dueSchedules(tx, now)) {
      enqueue(runScheduleJob, { scheduleId: id }, { workspaceId, organizationId, key: `reports.runSchedule/${id}`, dueAt });
    }
  },
});
