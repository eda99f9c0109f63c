import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What became of one time at which a schedule was due. */
@Entity('report_schedule_run')
export class ReportScheduleRun {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'schedule_id' })
  scheduleId!: string;

  @Column('timestamptz', { name: 'scheduled_for' })
  scheduledFor!: Date;

  @Column('text')
  outcome!: 'RENDERED' | 'SKIPPED';

  @Column('uuid', { name: 'report_id', nullable: true })
  reportId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
