import { z } from 'zod';
import type { Tx } from '../../../kernel/db.js';
import { defineJob } from '../../../kernel/job.js';
import { defineTick } from '../../../kernel/tick.js';
import type { Draft } from '../drafts.js';
import { sendDigest } from '../notifications.commands/digest.js';
import { whatIsAhead, type Ahead } from '../notifications.queries/ahead.js';
import { deliverJob } from './deliver.js';
import { tell } from './tell-of-changes.js';

const mostAtOnce = 500;
const hourMs = 3_600_000;
const againMs = 30 * 60_000;

interface DueDelivery {
  readonly id: string;
  readonly workspaceId: string;
  readonly organizationId: string;
  readonly attempts: number;
  readonly nextTryAt: Date;
}

const dueDeliveries = (tx: Pick<Tx, 'sql'>, now: Date): Promise<DueDelivery[]> =>
  tx.sql<DueDelivery>(
    `select d.id, d.workspace_id as "workspaceId", w.organization_id as "organizationId", d.attempts,
            d.next_try_at as "nextTryAt"
       from delivery d join workspace w on w.id = d.workspace_id
      where d.state = 'PENDING' and d.next_try_at <= $1 order by d.next_try_at limit $2`,
    [now, mostAtOnce],
  );

/** When the job for a try was, or is again, to be asked for: a job that was lost is asked for anew after a while. */
const dueTime = (nextTryAt: Date, now: Date): Date => {
  const rounds = Math.floor((now.getTime() - nextTryAt.getTime()) / againMs);
  return new Date(nextTryAt.getTime() + rounds * againMs);
};

/** Asks for the next try of what did not arrive, and for the first of what a lost job has left lying. */
export const deliveryTick = defineTick({
  name: 'notifications.deliveries',
  everyMs: 5000,
  look: async ({ tx, now, enqueue }) => {
    for (const { id, attempts, nextTryAt, ...scope } of await dueDeliveries(tx, now)) {
      const key = `${id}/${String(attempts)}`;
      enqueue(
        deliverJob,
        { deliveryId: id, attempt: attempts + 1 },
        { ...scope, key, dueAt: dueTime(nextTryAt, now) },
      );
    }
  },
});

/** The hour, in UTC, at which the mail of the day goes out. */
const digestHour = 7;

const lastDigestTime = (now: Date): Date => {
  const today = new Date(now);
  today.setUTCHours(digestHour, 0, 0, 0);
  return today <= now ? today : new Date(today.getTime() - 24 * hourMs);
};

export const digestJob = defineJob({
  name: 'notifications.digest',
  queue: 'light',
  payload: z.object({ userId: z.uuid(), before: z.iso.datetime() }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload, run, actor, jobId }) => {
    await run(sendDigest, actor, payload, { effectKey: `${jobId}:digest` });
  },
});

interface Reader {
  readonly userId: string;
  readonly workspaceId: string;
  readonly organizationId: string;
}

/** Asks for the mail of the day of everybody for whom something waits. */
export const digestTick = defineTick({
  name: 'notifications.digests',
  everyMs: 60_000,
  look: async ({ tx, now, enqueue }) => {
    const dueAt = lastDigestTime(now);
    const readers = await tx.sql<Reader>(
      `select distinct i.user_id as "userId", i.workspace_id as "workspaceId", w.organization_id as "organizationId"
         from inbox_item i join workspace w on w.id = i.workspace_id
        where i.digest_pending and i.created_at < $1 limit $2`,
      [dueAt, mostAtOnce],
    );
    for (const { userId, ...scope } of readers) {
      enqueue(digestJob, { userId, before: dueAt.toISOString() }, { ...scope, key: userId, dueAt });
    }
  },
});

const draftOf = ({ kind, id, ownerId, dueAt, late }: Ahead): Draft => {
  const day = dueAt.toISOString().slice(0, 10);
  const common = { subject: { kind, id }, key: 'ahead', except: [], onlyNew: false, outside: true } as const;
  if (kind === 'changeRequest') {
    return {
      ...common,
      event: 'CHANGE_EXPIRING',
      title: '{name} expires soon and waits for decisions',
      lines: [],
      concerned: ['asked', 'requester'],
      users: [],
      holders: null,
      why: 'You can give an approval that is missing, or asked for the change',
    };
  }
  return {
    ...common,
    event: 'FINDING_DUE',
    title: late ? '{name} is overdue' : '{name} is due soon',
    lines: [`Due: ${day}`],
    concerned: [],
    users: ownerId === null ? [] : [ownerId],
    // What is late concerns those who answer for the workspace, too.
    holders: late ? 'comment:moderate' : null,
    why: late ? 'You own the finding, or answer for the workspace' : 'You own the finding',
  };
};

export const lookAheadJob = defineJob({
  name: 'notifications.lookAhead',
  queue: 'light',
  payload: z.object({}),
  attempts: 5,
  timeoutMs: 120_000,
  handle: async (context) => {
    const { ask, actor, signal } = context;
    for (const ahead of await ask(whatIsAhead, actor, {})) {
      signal.throwIfAborted();
      await tell(context, draftOf(ahead), { actor: null, dedupeKey: ahead.dedupeKey });
    }
  },
});

/** Has every workspace look ahead once an hour. */
export const lookAheadTick = defineTick({
  name: 'notifications.lookAhead',
  everyMs: 60_000,
  look: async ({ tx, now, enqueue }) => {
    const dueAt = new Date(Math.floor(now.getTime() / hourMs) * hourMs);
    const workspaces = await tx.sql<{ workspaceId: string; organizationId: string }>(
      `select id as "workspaceId", organization_id as "organizationId" from workspace order by id`,
    );
    for (const scope of workspaces) enqueue(lookAheadJob, {}, { ...scope, key: 'ahead', dueAt });
  },
});
