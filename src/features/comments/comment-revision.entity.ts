import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a comment said at one time; added, never rewritten. */
@Entity('comment_revision')
export class CommentRevision {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'comment_id' })
  commentId!: string;

  @Column('integer')
  revision!: number;

  /** Markdown as it was written; sealed when the comment says for whom. */
  @Column('text')
  body!: string;

  /** The people it names, found when it was written. */
  @Column('uuid', { array: true })
  mentions!: string[];

  @Column('timestamptz', { name: 'written_at' })
  writtenAt!: Date;
}
