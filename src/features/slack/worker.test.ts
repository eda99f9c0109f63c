import { afterAll, beforeAll, expect, test } from 'vitest';
import { clickOf, submissionOf } from '../../integrations/slack-sender.fake.js';
import { givenPromotable, givenRequest } from '../../testing/given-change.js';
import { openSlackTest, textOf, type SlackTest } from '../../testing/given-slack.js';
import { startWorker, type RunningWorker } from '../../worker/index.js';
import { deliveriesTick } from './slack.jobs/tick.js';

let t: SlackTest;
let worker: RunningWorker;

const start = (): RunningWorker =>
  startWorker(t.app, {
    transport: { kind: 'postgres', url: t.app.databaseUrl },
    concurrency: 4,
    ticks: [deliveriesTick],
    only: ['light'],
  });

beforeAll(async () => {
  t = await openSlackTest();
  worker = start();
});
afterAll(() => worker.close());

const soon = { timeout: 30_000, interval: 20 };

test('with a real worker a click is acknowledged at once, and its form opens while its trigger is good', async () => {
  const user = await t.linked(await t.app.actor('validator'));
  await givenRequest(t.app, await givenPromotable(t.app));
  await expect.poll(() => t.slack.posted.length, soon).toBe(1);
  const [message] = t.slack.posted;
  if (!message) throw new Error('no message');

  for (const round of [1, 2, 3]) {
    const clicked = performance.now();
    const { status } = await t.send(
      'interactive',
      clickOf(t.slack, message, { user, action: 'requestChanges' }),
    );
    expect([status, performance.now() - clicked < 3000]).toEqual([200, true]);
    await expect.poll(() => t.slack.views.length, soon).toBe(round);
  }

  const view = t.slack.views.at(-1);
  if (!view) throw new Error('no form');
  await t.send('interactive', submissionOf(t.slack, view, { user, reason: 'Say more' }));
  await expect.poll(() => textOf(message.blocks), soon).toContain('validator asked for changes as validator');
  expect(t.slack.whispers).toEqual([]);
});

test('what waits while Slack is down survives the worker, and another one sends it', async () => {
  const before = t.slack.posted.length;
  t.slack.setDown(true);
  const calls = t.slack.calls.length;
  const id = await givenRequest(t.app, await givenPromotable(t.app));
  await expect.poll(() => t.slack.calls.length, soon).toBeGreaterThan(calls);
  await worker.close();
  t.slack.setDown(false);
  worker = start();

  await expect.poll(() => t.slack.posted.length, soon).toBe(before + 1);
  expect(await t.app.trail(id)).not.toEqual([]);
});
