import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Whose account in Slack it is, as the person showed by signing in. */
@Entity('slack_link')
export class SlackLink {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text', { name: 'team_id' })
  teamId!: string;

  @Column('text', { name: 'slack_user_id' })
  slackUserId!: string;

  /** The one-time link that was used. */
  @Column('uuid', { name: 'ticket_id' })
  ticketId!: string;

  @Column('timestamptz', { name: 'linked_at' })
  linkedAt!: Date;

  @Column('timestamptz', { name: 'unlinked_at', nullable: true })
  unlinkedAt!: Date | null;

  @Column('text', { name: 'unlinked_by', nullable: true })
  unlinkedBy!: string | null;
}
