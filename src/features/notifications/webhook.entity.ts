import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { webhookEvent } from './events.js';

/** The form of what is sent. */
export const webhookFormat = z.enum(['STANDARD', 'TEAMS', 'JSON']).meta({ id: 'WebhookFormat' });

/** One form of the closed list. */
export type WebhookFormat = z.output<typeof webhookFormat>;

/** PAUSED by a person, DISABLED by the product after days of failures. */
export const webhookState = z.enum(['ACTIVE', 'PAUSED', 'DISABLED', 'DELETED']).meta({ id: 'WebhookState' });

/** One state of the closed list. */
export type WebhookState = z.output<typeof webhookState>;

/** Another system that is told. */
@Entity('webhook')
export class Webhook {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  name!: string;

  /** Where it leads, without what may be a secret in it. */
  @Column('text')
  target!: string;

  @Column('text', { name: 'sealed_url' })
  sealedUrl!: string;

  @Column('text')
  format!: WebhookFormat;

  @Column('text', { array: true })
  events!: z.output<typeof webhookEvent>[];

  @Column('text')
  state!: WebhookState;

  @Column('text', { name: 'state_reason', nullable: true })
  stateReason!: string | null;

  /** Since when every delivery has failed. */
  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt!: Date;
}
