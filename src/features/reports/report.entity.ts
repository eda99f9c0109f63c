import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What a report can be about, and so how it is built. */
export const reportTemplate = z.enum(['model-version', 'endpoint-period']);

/** One template of the closed list. */
export type ReportTemplate = z.output<typeof reportTemplate>;

/** The noun that a template is about. */
export type ReportSubject = 'modelVersion' | 'endpoint';

/** Where a report stands. */
export const reportState = z.enum(['QUEUED', 'RUNNING', 'DONE', 'FAILED']).meta({ id: 'ReportState' });

/** One state of the closed list. */
export type ReportState = z.output<typeof reportState>;

/** A rendered document about a subject, with a period where the template has one. */
@Entity('report')
export class Report {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  template!: ReportTemplate;

  @Column('text')
  title!: string;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: ReportSubject;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('timestamptz', { name: 'period_from', nullable: true })
  periodFrom!: Date | null;

  @Column('timestamptz', { name: 'period_to', nullable: true })
  periodTo!: Date | null;

  /** Nothing later than this is in it. */
  @Column('timestamptz', { name: 'cut_off' })
  cutOff!: Date;

  @Column('text')
  state!: ReportState;

  @Column('text', { nullable: true })
  failure!: string | null;

  @Column('uuid', { name: 'job_id' })
  jobId!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('uuid', { name: 'schedule_id', nullable: true })
  scheduleId!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  @Column('text', { name: 'data_sha256', nullable: true })
  dataSha256!: string | null;

  @Column('text', { name: 'pdf_sha256', nullable: true })
  pdfSha256!: string | null;

  @Column('integer', { name: 'pdf_bytes', nullable: true })
  pdfBytes!: number | null;

  @Column('text', { name: 'xlsx_sha256', nullable: true })
  xlsxSha256!: string | null;

  @Column('integer', { name: 'xlsx_bytes', nullable: true })
  xlsxBytes!: number | null;
}
