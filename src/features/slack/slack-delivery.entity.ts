import { Column, Entity, PrimaryColumn } from 'typeorm';
import { z } from 'zod';

/** SENDING is in the hands of one job; the last two are ends. */
export const slackDeliveryState = z
  .enum(['WAITING', 'SENDING', 'SENT', 'NOT_SENT'])
  .meta({ id: 'SlackDeliveryState' });

/** One state of the closed list. */
export type SlackDeliveryState = z.output<typeof slackDeliveryState>;

const toOne = { channel: z.string().min(1).max(100), user: z.string().min(1).max(100) };

/** What is to be sent. What a message shows is drawn when it goes out, so that it is never old. */
export const slackContent = z.discriminatedUnion('kind', [
  /** The message of a request. */
  z.object({ kind: z.literal('REQUEST') }),
  /** The same message again, as the request stands then. */
  z.object({ kind: z.literal('UPDATE') }),
  /** A line of its history, in its thread. */
  z.object({ kind: z.literal('HISTORY'), text: z.string().min(1).max(6000) }),
  z.object({ kind: z.literal('REMINDER'), why: z.enum(['EXPIRES', 'WAITS']) }),
  z.object({ kind: z.literal('ESCALATION') }),
  /** What only one person sees. */
  z.object({
    kind: z.literal('WHISPER'),
    ...toOne,
    threadTs: z.string().max(40).nullable(),
    lines: z.array(z.string().min(1).max(3000)).min(1).max(20),
    link: z
      .object({ label: z.string().min(1).max(200), path: z.string().startsWith('/').max(2000) })
      .nullable(),
  }),
  /** The way to link an account; the link itself is made when it goes out and stands nowhere. */
  z.object({ kind: z.literal('LINK'), ...toOne, teamId: z.string().min(1).max(100) }),
]);

/** One thing to be sent. */
export type SlackDeliveryContent = z.output<typeof slackContent>;

/** Something that goes to Slack: it waits here until Slack has it, in order, however long Slack is down. */
@Entity('slack_delivery')
export class SlackDelivery {
  @PrimaryColumn('uuid')
  id!: string;

  @Column('uuid', { name: 'workspace_id' })
  workspaceId!: string;

  @Column('uuid', { name: 'change_request_id', nullable: true })
  changeRequestId!: string | null;

  @Column('jsonb')
  content!: SlackDeliveryContent;

  @Column('text', { name: 'dedupe_key' })
  dedupeKey!: string;

  @Column('text')
  state!: SlackDeliveryState;

  @Column('integer')
  attempts!: number;

  @Column('boolean')
  uncertain!: boolean;

  @Column('timestamptz', { name: 'next_at' })
  nextAt!: Date;

  @Column('uuid', { nullable: true })
  holder!: string | null;

  @Column('timestamptz', { name: 'held_until', nullable: true })
  heldUntil!: Date | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { nullable: true })
  ts!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt!: Date | null;
}
