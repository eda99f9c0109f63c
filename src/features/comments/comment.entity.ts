import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** What people comment on, in the words of the trail. */
export const commentSubject = z
  .enum(['changeRequest', 'modelVersion', 'finding', 'review'])
  .meta({ id: 'CommentSubjectKind' });

/** One kind of the closed list. */
export type CommentSubject = z.output<typeof commentSubject>;

/** Where a comment was written. */
export const commentVia = z.enum(['COUNTERSIGN', 'SLACK']).meta({ id: 'CommentVia' });

/** One place of the closed list. */
export type CommentVia = z.output<typeof commentVia>;

/** What somebody said about a thing; what it says stands in its revisions. */
@Entity('comment')
export class Comment {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: CommentSubject;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  /** Whose key seals the text; null when it is stored as it is. */
  @Column('text', { name: 'sealed_for', nullable: true })
  sealedFor!: string | null;

  @Column('text', { name: 'author_kind' })
  authorKind!: 'user' | 'service' | 'system';

  @Column('text', { name: 'author_id' })
  authorId!: string;

  @Column('text')
  via!: CommentVia;

  @Column('integer')
  revision!: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'edited_at', nullable: true })
  editedAt!: Date | null;

  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt!: Date | null;

  @Column('text', { name: 'deleted_by', nullable: true })
  deletedBy!: string | null;

  @Column('text', { name: 'delete_reason', nullable: true })
  deleteReason!: string | null;
}
