import { systemActor } from '../kernel/actor.js';
import type { Clock } from '../kernel/clock.js';
import type { RunCommand } from '../kernel/command.js';
import type { Db } from '../kernel/db.js';
import { AppError } from '../kernel/errors.js';
import type { AnyJob } from '../kernel/job.js';
import type { Log } from '../kernel/log.js';
import type { Metrics } from '../kernel/metrics.js';
import type { Outside } from '../kernel/ports.js';
import type { AskQuery } from '../kernel/query.js';
import type { RunRecord } from '../kernel/record.js';
import { asSystem } from '../kernel/system.js';
import { withTrace, type Trace } from '../kernel/trace.js';

/** What a worker needs to perform jobs. */
export interface WorkerParts {
  readonly db: Db;
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecord;
  readonly outside: Outside;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly jobs: ReadonlyMap<string, AnyJob>;
}

/** A job as it travels: what the outbox row said. */
export interface Delivery {
  readonly id: string;
  readonly job: string;
  readonly payload: unknown;
  readonly workspaceId: string | null;
  readonly organizationId: string | null;
  readonly requestId: string | null;
  readonly attempt: number;
}

/** Work that no request caused stands under its own id. */
export const traceOf = ({ id, job, requestId }: Pick<Delivery, 'id' | 'job' | 'requestId'>): Trace => ({
  requestId: requestId ?? id,
  door: `job:${job}`,
});

/** Performs one delivery under its own time limit, as the system actor of that job. Throws what the handler throws. */
export const perform = async (parts: WorkerParts, delivery: Delivery, stop: AbortSignal): Promise<void> => {
  const job = parts.jobs.get(delivery.job);
  if (!job) throw new Error(`No handler is known for the job ${delivery.job}`);
  const actor = systemActor(`job:${job.name}`, delivery);
  await withTrace(traceOf(delivery), async () => {
    const progress = job.visible ? progressOf(parts.db, delivery) : () => Promise.resolve();
    await withinTime(job, stop, (signal) =>
      job.perform(delivery.payload, {
        ...pick(parts),
        actor,
        signal,
        progress,
        log: parts.log.child({ job: job.name, jobId: delivery.id, attempt: delivery.attempt }),
        jobId: delivery.id,
        attempt: delivery.attempt,
      }),
    );
  });
};

const graceMs = 1000;

/** Aborts work whose time is over, and stops waiting for a handler that does not listen. */
const withinTime = async (
  job: AnyJob,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const limit = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  const tooLate = new Promise<never>((_, reject) => {
    const error = tookTooLong(job.timeoutMs);
    timers.push(
      setTimeout(() => {
        limit.abort(error);
      }, job.timeoutMs),
      setTimeout(() => {
        reject(error);
      }, job.timeoutMs + graceMs),
    );
  });
  try {
    await Promise.race([work(AbortSignal.any([stop, limit.signal])), tooLate]);
  } catch (error) {
    throw limit.signal.aborted && !(error instanceof AppError) ? limit.signal.reason : error;
  } finally {
    timers.forEach(clearTimeout);
  }
};

const tookTooLong = (milliseconds: number): Error => {
  const error = new Error(`It took longer than the ${String(milliseconds / 1000)} s that it may take.`);
  error.name = 'TimeoutError';
  return error;
};

const pick = ({ run, ask, record, outside, clock, metrics }: WorkerParts) => ({
  run,
  ask,
  record,
  outside,
  clock,
  metrics,
});

/** Progress for people who wait; at most four times a second, and never a reason to fail. */
const progressOf = (db: Db, delivery: Delivery): ((fraction: number, message: string) => Promise<void>) => {
  let last = 0;
  return async (fraction, message) => {
    const now = performance.now();
    if (fraction < 1 && now - last < 250) return;
    last = now;
    await asSystem(db, (tx) =>
      tx.sql(`update job set progress = $2, message = $3 where id = $1`, [
        delivery.id,
        Math.min(1, Math.max(0, fraction)),
        message.slice(0, 500),
      ]),
    );
  };
};
