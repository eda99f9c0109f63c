import type { AuditEntry } from '../../kernel/audit.js';
import type { Tx } from '../../kernel/db.js';
import { newId } from '../../kernel/id.js';
import { Delivery, type DeliveryChannel } from './delivery.entity.js';
import {
  defaultModes,
  unsilenceable,
  type Modes,
  type NewsEvent,
  type NotificationEvent,
  type NotificationMode,
  type PersonChannel,
} from './events.js';
import { InboxItem } from './inbox-item.entity.js';
import { News } from './news.entity.js';

/** A person who is told, and why it is them. */
export interface Addressee {
  readonly userId: string;
  readonly why: string;
}

/** What is told, to whom. */
export interface Telling {
  readonly workspaceId: string;
  readonly event: NewsEvent;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: string;
  readonly actorId: string | null;
  readonly dedupeKey: string;
  readonly people: readonly Addressee[];
  /** All webhooks that want this event, or this one. */
  readonly webhooks: 'subscribed' | 'none' | readonly [string];
  readonly now: Date;
  /** When a delivery that nobody has begun is begun by the clock. */
  readonly nextTryAt: Date;
}

interface Reachable {
  readonly userId: string;
  readonly hasMail: boolean;
  readonly hasSlack: boolean;
  readonly chosen: Readonly<Partial<Record<PersonChannel, NotificationMode>>> | null;
}

/** Members of the workspace who may still come in; where they can be reached, and what they chose. */
const reachable = (tx: Tx, userIds: readonly string[], event: NewsEvent): Promise<Reachable[]> =>
  tx.sql<Reachable>(
    `select u.id as "userId", coalesce(u.email, '') <> '' as "hasMail",
            exists (select from notification_address a where a.user_id = u.id and a.channel = 'SLACK') as "hasSlack",
            (select jsonb_object_agg(p.channel, p.mode) from notification_preference p
              where p.user_id = u.id and p.event = $2) as chosen
       from member m join app_user u on u.id = m.user_id
      where u.id = any($1) and u.disabled_at is null order by u.id`,
    [userIds, event],
  );

/** How a person is told: what they chose before what is usual, and what nobody may turn off above both. */
export const modesFor = (event: NotificationEvent, chosen: Reachable['chosen']): Modes => {
  const modes = { ...defaultModes[event], ...chosen };
  return unsilenceable.has(event) ? { ...modes, IN_APP: 'AT_ONCE' } : modes;
};

const deliveryOf = (
  telling: Telling,
  newsId: string,
  channel: DeliveryChannel,
  target: { readonly userId: string | null; readonly webhookId: string | null },
) => ({
  id: newId(),
  workspaceId: telling.workspaceId,
  channel,
  ...target,
  event: telling.event,
  newsIds: [newsId],
  state: 'PENDING' as const,
  attempts: 0,
  attemptsBefore: 0,
  nextTryAt: telling.nextTryAt,
  createdAt: telling.now,
});

type NewDelivery = ReturnType<typeof deliveryOf>;

const tellPeopleIn = async (tx: Tx, telling: Telling, newsId: string): Promise<NewDelivery[]> => {
  const { event, now, workspaceId } = telling;
  if (event === 'WEBHOOK_TEST' || telling.people.length === 0) return [];
  const whys = new Map(telling.people.map(({ userId, why }) => [userId, why]));
  const people = await reachable(tx, [...whys.keys()], event);
  const deliveries: NewDelivery[] = [];
  const items = people.map(({ userId, hasMail, hasSlack, chosen }) => {
    const modes = modesFor(event, chosen);
    const target = { userId, webhookId: null };
    if (hasMail && modes.EMAIL === 'AT_ONCE') deliveries.push(deliveryOf(telling, newsId, 'EMAIL', target));
    if (hasSlack && modes.SLACK === 'AT_ONCE') deliveries.push(deliveryOf(telling, newsId, 'SLACK', target));
    return {
      id: newId(),
      workspaceId,
      newsId,
      userId,
      why: whys.get(userId) ?? '',
      inApp: modes.IN_APP !== 'OFF',
      digestPending: hasMail && modes.EMAIL === 'DAILY',
      createdAt: now,
    };
  });
  if (items.length > 0) await tx.insert(InboxItem, items);
  return deliveries;
};

const wanting = async (tx: Tx, { webhooks, event }: Telling): Promise<string[]> => {
  if (webhooks === 'none') return [];
  const rows = await tx.sql<{ id: string }>(
    `select id from webhook where ($1::uuid is null and state = 'ACTIVE' and $2 = any(events)) or id = $1 order by id`,
    [webhooks === 'subscribed' ? null : webhooks[0], event],
  );
  return rows.map(({ id }) => id);
};

/** What was told. */
export interface Told {
  readonly newsId: string;
  readonly deliveryIds: readonly string[];
  readonly audit: AuditEntry;
}

/** Tells in the caller's transaction; null when it was told before. */
export const tellIn = async (tx: Tx, telling: Telling): Promise<Told | null> => {
  const { event, subject, title, link, actorId, dedupeKey, workspaceId, now } = telling;
  const [taken] = await tx.sql(`select 1 from news where dedupe_key = $1`, [dedupeKey]);
  if (taken) return null;
  const newsId = newId();
  await tx.insert(News, {
    id: newsId,
    workspaceId,
    event,
    subjectKind: subject.kind,
    subjectId: subject.id,
    title,
    lines: [...telling.lines],
    link,
    actorId,
    dedupeKey,
    createdAt: now,
  });
  const toPeople = await tellPeopleIn(tx, telling, newsId);
  const toWebhooks = (await wanting(tx, telling)).map((webhookId) =>
    deliveryOf(telling, newsId, 'WEBHOOK', { userId: null, webhookId }),
  );
  const deliveries = [...toPeople, ...toWebhooks];
  if (deliveries.length > 0) await tx.insert(Delivery, deliveries);
  return {
    newsId,
    deliveryIds: deliveries.map(({ id }) => id),
    audit: {
      subject: { kind: 'news', id: newsId },
      facts: {
        event,
        about: subject,
        people: telling.people.map(({ userId }) => userId),
        deliveries: deliveries.map(({ channel }) => channel),
      },
    },
  };
};
