import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openKernel, resizeThing, type Kernel } from '../testing/kernel.js';
import { openTestOutside, type TestOutside } from '../testing/outside.js';
import { deliver } from '../worker/deliver.js';
import type { WorkerParts } from '../worker/perform.js';
import { defineCommand } from './command.js';
import { defineJob, defineReaction } from './job.js';
import { openLog } from './log.js';
import { openMetrics } from './metrics.js';
import { currentTrace, withTrace } from './trace.js';

const input = z.object({ id: z.uuid() });

/** Something that only a job may do. */
const finish = defineCommand({
  name: 'thing.finish',
  describe: 'Finishes what a request began.',
  permission: 'evaluation:record',
  input,
  target: (_, { id }) => Promise.resolve({ id }),
  handle: ({ target: { id } }) =>
    Promise.resolve({ result: null, audit: { subject: { kind: 'thing', id } } }),
});

const work = defineJob({
  name: 'thing.work',
  queue: 'light',
  payload: input,
  attempts: 1,
  timeoutMs: 10_000,
  handle: async ({ log, run, actor, payload }) => {
    log.info('at work');
    await run(finish, actor, payload);
  },
});

const begin = defineCommand({
  name: 'thing.begin',
  describe: 'Begins work.',
  permission: 'useCase:update',
  input,
  target: (_, { id }) => Promise.resolve({ id }),
  handle: ({ target: { id }, enqueue }) => {
    enqueue(work, { id });
    return Promise.resolve({ result: null, audit: { subject: { kind: 'thing', id } } });
  },
});

const follow = defineReaction({
  name: 'thing.follow',
  follows: [resizeThing],
  attempts: 1,
  handle: async ({ run, actor, payload }) => {
    for (const { id } of payload.subjects) await run(finish, actor, { id });
  },
});

let kernel: Kernel;
let folder = '';
let outside: TestOutside;
const lines: string[] = [];
const log = openLog({ level: 'info' }, { write: (line) => lines.push(line) });

beforeAll(async () => {
  kernel = await openKernel([follow]);
  folder = await mkdtemp(join(tmpdir(), 'countersign-trace-'));
  outside = await openTestOutside(folder);
});
afterAll(async () => {
  await outside.close();
  await rm(folder, { recursive: true, force: true });
});

interface Posted {
  id: string;
  job: string;
  payload: unknown;
  request_id: string | null;
}

/** Performs what waits in the outbox, as a worker in another process would: without the trace of this one. */
const performPosted = async (): Promise<void> => {
  const rows = (await kernel.rows('delete from outbox returning *')) as unknown as Posted[];
  const jobs = new Map([work, follow].map((job) => [job.name, job]));
  const parts: WorkerParts = { ...kernel, outside, log, metrics: openMetrics(), jobs };
  for (const { id, job, payload, request_id: requestId } of rows) {
    const { workspaceId, organizationId } = kernel;
    const parcel = { id, job, payload, requestId, workspaceId, organizationId };
    await deliver(parts, { parcel, attempt: 1, deaths: 0 }, new AbortController().signal);
  }
};

const linesThatSay = (sentence: string): Record<string, unknown>[] =>
  lines.map((text) => JSON.parse(text) as Record<string, unknown>).filter(({ msg }) => msg === sentence);

test('the request is named in what its job logs and in what its job leaves in the trail', async () => {
  const id = crypto.randomUUID();
  await withTrace({ requestId: 'request-5', door: 'graphql' }, () =>
    kernel.run(begin, kernel.actor('owner'), { id }),
  );
  expect(currentTrace()).toBeUndefined();

  await performPosted();

  const named = { requestId: 'request-5', door: 'job:thing.work', job: 'thing.work', attempt: 1 };
  expect(linesThatSay('at work')).toMatchObject([named]);
  expect(linesThatSay('job')).toMatchObject([{ ...named, milliseconds: expect.any(Number) as number }]);
  expect(await kernel.trail(id)).toMatchObject([
    { command: 'thing.begin', body: { request: { id: 'request-5', door: 'graphql' } } },
    {
      command: 'thing.finish',
      body: {
        request: { id: 'request-5', door: 'job:thing.work' },
        actor: { kind: 'system', id: 'job:thing.work', token: null },
      },
    },
  ]);
});

test('the request is named in what follows from a change, too', async () => {
  const id = await kernel.thing();
  await withTrace({ requestId: 'request-6', door: 'http' }, () =>
    kernel.run(resizeThing, kernel.actor('owner'), { id, size: 2 }),
  );

  await performPosted();

  expect((await kernel.trail(id)).at(-1)).toMatchObject({
    command: 'thing.finish',
    body: { request: { id: 'request-6', door: 'job:thing.follow' } },
  });
});

test('the request is named where its job fails', async () => {
  const id = crypto.randomUUID();
  await withTrace({ requestId: 'request-7', door: 'graphql' }, () =>
    kernel.run(begin, kernel.actor('owner'), { id }),
  );
  await kernel.rows(`update outbox set payload = '{}'`);

  await expect(performPosted()).rejects.toThrow();

  expect(linesThatSay('A job failed for the last time')).toMatchObject([
    { requestId: 'request-7', door: 'job:thing.work', job: 'thing.work' },
  ]);
});

test('a job that no request caused is named by its own id', async () => {
  const id = crypto.randomUUID();
  await kernel.run(begin, kernel.actor('owner'), { id });
  const [row] = await kernel.rows('select id from outbox');

  await performPosted();

  expect((await kernel.trail(id)).at(-1)).toMatchObject({ body: { request: { id: row?.['id'] } } });
});
