import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWebhookSender } from '../../integrations/webhook-sender.js';
import type { RunCommand } from '../../kernel/command.js';
import { lookOnce } from '../../worker/clock.js';
import { runStatement } from '../../testing/databases.js';
import { inboxOf } from '../../testing/inbox.js';
import { drainJobs } from '../../testing/jobs.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { openWebhookTest, type WebhookTest } from '../../testing/webhooks.js';
import { deliveryTick } from './notifications.jobs/clock.js';

const RESUME = `mutation ($input: WebhookResumeInput!) { resumeWebhook(input: $input) { id } }`;
const REPLAY = `mutation ($input: DeliveryReplayInput!) { replayDelivery(input: $input) { id } }`;
const REPLAY_ALL = `mutation ($input: WebhookReplayInput!) { replayDeliveries(input: $input) { changed } }`;

let app: TestApp;
let hooks: WebhookTest;

beforeAll(async () => {
  app = await testApp();
  hooks = await openWebhookTest(app);
});
beforeEach(async () => {
  hooks.received.length = 0;
  hooks.answer(() => 204);
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test'); update webhook set state = 'PAUSED' where state = 'ACTIVE'`,
  );
});

describe('a receiver that fails', () => {
  test('is tried again with growing delays under the same name, until it answers', async () => {
    const { id } = await hooks.given();
    hooks.answer((count) => (count < 4 ? 500 : 200));
    await hooks.sendTest(id);
    await hooks.drain();
    expect(hooks.received).toHaveLength(1);
    await lookOnce(app, deliveryTick);
    await hooks.drain();
    expect(hooks.received).toHaveLength(1);

    await hooks.letTimePass(3);

    expect(hooks.received).toHaveLength(4);
    expect(new Set(hooks.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(hooks.received.map(({ body }) => body)).size).toBe(1);
    expect(await hooks.deliveries(id)).toMatchObject([{ state: 'SENT', attempts: 4 }]);
    expect(await hooks.webhook(id)).toMatchObject({ state: 'ACTIVE', failingSince: null });
  });

  test('for more than a day is a dead letter, which can be sent again, alone or with all since a time', async () => {
    const { id } = await hooks.given();
    hooks.answer(() => 503);
    const since = app.clock.now();
    const [first, second] = [await hooks.sendTest(id), await hooks.sendTest(id)];
    await hooks.drain();
    await hooks.letTimePass(8);

    const dead = await hooks.deliveries(id, 'DEAD');
    expect(dead.map((one) => one.id).sort()).toEqual([first, second].sort());
    expect(dead[0]).toMatchObject({ attempts: 8, lastStatus: 503, lastReason: 'The receiver answered 503' });
    expect(await hooks.webhook(id)).toMatchObject({ dead: 2 });

    hooks.answer(() => 200);
    hooks.received.length = 0;
    const owner = await app.actor('owner');
    await app.graphql(owner, REPLAY, { input: { deliveryId: first } });
    await hooks.drain();
    expect(hooks.received.map(({ headers }) => headers['webhook-id'])).toEqual([`msg_${first}`]);
    const all = await app.graphql(owner, REPLAY_ALL, {
      input: { webhookId: id, since: since.toISOString() },
    });
    expect(all.data).toEqual({ replayDeliveries: { changed: 1 } });
    await hooks.drain();
    expect(hooks.received.map(({ headers }) => headers['webhook-id'])).toEqual([
      `msg_${first}`,
      `msg_${second}`,
    ]);
    expect(await hooks.deliveries(id, 'DEAD')).toEqual([]);
    expect((await app.trail(first)).map(({ command }) => command)).toContain('delivery.replay');
  });

  test('for days is disabled with a notice to those who manage webhooks; it is resumed by hand', async () => {
    const { id } = await hooks.given();
    hooks.answer(() => 500);
    for (const _ of Array.from({ length: 6 })) {
      await hooks.sendTest(id);
      await hooks.drain();
      app.clock.advance(86_400_000);
    }
    await hooks.sendTest(id);
    await hooks.drain();

    expect(await hooks.webhook(id)).toMatchObject({
      state: 'DISABLED',
      stateReason: expect.stringContaining('The receiver answered 500') as string,
    });
    const [notice] = (await inboxOf(app, await app.actor('owner'))).inbox.nodes;
    expect(notice).toMatchObject({ event: 'WEBHOOK_DISABLED', link: '/settings/webhooks' });
    hooks.received.length = 0;
    await hooks.letTimePass(1);
    expect(hooks.received).toEqual([]);

    await app.graphql(await app.actor('owner'), RESUME, { input: { webhookId: id } });
    expect(await hooks.webhook(id)).toMatchObject({ state: 'ACTIVE', failingSince: null, stateReason: null });
  });

  test('by saying that it is gone is disabled at once', async () => {
    const { id } = await hooks.given();
    hooks.answer(() => 410);
    await hooks.sendTest(id);
    await hooks.drain();

    expect(await hooks.deliveries(id)).toMatchObject([{ state: 'DEAD', lastStatus: 410 }]);
    expect(await hooks.webhook(id)).toMatchObject({ state: 'DISABLED' });
  });

  test('with a redirect is not followed', async () => {
    const { id } = await hooks.given();
    hooks.answer(() => 302);
    await hooks.sendTest(id);
    await hooks.drain();

    expect(hooks.received).toHaveLength(1);
    expect(await hooks.deliveries(id)).toMatchObject([
      { state: 'PENDING', lastReason: 'The receiver answered 302, and redirects are not followed' },
    ]);
  });
});

test('a process that ends between sending and recording sends again, under the same name', async () => {
  const { id } = await hooks.given();
  const deliveryId = await hooks.sendTest(id);
  const killed: RunCommand = (command, ...rest) =>
    command.name === 'delivery.record' ? Promise.reject(new Error('killed')) : app.run(command, ...rest);
  const { failed } = await hooks.drain(killed);
  expect(failed.map(({ job }) => job)).toEqual(['notifications.deliver']);
  expect(await hooks.deliveries(id)).toMatchObject([{ state: 'PENDING', attempts: 0 }]);

  app.clock.advance(130_000);
  await lookOnce(app, deliveryTick);
  await hooks.drain();

  expect(hooks.received.map(({ headers }) => headers['webhook-id'])).toEqual([
    `msg_${deliveryId}`,
    `msg_${deliveryId}`,
  ]);
  expect(await hooks.deliveries(id)).toMatchObject([{ state: 'SENT', attempts: 1 }]);
});

test('where a name leads to a private address, nothing is sent and the dead letter says why', async () => {
  const { id } = await hooks.given({ url: 'https://hooks.example.com/x' });
  await hooks.sendTest(id);
  const resolve = () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]);
  const webhooks = openWebhookSender({ allowLoopback: true, resolve });
  await drainJobs({ ...app, outside: { ...app.outside, webhooks } });

  expect(await hooks.deliveries(id)).toMatchObject([
    { state: 'DEAD', lastReason: 'Refused: the address is not a public one' },
  ]);
});

test('in production a webhook to this machine is refused when it is called', async () => {
  const { id } = await hooks.given();
  await hooks.sendTest(id);
  const webhooks = openWebhookSender({ allowLoopback: false });
  await drainJobs({ ...app, outside: { ...app.outside, webhooks } });

  expect(hooks.received).toEqual([]);
  expect(await hooks.deliveries(id)).toMatchObject([
    { state: 'DEAD', lastReason: 'Refused: the host is this very machine' },
  ]);
});
