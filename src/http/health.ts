import type { FastifyInstance } from 'fastify';
import type { Db } from '../kernel/db.js';
import type { Metrics } from '../kernel/metrics.js';
import { oldestWaitingSeconds } from '../kernel/outbox.js';
import { asSystem } from '../kernel/system.js';

/** One part that the door needs. */
export interface Check {
  readonly name: 'database' | 'queue' | 'door';
  readonly ok: boolean;
  /** What is, or what is wrong. */
  readonly says: string;
}

/** Whether this process can do its work. */
export interface Health {
  readonly checks: readonly Check[];
  readonly ready: boolean;
}

const answerWithinMs = 2_000;
const longestWaitSeconds = 60;

const inTime = <T>(work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('no answer in time'));
    }, answerWithinMs);
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });

const queueCheck = async (db: Db, metrics: Metrics): Promise<Check> => {
  const seconds = await asSystem(db, oldestWaitingSeconds);
  metrics.outboxLag.set(seconds);
  const ok = seconds <= longestWaitSeconds;
  const waits =
    seconds === 0 ? 'nothing waits' : `the oldest job has waited ${String(Math.round(seconds))} s`;
  return { name: 'queue', ok, says: ok ? waits : `${waits}: is a worker running?` };
};

/** Looks at the parts. */
export const healthOf = async (db: Db, metrics: Metrics): Promise<Health> => {
  const attempt = async (name: Check['name'], work: () => Promise<Check>): Promise<Check> => {
    try {
      return await inTime(work());
    } catch {
      // What exactly is wrong may name addresses, and anybody may read this; the pools log it.
      return { name, ok: false, says: 'does not answer' };
    }
  };
  const checks = await Promise.all([
    attempt('database', async () => {
      await db.ping();
      return { name: 'database', ok: true, says: 'answers' };
    }),
    attempt('queue', () => queueCheck(db, metrics)),
  ]);
  return { checks, ready: checks.every((check) => check.ok) };
};

/** What the addresses for operators need. */
export interface HealthParts {
  readonly db: Db;
  readonly metrics: Metrics;
  /** True from the moment the server begins to close. */
  readonly closing: () => boolean;
}

/** `/health/live`, `/health/ready` and `/metrics`. */
export const healthRoutes = (server: FastifyInstance, { db, metrics, closing }: HealthParts): void => {
  server.get('/health/live', () => ({ status: 'live' }));

  server.get('/health/ready', async (_request, reply) => {
    const health = await healthOf(db, metrics);
    const door: Check = { name: 'door', ok: !closing(), says: closing() ? 'is closing' : 'is open' };
    const ready = health.ready && door.ok;
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ready' : 'not ready',
      checks: [...health.checks, door],
    });
  });

  server.get('/metrics', async (_request, reply) => {
    for (const { role, total, idle, waiting } of db.usage()) {
      metrics.pool.set({ role, state: 'busy' }, total - idle);
      metrics.pool.set({ role, state: 'idle' }, idle);
      metrics.pool.set({ role, state: 'waiting' }, waiting);
    }
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
};
