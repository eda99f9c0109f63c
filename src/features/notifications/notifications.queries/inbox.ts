import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import {
  notificationEvent,
  unsilenceable,
  type Modes,
  type NotificationEvent,
  type NotificationMode,
  type PersonChannel,
} from '../events.js';
import { NotificationAddress } from '../notification-address.entity.js';
import { NotificationPreference } from '../notification-preference.entity.js';
import { modesFor } from '../tell-in.js';

/** News in the inbox of whoever asks. */
export interface InboxView {
  readonly id: string;
  readonly event: NotificationEvent;
  readonly title: string;
  readonly lines: readonly string[];
  readonly link: string;
  readonly why: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly createdAt: Date;
  readonly readAt: Date | null;
  /** Mail or Slack that could not be delivered, so that it is not lost silently. */
  readonly undelivered: readonly string[];
}

export const readInbox = defineQuery({
  name: 'inbox.list',
  describe: 'What you were told, newest first.',
  permission: 'inbox:read',
  input: z.object({
    ...pageInput,
    unread: z.boolean().default(false).describe('Only what you have not read.'),
  }),
  handle: async ({ db, actor, input }): Promise<Page<InboxView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<InboxView>(
      `select i.id, n.event, n.title, n.lines, n.link, i.why, n.subject_kind as "subjectKind",
              n.subject_id as "subjectId", i.created_at as "createdAt", i.read_at as "readAt",
              array(select d.channel || ': ' || coalesce(d.last_reason, '') from delivery d
                     where d.user_id = i.user_id and n.id = any(d.news_ids) and d.state in ('DEAD', 'NOT_SENT')
                       and d.created_at >= n.created_at order by d.id) as undelivered
         from inbox_item i join news n on n.id = i.news_id
        where i.user_id::text = $1 and i.in_app and ($2::uuid is null or i.id < $2::uuid)
          and (not $3 or i.read_at is null)
        order by i.id desc limit $4`,
      [actor.id, after?.[0] ?? null, input.unread, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const countUnread = defineQuery({
  name: 'inbox.unread',
  describe: 'How much in your inbox you have not read.',
  permission: 'inbox:read',
  input: z.object({}),
  handle: async ({ db, actor }): Promise<number> => {
    const [row] = await db.sql<{ count: number }>(
      `select count(*)::int as count from inbox_item where user_id::text = $1 and in_app and read_at is null`,
      [actor.id],
    );
    return row?.count ?? 0;
  },
});

/** How whoever asks is told of one event. */
export interface PreferenceView {
  readonly event: NotificationEvent;
  readonly inApp: NotificationMode;
  readonly email: NotificationMode;
  readonly slack: NotificationMode;
  /** Whether the inbox may be left out. */
  readonly silenceable: boolean;
}

/** The preferences of whoever asks. */
export interface PreferencesView {
  readonly slackLinked: boolean;
  readonly events: readonly PreferenceView[];
}

export const readPreferences = defineQuery({
  name: 'preference.list',
  describe: 'How you are told of each event, with the defaults where you have said nothing.',
  permission: 'inbox:read',
  input: z.object({}),
  handle: async ({ db, actor }): Promise<PreferencesView> => {
    if (actor.kind !== 'user') return { slackLinked: false, events: [] };
    const rows = await db.find(NotificationPreference, { where: { userId: actor.id } });
    const chosen = (event: NotificationEvent): Partial<Record<PersonChannel, NotificationMode>> =>
      Object.fromEntries(
        rows.filter((row) => row.event === event).map(({ channel, mode }) => [channel, mode]),
      );
    const slack = await db.findOne(NotificationAddress, { userId: actor.id, channel: 'SLACK' });
    const events = notificationEvent.options.map((event) => {
      const { IN_APP: inApp, EMAIL: email, SLACK }: Modes = modesFor(event, chosen(event));
      return { event, inApp, email, slack: SLACK, silenceable: !unsilenceable.has(event) };
    });
    return { slackLinked: slack !== null, events };
  },
});
