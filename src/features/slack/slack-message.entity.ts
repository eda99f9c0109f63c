import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The message of a request, and what it shows. */
@Entity('slack_message')
export class SlackMessage {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'change_request_id' })
  changeRequestId!: string;

  @Column('text')
  channel!: string;

  @Column('text')
  ts!: string;

  @Column('text', { name: 'shown_sha256' })
  shownSha256!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
