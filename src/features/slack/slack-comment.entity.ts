import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a linked person answered in the thread of a request. */
@Entity('slack_comment')
export class SlackComment {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  text!: string;

  @Column('text')
  channel!: string;

  @Column('text')
  ts!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;
}
