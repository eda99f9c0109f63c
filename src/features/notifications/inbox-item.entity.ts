import { Column, Entity, PrimaryColumn } from 'typeorm';

/** News for one person. */
@Entity('inbox_item')
export class InboxItem {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'news_id' })
  newsId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  /** Why this person is told. */
  @Column('text')
  why!: string;

  @Column('boolean', { name: 'in_app' })
  inApp!: boolean;

  /** Whether it waits for the mail of the day. */
  @Column('boolean', { name: 'digest_pending' })
  digestPending!: boolean;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'read_at', nullable: true })
  readAt!: Date | null;
}
