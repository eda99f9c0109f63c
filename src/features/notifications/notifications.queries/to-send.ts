import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { defineQuery } from '../../../kernel/query.js';
import type { Unsealer } from '../../../kernel/sealing.js';
import { Delivery } from '../delivery.entity.js';
import type { News } from '../news.entity.js';
import { secretPlace, sealedAs, urlPlace } from '../webhook-sealing.js';
import type { WebhookFormat } from '../webhook.entity.js';

/** News as they are sent. */
export type SentNews = Pick<
  News,
  'id' | 'event' | 'subjectKind' | 'subjectId' | 'title' | 'lines' | 'link' | 'createdAt'
>;

interface Common {
  readonly id: string;
  readonly news: readonly SentNews[];
  readonly workspace: { readonly id: string; readonly name: string };
}

/** Everything that a delivery needs; null where it is not to be made any more. */
export type ToSend =
  | (Common & { readonly channel: 'EMAIL' | 'SLACK'; readonly to: string | null })
  | (Common & {
      readonly channel: 'WEBHOOK';
      readonly webhookId: string;
      readonly state: string;
      readonly format: WebhookFormat;
      readonly url: string;
      /** The current one first. */
      readonly secrets: readonly string[];
    });

const addresses: Readonly<Record<'EMAIL' | 'SLACK', string>> = {
  EMAIL: `select u.email as "to" from app_user u join member m on m.user_id = u.id
           where u.id = $1 and u.disabled_at is null`,
  SLACK: `select a.address as "to" from notification_address a join member m on m.user_id = a.user_id
          where a.user_id = $1 and a.channel = 'SLACK'`,
};

const webhookOf = async (db: ReadDb, unsealer: Unsealer, id: string, now: Date) => {
  const [row] = await db.sql<{ state: string; format: WebhookFormat; sealed: string }>(
    `select state, format, sealed_url as sealed from webhook where id = $1`,
    [id],
  );
  if (!row) throw new Error('A delivery to a webhook that was never there');
  const secrets = await db.sql<{ id: string; sealed: string }>(
    `select id, sealed from webhook_secret where webhook_id = $1 and (expires_at is null or expires_at > $2)
      order by expires_at desc nulls first`,
    [id, now],
  );
  const opened: string[] = [];
  for (const secret of secrets) {
    opened.push(z.string().parse(await unsealer.unseal(sealedAs(id), secretPlace(secret.id), secret.sealed)));
  }
  const url = row.sealed === '' ? '' : await unsealer.unseal(sealedAs(id), urlPlace(id), row.sealed);
  return { webhookId: id, state: row.state, format: row.format, url: z.string().parse(url), secrets: opened };
};

export const deliveryToSend = defineQuery({
  name: 'delivery.toSend',
  describe: 'What is to be sent, to where, signed with what; asked by the job that sends it only.',
  permission: 'notification:record',
  input: z.object({ deliveryId: z.uuid(), attempt: z.int().min(1) }),
  handle: async ({ db, input, now, unsealer }): Promise<ToSend | null> => {
    const delivery = await db.findOne(Delivery, { id: input.deliveryId });
    if (delivery?.state !== 'PENDING' || delivery.attempts !== input.attempt - 1) return null;
    const news = await db.sql<SentNews>(
      `select id, event, subject_kind as "subjectKind", subject_id as "subjectId", title, lines, link,
              created_at as "createdAt" from news where id = any($1) order by id`,
      [delivery.newsIds],
    );
    const [workspace] = await db.sql<{ id: string; name: string }>(
      `select id, name from workspace where id = $1`,
      [delivery.workspaceId],
    );
    if (!workspace) throw new Error('A delivery of no workspace');
    const common = { id: delivery.id, news, workspace };
    const { channel, webhookId, userId } = delivery;
    if (channel !== 'WEBHOOK') {
      const [row] = await db.sql<{ to: string | null }>(addresses[channel], [userId]);
      return { ...common, channel, to: row?.to ?? null };
    }
    return { ...common, channel, ...(await webhookOf(db, unsealer, webhookId ?? '', now)) };
  },
});
