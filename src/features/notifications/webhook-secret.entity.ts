import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a webhook signs with. During a rotation there are two. */
@Entity('webhook_secret')
export class WebhookSecret {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'webhook_id' })
  webhookId!: string;

  @Column('text')
  sealed!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  /** Until when it still signs beside its successor; null: it is the current one. */
  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;
}
