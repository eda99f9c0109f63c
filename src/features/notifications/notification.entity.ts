import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** Whether people were told. */
export const notificationState = z.enum(['SENT', 'NOT_SENT']).meta({ id: 'NotificationState' });

/** One state of the closed list. */
export type NotificationState = z.output<typeof notificationState>;

/** What people were told, or why not. */
@Entity('notification')
export class Notification {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  channel!: string;

  @Column('text', { name: 'subject_kind' })
  subjectKind!: string;

  @Column('uuid', { name: 'subject_id' })
  subjectId!: string;

  @Column('text')
  title!: string;

  @Column('text')
  state!: NotificationState;

  /** The vendor's id of the message. */
  @Column('text', { name: 'external_id', nullable: true })
  externalId!: string | null;

  /** Why it was not sent. */
  @Column('text', { nullable: true })
  reason!: string | null;

  /** The change that caused it. */
  @Column('text', { name: 'dedupe_key' })
  dedupeKey!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
