import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import {
  deliveryChannel,
  deliveryState,
  type DeliveryChannel,
  type DeliveryState,
} from '../delivery.entity.js';
import type { NewsEvent } from '../events.js';
import type { Webhook } from '../webhook.entity.js';

/** A webhook as shown: neither its address nor its secrets. */
export type WebhookView = Pick<
  Webhook,
  | 'id'
  | 'name'
  | 'target'
  | 'format'
  | 'events'
  | 'state'
  | 'stateReason'
  | 'failingSince'
  | 'createdBy'
  | 'createdAt'
> & { readonly oldSecretEndsAt: Date | null; readonly dead: number };

export const listWebhooks = defineQuery({
  name: 'webhook.list',
  describe: 'The other systems that are told, newest first.',
  permission: 'webhook:read',
  input: z.object({ ...pageInput }),
  handle: async ({ db, input, now }): Promise<Page<WebhookView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<WebhookView>(
      `select w.id, w.name, w.target, w.format, w.events, w.state, w.state_reason as "stateReason",
              w.failing_since as "failingSince", w.created_by as "createdBy", w.created_at as "createdAt",
              (select max(s.expires_at) from webhook_secret s where s.webhook_id = w.id and s.expires_at > $3)
                as "oldSecretEndsAt",
              (select count(*)::int from delivery d where d.webhook_id = w.id and d.state = 'DEAD') as dead
         from webhook w where w.state <> 'DELETED' and ($1::uuid is null or w.id < $1::uuid)
        order by w.id desc limit $2`,
      [after?.[0] ?? null, input.first + 1, now],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** A delivery as shown. */
export interface DeliveryView {
  readonly id: string;
  readonly channel: DeliveryChannel;
  readonly webhookId: string | null;
  readonly userId: string | null;
  readonly event: NewsEvent;
  readonly title: string | null;
  readonly news: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextTryAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastReason: string | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

export const listDeliveries = defineQuery({
  name: 'delivery.list',
  describe:
    'What was sent and how it went, newest first; of one webhook, in one channel, or in one state. DEAD are the dead letters.',
  permission: 'webhook:read',
  input: z.object({
    ...pageInput,
    webhookId: z.uuid().nullish(),
    channel: deliveryChannel.nullish(),
    state: deliveryState.nullish(),
  }),
  handle: async ({ db, input }): Promise<Page<DeliveryView>> => {
    const after = readCursor(input.after);
    // What a person was told of is between them and who told it: of those only that there was something.
    const rows = await db.sql<DeliveryView>(
      `select d.id, d.channel, d.webhook_id as "webhookId", d.user_id as "userId", d.event,
              (select n.title from news n where d.webhook_id is not null and n.id = d.news_ids[1]) as title,
              cardinality(d.news_ids) as news, d.state, d.attempts, d.next_try_at as "nextTryAt",
              d.last_status as "lastStatus", d.last_reason as "lastReason", d.created_at as "createdAt",
              d.settled_at as "settledAt"
         from delivery d
        where ($1::uuid is null or d.id < $1::uuid) and ($2::uuid is null or d.webhook_id = $2::uuid)
          and ($3::text is null or d.channel = $3) and ($4::text is null or d.state = $4)
        order by d.id desc limit $5`,
      [
        after?.[0] ?? null,
        input.webhookId ?? null,
        input.channel ?? null,
        input.state ?? null,
        input.first + 1,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
