import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { NotificationEvent, NotificationMode, PersonChannel } from './events.js';

/** How a person wants to be told of an event in a channel; without one, the default holds. */
@Entity('notification_preference')
export class NotificationPreference {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  event!: NotificationEvent;

  @Column('text')
  channel!: PersonChannel;

  @Column('text')
  mode!: NotificationMode;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
