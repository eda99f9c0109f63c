import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';
import type { NewsEvent } from './events.js';

/** How news leave. */
export const deliveryChannel = z.enum(['EMAIL', 'SLACK', 'WEBHOOK']).meta({ id: 'DeliveryChannel' });

/** One channel of the closed list. */
export type DeliveryChannel = z.output<typeof deliveryChannel>;

/** PENDING is still tried; DEAD was tried for as long as it makes sense; NOT_SENT was not tried, for a reason. */
export const deliveryState = z.enum(['PENDING', 'SENT', 'DEAD', 'NOT_SENT']).meta({ id: 'DeliveryState' });

/** One state of the closed list. */
export type DeliveryState = z.output<typeof deliveryState>;

/** News on their way to one person in one channel, or to one webhook. */
@Entity('delivery')
export class Delivery {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('text')
  channel!: DeliveryChannel;

  @Column('uuid', { name: 'user_id', nullable: true })
  userId!: string | null;

  @Column('uuid', { name: 'webhook_id', nullable: true })
  webhookId!: string | null;

  @Column('text')
  event!: NewsEvent;

  /** One, or those of a digest. */
  @Column('uuid', { name: 'news_ids', array: true })
  newsIds!: string[];

  @Column('text')
  state!: DeliveryState;

  @Column('integer')
  attempts!: number;

  /** How many attempts there had been when it was begun anew. */
  @Column('integer', { name: 'attempts_before' })
  attemptsBefore!: number;

  @Column('timestamptz', { name: 'next_try_at', nullable: true })
  nextTryAt!: Date | null;

  @Column('integer', { name: 'last_status', nullable: true })
  lastStatus!: number | null;

  @Column('text', { name: 'last_reason', nullable: true })
  lastReason!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null;
}
