import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { Delivery, type DeliveryState } from '../delivery.entity.js';
import { disableAfterMs, nextTry } from '../retry.js';
import { Webhook } from '../webhook.entity.js';

const status = z.int().nullable().default(null);
const reason = z.string().min(1).max(1000);

/** How a try ended. */
const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('SENT'), status }),
  z.object({ kind: z.literal('RETRY'), status, reason, retryAfterSeconds: z.int().nullable().default(null) }),
  z.object({ kind: z.literal('DEAD'), status, reason }),
  z.object({ kind: z.literal('NOT_SENT'), status, reason }),
]);

/** How a try ended. */
export type DeliveryOutcome = z.input<typeof outcome>;

interface Settled {
  readonly state: DeliveryState;
  readonly nextTryAt: Date | null;
  readonly reason: string | null;
}

const settle = (delivery: Delivery, ended: z.output<typeof outcome>, now: Date): Settled => {
  if (ended.kind === 'SENT') return { state: 'SENT', nextTryAt: null, reason: null };
  if (ended.kind !== 'RETRY') return { state: ended.kind, nextTryAt: null, reason: ended.reason };
  const failed = delivery.attempts + 1 - delivery.attemptsBefore;
  const nextTryAt = nextTry(delivery.channel, failed, now, ended.retryAfterSeconds);
  return { state: nextTryAt === null ? 'DEAD' : 'PENDING', nextTryAt, reason: ended.reason };
};

const gone = 410;

/** Notes how the receiver does; says whether it has failed for so long that nobody listens any more. */
const noteHealth = async (
  tx: Tx,
  id: string,
  ended: z.output<typeof outcome>,
  now: Date,
): Promise<string | null> => {
  const webhook = await tx.lock(Webhook, { id });
  if (webhook?.state !== 'ACTIVE' || ended.kind === 'NOT_SENT') return null;
  if (ended.kind === 'SENT') {
    if (webhook.failingSince !== null) await tx.update(Webhook, { id }, { failingSince: null });
    return null;
  }
  const since = webhook.failingSince ?? now;
  if (webhook.failingSince === null) await tx.update(Webhook, { id }, { failingSince: now });
  if (ended.status === gone) return 'The receiver says that it is gone (410)';
  if (now.getTime() - since.getTime() < disableAfterMs) return null;
  return `Every delivery since ${since.toISOString().slice(0, 10)} has failed; at last: ${ended.reason}`;
};

/** Writes down how a try to deliver ended, and when the next one is due; run by the job that delivers only. */
export const recordDelivery = defineCommand({
  name: 'delivery.record',
  describe: 'Records how a try to deliver ended.',
  permission: 'notification:record',
  input: z.object({ deliveryId: z.uuid(), attempt: z.int().min(1), outcome }),
  target: async (tx, input) => {
    const found = await tx.lock(Delivery, { id: input.deliveryId });
    if (!found) throw notFound('The delivery');
    return found;
  },
  handle: async ({ tx, input, target, now }) => {
    const { attempt, outcome: ended } = input;
    const nothing = { result: { disable: null }, audit: nothingChanged } as const;
    if (target.state !== 'PENDING' || target.attempts !== attempt - 1) return nothing;
    const { state, nextTryAt, reason: why } = settle(target, ended, now);
    await tx.update(
      Delivery,
      { id: target.id },
      {
        state,
        nextTryAt,
        attempts: attempt,
        lastStatus: ended.status,
        lastReason: why,
        settledAt: state === 'PENDING' ? null : now,
      },
    );
    const disable = target.webhookId === null ? null : await noteHealth(tx, target.webhookId, ended, now);
    return {
      result: { disable },
      audit: {
        subject: { kind: 'delivery', id: target.id },
        changes: { state: { from: target.state, to: state }, attempts: { from: attempt - 1, to: attempt } },
        facts: {
          channel: target.channel,
          status: ended.status,
          reason: why,
          nextTryAt: nextTryAt?.toISOString() ?? null,
        },
      },
    };
  },
});

/** Ends what nobody answers; run by the job that delivers only. People are told, and may resume it. */
export const disableWebhook = defineCommand({
  name: 'webhook.disable',
  describe: 'Disables a webhook of which every delivery has failed for days.',
  permission: 'notification:record',
  input: z.object({ webhookId: z.uuid(), reason }),
  target: async (tx, input) => {
    const found = await tx.lock(Webhook, { id: input.webhookId });
    if (!found) throw notFound('The webhook');
    return found;
  },
  handle: async ({ tx, input, target, now }) => {
    const result = { id: target.id };
    if (target.state !== 'ACTIVE') return { result, audit: nothingChanged };
    await tx.update(
      Webhook,
      { id: target.id },
      { state: 'DISABLED', stateReason: input.reason, updatedAt: now },
    );
    return {
      result,
      audit: {
        subject: { kind: 'webhook', id: target.id },
        changes: { state: { from: target.state, to: 'DISABLED' } },
        facts: { reason: input.reason },
      },
    };
  },
});
