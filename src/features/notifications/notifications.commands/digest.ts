import { z } from 'zod';
import { defineCommand, nothingChanged, type CommandOutcome } from '../../../kernel/command.js';
import { newId } from '../../../kernel/id.js';
import { Delivery } from '../delivery.entity.js';
import { deliverJob } from '../notifications.jobs/deliver.js';
import { graceMs } from '../retry.js';

/** A mail of more than this is read by nobody; the rest is in the inbox. */
const mostInOne = 100;

/** Puts what waits for one person's mail of the day into one mail; run by the clock's job only. */
export const sendDigest = defineCommand({
  name: 'news.digest',
  describe: 'Puts the news of a day for one person into one mail.',
  permission: 'notification:record',
  input: z.object({ userId: z.uuid(), before: z.coerce.date() }),
  target: (_, input) => Promise.resolve({ id: input.userId }),
  handle: async ({
    tx,
    actor,
    input,
    now,
    enqueue,
  }): Promise<CommandOutcome<{ deliveryId: string | null }>> => {
    const rows = await tx.sql<{ id: string; newsId: string; event: Delivery['event'] }>(
      `select i.id, i.news_id as "newsId", n.event from inbox_item i join news n on n.id = i.news_id
        where i.user_id = $1 and i.digest_pending and i.created_at < $2 order by i.id for update of i`,
      [input.userId, input.before],
    );
    const [first] = rows;
    if (!first) return { result: { deliveryId: null }, audit: nothingChanged };
    await tx.sql('update inbox_item set digest_pending = false where id = any($1)', [
      rows.map(({ id }) => id),
    ]);
    const id = newId();
    await tx.insert(Delivery, {
      id,
      workspaceId: actor.workspaceId ?? '',
      channel: 'EMAIL',
      userId: input.userId,
      webhookId: null,
      event: first.event,
      newsIds: rows.slice(-mostInOne).map(({ newsId }) => newsId),
      state: 'PENDING',
      attempts: 0,
      attemptsBefore: 0,
      nextTryAt: new Date(now.getTime() + graceMs),
      createdAt: now,
    });
    enqueue(deliverJob, { deliveryId: id, attempt: 1 });
    return {
      result: { deliveryId: id },
      audit: { subject: { kind: 'delivery', id }, facts: { digest: rows.length, userId: input.userId } },
    };
  },
});
