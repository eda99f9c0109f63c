import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineCommand } from '../kernel/command.js';
import { AppError } from '../kernel/errors.js';
import { defineJob, type AnyJob, type JobContext } from '../kernel/job.js';
import { asSystem } from '../kernel/system.js';
import { startWorker, type RunningWorker, type Transport } from '../worker/index.js';
import { openSender, type Sender } from '../worker/queues.js';
import { relayOnce } from '../worker/relay.js';
import { testApp, type TestApp } from './test-app.js';

const payload = z.object({ n: z.number().default(0) });
type Handle = (context: JobContext<{ n: number }>) => Promise<void>;

/** A job of the tests: what it does is given by each worker that is started. */
const jobNamed = (
  name: `test.${string}`,
  handle: Handle,
  limits: { attempts?: number; timeoutMs?: number } = {},
) =>
  defineJob({
    name,
    queue: 'light',
    payload,
    attempts: limits.attempts ?? 3,
    timeoutMs: limits.timeoutMs ?? 10_000,
    visible: true,
    handle,
  });

const nothing: Handle = () => Promise.resolve();

/** Asks for jobs in an audited command, as a feature does. */
const askFor = (job: ReturnType<typeof jobNamed>) =>
  defineCommand({
    name: 'useCase.askForTestJob',
    describe: 'Asks for test jobs.',
    permission: 'useCase:create',
    input: z.object({ count: z.number().default(1), waitMs: z.number().default(0) }),
    target: (_, __, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
    handle: ({ enqueue, input, now, target }) => {
      const subject = { kind: 'workspace', id: target.id };
      const later = input.waitMs > 0 ? { notBefore: new Date(now.getTime() + input.waitMs) } : {};
      const ids = Array.from({ length: input.count }, (_, n) => enqueue(job, { n }, { subject, ...later }));
      return Promise.resolve({ result: ids, audit: { subject, facts: { jobs: ids.length } } });
    },
  });

interface JobRow {
  readonly state: string;
  readonly progress: number;
  readonly message: string;
  readonly attempts: number;
}

/** What a worker keeps to on every transport. */
export const workerContract = (transportOf: (app: TestApp) => Transport): void => {
  let app: TestApp;
  const running: RunningWorker[] = [];
  const senders: Sender[] = [];

  beforeAll(async () => {
    app = await testApp();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((worker) => worker.close()));
    await Promise.all(senders.splice(0).map((sender) => sender.close()));
  });

  const start = (job: AnyJob, options: { concurrency?: number; patienceMs?: number } = {}): RunningWorker => {
    const parts = { ...app, jobs: new Map([[job.name, job]]) };
    const worker = startWorker(parts, { transport: transportOf(app), concurrency: 4, ticks: [], ...options });
    running.push(worker);
    return worker;
  };

  const ask = async (job: ReturnType<typeof jobNamed>, input: { count?: number; waitMs?: number } = {}) => {
    const ids = await app.run(askFor(job), await app.actor('engineer'), input);
    return { ids, id: ids[0] ?? '' };
  };

  const rowOf = async (id: string): Promise<JobRow> => {
    const [row] = await asSystem(app.db, (tx) =>
      tx.sql<JobRow>('select state, progress::float8, message, attempts from job where id = $1', [id]),
    );
    if (!row) throw new Error('The job has no row');
    return row;
  };

  const until = (id: string, state: string): Promise<JobRow> =>
    vi.waitFor(
      async () => {
        const row = await rowOf(id);
        expect(row.state).toBe(state);
        return row;
      },
      { timeout: 15_000, interval: 25 },
    );

  test('work asked for by a command is performed exactly once, under the id the command was given', async () => {
    const seen: string[] = [];
    const job = jobNamed('test.once', ({ jobId }) => Promise.resolve(void seen.push(jobId)));
    start(job);
    const { ids } = await ask(job, { count: 25 });
    await vi.waitFor(() => {
      expect(seen).toHaveLength(25);
    }, 10_000);
    await sleep(400);
    expect([...seen].sort()).toEqual([...ids].sort());
    expect(await until(ids[24] ?? '', 'DONE')).toMatchObject({ progress: 1, attempts: 1 });
  });

  test('a job that fails is tried again, later each time, and people see why meanwhile', async () => {
    const at: number[] = [];
    const job = jobNamed('test.flaky', ({ attempt }) => {
      at.push(Date.now());
      if (attempt < 3) throw new AppError('CONFLICT', 'The file is still being written');
      return Promise.resolve();
    });
    start(job);
    const { id } = await ask(job);
    const seen = await vi.waitFor(async () => {
      const row = await rowOf(id);
      expect(row.message).toContain('The file is still being written');
      return row;
    }, 10_000);
    expect(seen.message).toMatch(/^Try [12] of 3 failed, another follows\./);
    expect(await until(id, 'DONE')).toMatchObject({ attempts: 3, message: '' });
    // 0.3 s and 0.6 s, each shortened by a quarter at most; a busy machine only makes them longer.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(220);
    expect((at[2] ?? 0) - (at[1] ?? 0)).toBeGreaterThanOrEqual(445);
    expect(await app.trail(id)).toEqual([]);
  });

  test('a job that is asked to wait comes back after that time and not before', async () => {
    const at: number[] = [];
    const job = jobNamed('test.limited', ({ attempt }) => {
      at.push(Date.now());
      if (attempt === 1) throw new AppError('RATE_LIMITED', 'Asked to wait', { retryAfterSeconds: 2 });
      return Promise.resolve();
    });
    start(job);
    const { id } = await ask(job);

    expect(await until(id, 'DONE')).toMatchObject({ attempts: 2 });
    // Without a word about it, the second try would come after 0.3 s at most.
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1900);
  });

  test('the last failure is one entry of the trail and a sentence that keeps the details of a bug to itself', async () => {
    const job = jobNamed('test.broken', () => Promise.reject(new Error('jane@example.org broke it')), {
      attempts: 2,
    });
    start(job);
    const { id } = await ask(job);
    const row = await until(id, 'FAILED');
    expect(row).toMatchObject({
      attempts: 2,
      message: `Something went wrong on our side; the log has it under the job ${id}.`,
    });
    expect(await app.trail(id)).toEqual([
      { command: 'job.giveUp', outcome: 'done', actorId: 'job:test.broken' },
    ]);
  });

  test.each(['NOT_FOUND', 'FORBIDDEN', 'INVALID_INPUT', 'PRECONDITION_FAILED'] as const)(
    'a refusal with %s is not tried again',
    async (code) => {
      let tries = 0;
      const job = jobNamed('test.refused', () => {
        tries += 1;
        return Promise.reject(new AppError(code, 'The version was deleted'));
      });
      start(job);
      const { id } = await ask(job);
      expect(await until(id, 'FAILED')).toMatchObject({ message: 'The version was deleted', attempts: 1 });
      expect(tries).toBe(1);
    },
  );

  test('a job past its time is told to stop; one that does not listen is given up all the same', async () => {
    let told = false;
    const job = jobNamed(
      'test.endless',
      ({ signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true;
          });
        }),
      { attempts: 1, timeoutMs: 300 },
    );
    start(job);
    const { id } = await ask(job);
    expect((await until(id, 'FAILED')).message).toBe('It took longer than the 0.3 s that it may take.');
    expect(told).toBe(true);
  });

  test('people see how far a job is', async () => {
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const job = jobNamed('test.progress', async ({ progress }) => {
      await progress(0.4, 'Reading rows');
      await gate;
    });
    start(job);
    const { id } = await ask(job);
    await vi.waitFor(async () => {
      expect(await rowOf(id)).toMatchObject({ state: 'RUNNING', progress: 0.4, message: 'Reading rows' });
    }, 10_000);
    goOn();
    expect(await until(id, 'DONE')).toMatchObject({ progress: 1 });
  });

  test('work for later waits in the outbox until its time', async () => {
    const job = jobNamed('test.later', nothing);
    const sender = openSender(transportOf(app), app.log);
    senders.push(sender);
    const parts = { ...app, jobs: new Map([[job.name, job]]) };
    await ask(job, { waitMs: 60_000 });
    expect(await relayOnce(parts, sender, [job.name])).toBe(0);
    app.clock.advance(61_000);
    expect(await relayOnce(parts, sender, [job.name])).toBe(1);
  });

  test('a relay that dies after handing over repeats itself, and the work is still done once', async () => {
    const seen: string[] = [];
    const job = jobNamed('test.repeated', ({ jobId }) => Promise.resolve(void seen.push(jobId)));
    const sender = openSender(transportOf(app), app.log);
    senders.push(sender);
    const dying: Sender = {
      close: () => Promise.resolve(),
      send: async (queue, postings) => {
        await sender.send(queue, postings);
        throw new Error('The relay dies here');
      },
    };
    const parts = { ...app, jobs: new Map([[job.name, job]]) };
    const { ids } = await ask(job, { count: 3 });
    await expect(relayOnce(parts, dying, [job.name])).rejects.toThrow('The relay dies here');
    expect(await relayOnce(parts, sender, [job.name])).toBe(3);
    start(job);
    await until(ids[2] ?? '', 'DONE');
    await sleep(300);
    expect([...seen].sort()).toEqual([...ids].sort());
  });

  test('two workers share the load, and each piece is done by one of them', async () => {
    const seen: string[] = [];
    const by = (name: string) =>
      jobNamed('test.shared', async ({ jobId }) => {
        await sleep(40);
        seen.push(`${name} ${jobId}`);
      });
    start(by('a'), { concurrency: 2 });
    start(by('b'), { concurrency: 2 });
    const { ids } = await ask(by('c'), { count: 40 });
    await vi.waitFor(() => {
      expect(seen.length).toBeGreaterThanOrEqual(40);
    }, 15_000);
    expect(new Set(seen.map((line) => line.slice(2)))).toEqual(new Set(ids));
    expect(seen).toHaveLength(40);
    expect(new Set(seen.map((line) => line.slice(0, 1)))).toEqual(new Set(['a', 'b']));
  });

  test('a worker that closes waits for what it has in hand', async () => {
    let ended = false;
    const job = jobNamed('test.inHand', async () => {
      await sleep(700);
      ended = true;
    });
    const worker = start(job);
    const { id } = await ask(job);
    await until(id, 'RUNNING');
    await worker.close();
    expect(ended).toBe(true);
    expect((await rowOf(id)).state).toBe('DONE');
  });

  test('what a closing worker cannot wait for is started anew by another, and that is no failed try', async () => {
    const stuck = jobNamed('test.letGo', () => new Promise(() => undefined));
    const first = start(stuck, { patienceMs: 200 });
    const { id } = await ask(stuck);
    await until(id, 'RUNNING');
    await first.close();
    start(jobNamed('test.letGo', nothing));
    expect(await until(id, 'DONE')).toMatchObject({ attempts: 1 });
  });

  test('the work of a killed process is done by another within seconds, and that is no failed try', async () => {
    const seen: number[] = [];
    const job = jobNamed('test.killed', ({ attempt }) => Promise.resolve(void seen.push(attempt)));
    const child = startChild({
      transport: transportOf(app),
      databaseUrl: app.databaseUrl,
      folder: app.folder,
    });
    try {
      await message(child, 'ready');
      const inside = message(child, 'inside');
      const { id } = await ask(job);
      await inside;
      child.kill('SIGKILL');
      const killedAt = performance.now();
      start(job);
      expect(await until(id, 'DONE')).toMatchObject({ attempts: 1 });
      expect(performance.now() - killedAt).toBeLessThan(8000);
      expect(seen).toEqual([1]);
    } finally {
      child.kill('SIGKILL');
    }
  });
};

const here = fileURLToPath(new URL('.', import.meta.url));

/** A worker in a process of its own that begins `test.killed` and never ends it. */
const startChild = (settings: object): ChildProcess =>
  fork(join(here, 'worker-process.ts'), [JSON.stringify(settings)], {
    execArgv: ['--import', new URL('../compute/typescript-hook.mjs', import.meta.url).href],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

const message = async (child: ChildProcess, expected: string): Promise<void> => {
  const left = once(child, 'exit').then(() =>
    Promise.reject(new Error(`The worker ended before it said ${expected}`)),
  );
  left.catch(() => undefined);
  for (;;) {
    const [said] = (await Promise.race([once(child, 'message'), left])) as [unknown];
    if (said === expected) return;
  }
};
