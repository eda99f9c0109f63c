import type { AnyJob, QueueName } from '../kernel/job.js';
import type { Clock } from '../kernel/clock.js';
import type { Db, Tx } from '../kernel/db.js';
import type { Log } from '../kernel/log.js';
import type { Metrics } from '../kernel/metrics.js';
import { oldestWaitingSeconds } from '../kernel/outbox.js';
import { asSystem } from '../kernel/system.js';
import { startLoop, type Loop } from './loop.js';
import type { Parcel, Posting, Sender } from './queues.js';

/** What the relay works with. */
export interface RelayParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly jobs: ReadonlyMap<string, AnyJob>;
}

interface OutboxRow {
  readonly id: string;
  readonly job: string;
  readonly payload: unknown;
  readonly workspace_id: string | null;
  readonly organization_id: string | null;
  readonly request_id: string | null;
}

const batchSize = 500;
const busyMs = 100;
const idleMs = 250;
/** Rounds without work before the relay slows down. */
const patience = 20;
const gaugeEveryMs = 5000;

/**
 * Takes what is due out of the outbox and hands it to the queue, for as long as it is not closed. Any number of
 * relays may run: each takes other rows. A relay that dies between hand-over and commit leaves its rows, and the
 * next one hands them over again under the same ids, which the queue recognises.
 */
export const startRelay = (parts: RelayParts, sender: Sender): Loop => {
  const known = [...parts.jobs.keys()];
  let quietRounds = 0;
  let gaugedAt = 0;
  return startLoop(parts.log, 'the relay', async () => {
    const moved = await relayOnce(parts, sender, known);
    if (performance.now() - gaugedAt > gaugeEveryMs) {
      gaugedAt = performance.now();
      parts.metrics.outboxLag.set(await asSystem(parts.db, oldestWaitingSeconds));
    }
    quietRounds = moved === 0 ? quietRounds + 1 : 0;
    if (moved === batchSize) return 0;
    return quietRounds > patience ? idleMs : busyMs;
  });
};

/** Moves one batch; returns how many rows it had. */
export const relayOnce = async (
  parts: RelayParts,
  sender: Sender,
  known: readonly string[],
): Promise<number> => {
  const rows = await asSystem(parts.db, async (tx) => {
    const taken = await take(tx, parts.clock.now(), known);
    for (const [queue, postings] of byQueue(taken, parts.jobs)) await sender.send(queue, postings);
    return taken;
  });
  for (const [queue, postings] of byQueue(rows, parts.jobs))
    parts.metrics.relayed.inc({ queue }, postings.length);
  return rows.length;
};

/** Jobs this version does not know wait for one that does; a deploy of a new version may have written them. */
const take = (tx: Tx, now: Date, known: readonly string[]): Promise<OutboxRow[]> =>
  tx.sql<OutboxRow>(
    `with due as (
       select id from outbox where available_at <= $1 and job = any($2)
        order by available_at, id limit ${String(batchSize)} for update skip locked
     ), taken as (
       delete from outbox using due where outbox.id = due.id returning outbox.*
     )
     select id, job, payload, workspace_id, organization_id, request_id from taken order by id`,
    [now, known],
  );

const byQueue = (
  rows: readonly OutboxRow[],
  jobs: ReadonlyMap<string, AnyJob>,
): Map<QueueName, Posting[]> => {
  const groups = new Map<QueueName, Posting[]>();
  for (const row of rows) {
    const job = jobs.get(row.job);
    if (!job) continue;
    const group = groups.get(job.queue) ?? [];
    group.push({ parcel: parcelOf(row), attempts: job.attempts });
    groups.set(job.queue, group);
  }
  return groups;
};

const parcelOf = (row: OutboxRow): Parcel => ({
  id: row.id,
  job: row.job,
  payload: row.payload,
  workspaceId: row.workspace_id,
  organizationId: row.organization_id,
  requestId: row.request_id,
});
