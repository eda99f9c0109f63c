import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../kernel/job.js';
import { asSystem } from '../kernel/system.js';
import { defineTick, type TickContext } from '../kernel/tick.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { lookOnce, startClock } from './clock.js';

const job = defineJob({
  name: 'test.renderDue',
  queue: 'light',
  payload: z.object({ scheduleId: z.string() }),
  attempts: 1,
  timeoutMs: 1000,
  handle: () => Promise.resolve(),
});

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});
beforeEach(async () => {
  await asSystem(app.db, (tx) => tx.sql('delete from outbox'));
  await asSystem(app.db, (tx) => tx.sql('delete from effect'));
});

const due = new Date('2026-03-29T01:30:00Z');

const tickThat = (look: (context: TickContext) => Promise<void>, everyMs = 10) =>
  defineTick({ name: 'test.schedules', everyMs, look });

const asking = (key: string, dueAt = due) =>
  tickThat(({ enqueue }) => {
    enqueue(job, { scheduleId: key }, { key, dueAt, workspaceId: app.workspaceId, organizationId: null });
    return Promise.resolve();
  });

const waiting = () =>
  asSystem(app.db, (tx) =>
    tx.sql<{ id: string; job: string; payload: unknown; workspace_id: string }>(
      'select id, job, payload, workspace_id from outbox order by id',
    ),
  );

test('what is due is asked for once, however often and by however many it is seen', async () => {
  const tick = asking('weekly');
  await lookOnce(app, tick);
  await Promise.all([lookOnce(app, tick), lookOnce(app, tick), lookOnce(app, tick)]);
  expect(await waiting()).toMatchObject([
    { job: 'test.renderDue', payload: { scheduleId: 'weekly' }, workspace_id: app.workspaceId },
  ]);
});

test('it is not asked for again after it was relayed and done', async () => {
  await lookOnce(app, asking('weekly'));
  await asSystem(app.db, (tx) => tx.sql('delete from outbox'));
  expect(await lookOnce(app, asking('weekly'))).toBe(0);
  expect(await waiting()).toEqual([]);
});

test('another time and another schedule are other work, in the order of time', async () => {
  await lookOnce(app, asking('weekly', new Date(due.getTime() + 604_800_000)));
  await lookOnce(app, asking('weekly'));
  await lookOnce(app, asking('monthly'));
  const rows = await waiting();
  expect(rows).toHaveLength(3);
  expect(rows[2]?.payload).toEqual({ scheduleId: 'weekly' });
});

test('a tick that another worker is looking at is left to it', async () => {
  let inside = 0;
  let most = 0;
  const slow = tickThat(async () => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(60);
    inside -= 1;
  });
  await Promise.all(Array.from({ length: 4 }, () => lookOnce(app, slow)));
  expect(most).toBe(1);
});

test('a tick that fails is looked at again and does not keep the others from theirs', async () => {
  let looks = 0;
  const failing = tickThat(() => {
    looks += 1;
    return Promise.reject(new Error('The table is locked'));
  });
  const clock = startClock(app, [failing, { ...asking('weekly'), name: 'test.other' }], 20);
  await expect.poll(() => looks, { timeout: 5000 }).toBeGreaterThan(2);
  await clock.close();
  expect(await waiting()).toHaveLength(1);
  const after = looks;
  await sleep(100);
  expect(looks).toBe(after);
});
