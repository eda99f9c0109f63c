import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { SlackDelivery, type SlackDeliveryContent } from '../slack-delivery.entity.js';

const holdMs = 30_000;

/** What a job has in its hands. */
export interface Held {
  readonly id: string;
  readonly changeRequestId: string | null;
  readonly content: SlackDeliveryContent;
  readonly attempts: number;
  readonly uncertain: boolean;
  readonly createdAt: Date;
  /** Whether it is too late to send it. */
  readonly late: boolean;
}

/** The oldest that waits; null while another job has one in its hands, or the oldest waits for a time. */
const nextOf = async (tx: Tx, holder: string, now: Date): Promise<SlackDelivery | null> => {
  const [other] = await tx.sql(
    `select 1 from slack_delivery where state = 'SENDING' and holder <> $1 and held_until > $2 limit 1`,
    [holder, now],
  );
  if (other) return null;
  const [next] = await tx.find(SlackDelivery, {
    where: [{ state: 'SENDING' }, { state: 'WAITING' }],
    order: { id: 'ASC' },
    take: 1,
  });
  return next && next.nextAt <= now ? next : null;
};

/** Takes the oldest that waits. One job at a time has one of a workspace, so that they arrive in order. */
export const claimDelivery = defineCommand({
  name: 'slackDelivery.claim',
  describe: 'Takes what is to be sent to Slack next.',
  permission: 'slack:deliver',
  input: z.object({ holder: z.uuid() }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, input: { holder }, target, now }) => {
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('slack_delivery/' || $1, 0))`, [target.id]);
    const next = await nextOf(tx, holder, now);
    if (!next) return { result: null, audit: nothingChanged };
    // What was in somebody's hands before may have arrived: that job ended without saying.
    const uncertain = next.uncertain || next.state === 'SENDING';
    const attempts = next.attempts + 1;
    const heldUntil = new Date(now.getTime() + holdMs);
    await tx.update(
      SlackDelivery,
      { id: next.id },
      { state: 'SENDING', attempts, uncertain, holder, heldUntil },
    );
    const { id, changeRequestId, content, createdAt } = next;
    const result: Held = {
      id,
      changeRequestId,
      content,
      attempts,
      uncertain,
      createdAt,
      late: next.expiresAt <= now,
    };
    return {
      result,
      audit: {
        subject: { kind: 'slackDelivery', id },
        changes: { state: { from: next.state, to: 'SENDING' } },
        facts: { attempts },
      },
    };
  },
});
