import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { ReportSubject, ReportTemplate } from './report.entity.js';

/** What happens to times that passed while nothing ran: none is rendered, the last one, or each. */
export const catchUp = z.enum(['SKIP', 'ONCE', 'ALL']).meta({ id: 'CatchUp' });

/** One rule of the closed list. */
export type CatchUp = z.output<typeof catchUp>;

/** Whether it runs. */
export const scheduleState = z.enum(['ACTIVE', 'PAUSED']).meta({ id: 'ReportScheduleState' });

/** One state of the closed list. */
export type ScheduleState = z.output<typeof scheduleState>;

/** Asks for a report at the times of a cron expression, in a time zone. */
@Entity('report_schedule')
export class ReportSchedule {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  @Column('text')
  template!: ReportTemplate;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: ReportSubject;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('text')
  cron!: string;

  @Column('text', { name: 'time_zone' })
  timeZone!: string;

  @Column('text', { name: 'catch_up' })
  catchUp!: CatchUp;

  @Column('text')
  state!: ScheduleState;

  @Column('timestamptz', { name: 'next_run_at', nullable: true })
  nextRunAt!: Date | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
