import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How a channel that is not ours knows a person. */
@Entity('notification_address')
export class NotificationAddress {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  channel!: 'SLACK';

  @Column('text')
  address!: string;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
