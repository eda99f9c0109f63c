import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What can go out of the ordinary. */
export const incidentKind = z.enum(['BREAK_GLASS']).meta({ id: 'IncidentKind' });

/** Whether somebody independent has looked at it. */
export const incidentState = z.enum(['OPEN', 'REVIEWED']).meta({ id: 'IncidentState' });

/** What whoever looked at it found. */
export const incidentVerdict = z.enum(['JUSTIFIED', 'UNJUSTIFIED']).meta({ id: 'IncidentVerdict' });

/** What went out of the ordinary and must be looked at by somebody independent. */
@Entity('incident')
export class Incident {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  kind!: z.output<typeof incidentKind>;

  @Column('text')
  title!: string;

  @Column('text')
  detail!: string;

  @Column('text')
  state!: z.output<typeof incidentState>;

  @Column('uuid', { name: 'model_id' })
  modelId!: string;

  @Column('uuid', { name: 'version_id' })
  versionId!: string;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('text', { name: 'opened_by' })
  openedBy!: string;

  @Column('timestamptz', { name: 'opened_at' })
  openedAt!: Date;

  @Column('timestamptz', { name: 'review_due_at' })
  reviewDueAt!: Date;

  @Column('text', { nullable: true })
  verdict!: z.output<typeof incidentVerdict> | null;

  @Column('text', { nullable: true })
  review!: string | null;

  @Column('text', { name: 'reviewed_by', nullable: true })
  reviewedBy!: string | null;

  @Column('timestamptz', { name: 'reviewed_at', nullable: true })
  reviewedAt!: Date | null;
}
