import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { modesOf, notificationEvent, notificationMode, personChannel, unsilenceable } from '../events.js';
import { NotificationAddress } from '../notification-address.entity.js';
import { NotificationPreference } from '../notification-preference.entity.js';

const personOf = (actor: Actor): string => {
  if (actor.kind === 'user') return actor.id;
  throw new AppError('FORBIDDEN', 'Only a person has an inbox', { rule: 'person-only' });
};

export const markRead = defineCommand({
  name: 'inbox.markRead',
  describe: 'Marks news in your inbox as read, or as unread again.',
  permission: 'inbox:manage',
  input: z.object({ ids: z.array(z.uuid()).min(1).max(200), read: z.boolean().default(true) }),
  target: async (tx, input, actor) => {
    const rows = await tx.sql<{ id: string; read: boolean }>(
      `select id, read_at is not null as read from inbox_item
        where id = any($1) and user_id::text = $2 order by id for update`,
      [input.ids, actor.id],
    );
    if (rows.length < new Set(input.ids).size) throw notFound('One of the news');
    return rows;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const ids = target.filter(({ read }) => read !== input.read).map(({ id }) => id);
    if (ids.length === 0) return { result: { changed: 0 }, audit: nothingChanged };
    await tx.sql(`update inbox_item set read_at = $2 where id = any($1)`, [ids, input.read ? now : null]);
    return {
      result: { changed: ids.length },
      audit: { subject: { kind: 'inbox', id: personOf(actor) }, facts: { read: input.read, items: ids } },
    };
  },
});

export const markAllRead = defineCommand({
  name: 'inbox.markAllRead',
  describe: 'Marks everything in your inbox as read, up to the newest that you have seen.',
  permission: 'inbox:manage',
  input: z.object({
    upTo: z.uuid().describe('The newest one that you have seen; what came later stays unread.'),
  }),
  target: async (tx, input, actor) => {
    const [row] = await tx.sql<{ id: string }>(
      `select id from inbox_item where id = $1 and user_id::text = $2`,
      [input.upTo, actor.id],
    );
    if (!row) throw notFound('The news');
    return row;
  },
  handle: async ({ tx, actor, input, now }) => {
    const rows = await tx.sql<{ id: string }>(
      `update inbox_item set read_at = $3
        where user_id::text = $2 and id <= $1 and in_app and read_at is null returning id`,
      [input.upTo, actor.id, now],
    );
    if (rows.length === 0) return { result: { changed: 0 }, audit: nothingChanged };
    return {
      result: { changed: rows.length },
      audit: {
        subject: { kind: 'inbox', id: personOf(actor) },
        facts: { read: true, upTo: input.upTo, items: rows.length },
      },
    };
  },
});

type Preference = Pick<NotificationPreference, 'event' | 'channel' | 'mode'>;

const requireSensible = ({ event, channel, mode }: Preference): void => {
  if (!modesOf[channel].includes(mode)) {
    throw invalidInput(`${channel} is told ${modesOf[channel].join(' or ')}`, [
      { path: 'mode', message: 'is not a mode of this channel' },
    ]);
  }
  if (channel !== 'IN_APP' || mode !== 'OFF' || !unsilenceable.has(event)) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    'Somebody who asks you for something would wait in vain: this always reaches your inbox',
    { rule: 'not-silenceable', event },
  );
};

export const setPreference = defineCommand({
  name: 'preference.set',
  describe: 'Says how you want to be told of an event in a channel.',
  permission: 'inbox:manage',
  input: z.object({ event: notificationEvent, channel: personChannel, mode: notificationMode }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.id }),
  handle: async ({ tx, actor, input, now }) => {
    const { event, channel, mode } = input;
    const userId = personOf(actor);
    requireSensible(input);
    // Two wishes at one moment would both find nothing and both write.
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('preference/' || $1, 0))`, [userId]);
    const known = await tx.lock(NotificationPreference, { userId, event, channel });
    if (known?.mode === mode) return { result: { id: known.id }, audit: nothingChanged };
    const id = known?.id ?? newId();
    const workspaceId = actor.workspaceId ?? '';
    if (known) await tx.update(NotificationPreference, { id }, { mode, updatedAt: now });
    else
      await tx.insert(NotificationPreference, {
        id,
        workspaceId,
        userId,
        event,
        channel,
        mode,
        updatedAt: now,
      });
    return {
      result: { id },
      audit: {
        subject: { kind: 'preference', id },
        changes: { mode: { from: known?.mode ?? null, to: mode } },
        facts: { event, channel },
      },
    };
  },
});

/**
 * Says, in the caller's transaction, under which name Slack knows a person, or that it knows them no longer: from then
 * on they are told there. The caller leaves the entry in the trail.
 */
export const setSlackAddress = async (
  tx: Tx,
  person: { readonly workspaceId: string; readonly userId: string },
  address: string | null,
  now: Date,
): Promise<void> => {
  const { workspaceId, userId } = person;
  await tx.remove(NotificationAddress, { userId, channel: 'SLACK' });
  if (address === null) return;
  await tx.insert(NotificationAddress, {
    id: newId(),
    workspaceId,
    userId,
    channel: 'SLACK',
    address,
    updatedAt: now,
  });
};
