import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** How much is at stake. */
export const findingSeverity = z.enum(['LOW', 'MEDIUM', 'HIGH']).meta({ id: 'FindingSeverity' });

/** One severity of the closed list. */
export type FindingSeverity = z.output<typeof findingSeverity>;

/** Whether something is still to be done. */
export const findingState = z.enum(['OPEN', 'RESOLVED']).meta({ id: 'FindingState' });

/** One state of the closed list. */
export type FindingState = z.output<typeof findingState>;

/** What a finding can be about, in the words of the trail. */
export const findingSubject = z
  .enum(['model', 'modelVersion', 'useCase', 'changeRequest', 'endpoint'])
  .meta({ id: 'FindingSubjectKind' });

/** One kind of the closed list. */
export type FindingSubject = z.output<typeof findingSubject>;

/** Something wrong or open, with severity, owner and due date. */
@Entity('finding')
export class Finding {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  title!: string;

  @Column('text')
  detail!: string;

  @Column('text')
  severity!: FindingSeverity;

  @Column('uuid', { name: 'owner_id' })
  ownerId!: string;

  @Column('timestamptz', { name: 'due_at' })
  dueAt!: Date;

  @Column('text')
  state!: FindingState;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: FindingSubject;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('uuid', { name: 'change_request_id', nullable: true })
  changeRequestId!: string | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('text', { nullable: true })
  resolution!: string | null;

  @Column('text', { name: 'resolved_by', nullable: true })
  resolvedBy!: string | null;

  @Column('timestamptz', { name: 'resolved_at', nullable: true })
  resolvedAt!: Date | null;
}
