import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { deliverJob } from '../notifications.jobs/deliver.js';
import { graceMs } from '../retry.js';
import { Webhook } from '../webhook.entity.js';

const mostAtOnce = 1000;

const activeWebhook = async (tx: Tx, id: string): Promise<Webhook> => {
  const webhook = await tx.lock(Webhook, { id });
  if (!webhook || webhook.state === 'DELETED') throw notFound('The webhook');
  return webhook;
};

const requireActive = ({ state }: Webhook): void => {
  if (state === 'ACTIVE') return;
  throw new AppError('PRECONDITION_FAILED', 'Resume the webhook first', { rule: 'not-active', state });
};

interface Begun {
  readonly id: string;
  readonly attempts: number;
}

/** Begins deliveries anew: the same messages, under the names they had, with the whole row of tries before them. */
const beginAnew = async (tx: Tx, ids: readonly string[], now: Date): Promise<Begun[]> => {
  const rows = await tx.sql<Begun>(
    `update delivery set state = 'PENDING', attempts_before = attempts, next_try_at = $2, settled_at = null
      where id = any($1) returning id, attempts`,
    [ids, new Date(now.getTime() + graceMs)],
  );
  return rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
};

export const replayDelivery = defineCommand({
  name: 'delivery.replay',
  describe: 'Sends one message to a webhook again, under the same name.',
  permission: 'webhook:manage',
  input: z.object({ deliveryId: z.uuid() }),
  target: async (tx, input) => {
    const [row] = await tx.sql<{ id: string; state: string; webhookId: string }>(
      `select id, state, webhook_id as "webhookId" from delivery
        where id = $1 and channel = 'WEBHOOK' for update`,
      [input.deliveryId],
    );
    if (!row) throw notFound('The delivery');
    return { ...row, webhook: await activeWebhook(tx, row.webhookId) };
  },
  handle: async ({ tx, target, now, enqueue }) => {
    requireActive(target.webhook);
    if (target.state === 'PENDING') {
      throw conflict('The message is on its way already', { rule: 'delivery-pending' });
    }
    for (const { id, attempts } of await beginAnew(tx, [target.id], now)) {
      enqueue(deliverJob, { deliveryId: id, attempt: attempts + 1 });
    }
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'delivery', id: target.id },
        changes: { state: { from: target.state, to: 'PENDING' } },
      },
    };
  },
});

export const replayDeliveries = defineCommand({
  name: 'webhook.replay',
  describe:
    'Sends again what has not reached a webhook since a time, oldest first and a thousand at most; ask again for the rest.',
  permission: 'webhook:manage',
  input: z.object({
    webhookId: z.uuid(),
    since: z.coerce.date(),
    delivered: z.boolean().default(false).describe('Also what has arrived.'),
  }),
  target: (tx, input) => activeWebhook(tx, input.webhookId),
  handle: async ({ tx, input, target, now, enqueue }) => {
    requireActive(target);
    const rows = await tx.sql<{ id: string }>(
      `select id from delivery
        where webhook_id = $1 and created_at >= $2 and (state in ('DEAD', 'NOT_SENT') or ($3 and state = 'SENT'))
        order by id limit $4 for update`,
      [target.id, input.since, input.delivered, mostAtOnce],
    );
    if (rows.length === 0) return { result: { changed: 0 }, audit: nothingChanged };
    const ids = rows.map(({ id }) => id);
    for (const { id, attempts } of await beginAnew(tx, ids, now)) {
      enqueue(deliverJob, { deliveryId: id, attempt: attempts + 1 });
    }
    return {
      result: { changed: ids.length },
      audit: {
        subject: { kind: 'webhook', id: target.id },
        facts: { replayed: ids.length, since: input.since.toISOString(), delivered: input.delivered },
      },
    };
  },
});
