import type { Clock } from '../kernel/clock.js';
import type { Db, Tx } from '../kernel/db.js';
import type { OutboxRow } from '../kernel/job.js';
import type { Log } from '../kernel/log.js';
import { writeOutbox } from '../kernel/outbox.js';
import { asSystem } from '../kernel/system.js';
import { dueId, type Tick, type TickContext } from '../kernel/tick.js';
import { startLoop, type Loop } from './loop.js';

/** What the clock works with. */
export interface ClockParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
}

const defaultEveryMs = 10_000;

/**
 * The clock of schedules: looks at every tick that is due, one worker at a time (an advisory lock that ends with the
 * transaction). What ticks ask for goes to the outbox, so it is relayed, tried again and seen like all other work.
 * BullMQ's own schedulers are not used: they skip what came due while nothing ran.
 */
export const startClock = (parts: ClockParts, ticks: readonly Tick[], everyMs = defaultEveryMs): Loop => {
  const lookedAt = new Map<string, number>();
  return startLoop(parts.log, 'the clock of schedules', async () => {
    for (const tick of ticks) {
      const last = lookedAt.get(tick.name);
      if (last !== undefined && performance.now() - last < tick.everyMs) continue;
      lookedAt.set(tick.name, performance.now());
      await lookOnce(parts, tick).catch((error: unknown) => {
        parts.log.warn({ err: error, tick: tick.name }, 'A tick failed; it is looked at again');
      });
    }
    return everyMs;
  });
};

/** Looks once, unless another worker is just looking at the same tick. Returns how much work was asked for. */
export const lookOnce = (parts: ClockParts, tick: Tick): Promise<number> =>
  asSystem(parts.db, async (tx) => {
    const [lock] = await tx.sql<{ held: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('countersign.tick'), hashtext($1)) as held`,
      [tick.name],
    );
    if (!lock?.held) return 0;
    const asked: OutboxRow[] = [];
    await tick.look(contextOf(tx, parts.clock.now(), tick, asked));
    const fresh = await withoutKnown(tx, asked);
    await writeOutbox(tx, fresh);
    return fresh.length;
  });

const contextOf = (tx: Tx, now: Date, tick: Tick, asked: OutboxRow[]): TickContext => ({
  tx,
  now,
  enqueue: (job, payload, { key, dueAt, workspaceId, organizationId }) => {
    const id = dueId(`${tick.name}/${job.name}/${workspaceId}/${key}/${dueAt.toISOString()}`, dueAt);
    asked.push({
      id,
      job: job.name,
      queue: job.queue,
      payload: job.parse(payload),
      workspaceId,
      organizationId,
      requestId: null,
      availableAt: null,
      shown: job.visible ? { subject: { kind: 'schedule', id: key } } : null,
    });
    return id;
  },
});

/** Asked for before: it still waits in the outbox, or was noted when it was asked for. */
const withoutKnown = async (tx: Tx, asked: readonly OutboxRow[]): Promise<OutboxRow[]> => {
  const fresh: OutboxRow[] = [];
  for (const row of asked) {
    const claimed = await tx.sql(
      `insert into effect (key, workspace_id, result) values ($1, $2, 'null') on conflict do nothing returning key`,
      [`tick:${row.id}`, row.workspaceId],
    );
    if (claimed.length > 0) fresh.push(row);
  }
  return fresh;
};
