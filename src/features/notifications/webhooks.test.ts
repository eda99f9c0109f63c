import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWebhookSender } from '../../integrations/webhook-sender.js';
import { installationRoot } from '../../kernel/root.js';
import type { RunCommand } from '../../kernel/command.js';
import { lookOnce } from '../../worker/clock.js';
import { runStatement } from '../../testing/databases.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { inboxOf } from '../../testing/inbox.js';
import { drainJobs } from '../../testing/jobs.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { deliveryTick } from './notifications.jobs/clock.js';

interface Received {
  readonly headers: Record<string, string>;
  readonly body: string;
}

let app: TestApp;
let server: Server;
let url = '';
let status: (count: number) => number = () => 204;
const received: Received[] = [];

const plainHeaders = (headers: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

beforeAll(async () => {
  app = await testApp();
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: plainHeaders(request.headers), body: Buffer.concat(parts).toString() });
      response.writeHead(status(received.length)).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  url = `http://127.0.0.1:${String(typeof address === 'object' && address ? address.port : 0)}/hook?sig=HUSH`;
});
beforeEach(async () => {
  received.length = 0;
  status = () => 204;
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test'); update webhook set state = 'PAUSED' where state = 'ACTIVE'`,
  );
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const CREATE = `mutation ($input: WebhookCreateInput!) { createWebhook(input: $input) { id secret } }`;
const TEST = `mutation ($input: WebhookTestInput!) { testWebhook(input: $input) { id } }`;
const ROTATE = `mutation ($input: WebhookRotateSecretInput!) { rotateWebhookSecret(input: $input) { secret } }`;
const RESUME = `mutation ($input: WebhookResumeInput!) { resumeWebhook(input: $input) { id } }`;
const REPLAY = `mutation ($input: DeliveryReplayInput!) { replayDelivery(input: $input) { id } }`;
const REPLAY_ALL = `mutation ($input: WebhookReplayInput!) { replayDeliveries(input: $input) { changed } }`;
const LIST = `{ webhooks(first: 200) { nodes {
  id name target state stateReason failingSince oldSecretEndsAt dead events format } } }`;
const DELIVERIES = `query ($webhookId: ID, $state: DeliveryState) { deliveries(webhookId: $webhookId, state: $state, first: 200) {
  nodes { id state attempts lastStatus lastReason nextTryAt event title } } }`;

interface DeliveryNode {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly lastStatus: number | null;
  readonly lastReason: string | null;
}

let names = 0;

const given = async (change: Record<string, unknown> = {}): Promise<{ id: string; secret: string }> => {
  names += 1;
  const input = {
    name: `hook ${String(names)}`,
    url,
    events: ['CHANGE_REQUESTED', 'CHANGE_EXECUTED'],
    ...change,
  };
  const answer = await app.graphql<{ createWebhook: { id: string; secret: string } }>(
    await app.actor('owner'),
    CREATE,
    { input },
  );
  if (!answer.data) throw new Error(JSON.stringify(answer.errors));
  return answer.data.createWebhook;
};

const parts = (run: RunCommand = app.run) => ({
  ...app,
  run,
  outside: { ...app.outside, webhooks: openWebhookSender({ allowLoopback: true }) },
});
const drain = () => drainJobs(parts());

const sendTest = async (webhookId: string): Promise<string> => {
  const { data } = await app.graphql<{ testWebhook: { id: string } }>(await app.actor('owner'), TEST, {
    input: { webhookId },
  });
  return data?.testWebhook.id ?? '';
};

const deliveries = async (webhookId: string, state?: string): Promise<DeliveryNode[]> => {
  const { data } = await app.graphql<{ deliveries: { nodes: DeliveryNode[] } }>(
    await app.actor('administrator'),
    DELIVERIES,
    { webhookId, state },
  );
  return data?.deliveries.nodes ?? [];
};

const webhook = async (id: string) => {
  const { data } = await app.graphql<{ webhooks: { nodes: Record<string, unknown>[] } }>(
    await app.actor('owner'),
    LIST,
  );
  return data?.webhooks.nodes.find((one) => one['id'] === id);
};

/** Moves the clock over the next try, as often as asked. */
const letTimePass = async (tries: number, hours = 12): Promise<void> => {
  for (let count = 0; count < tries; count += 1) {
    app.clock.advance(hours * 3_600_000);
    await lookOnce(app, deliveryTick);
    await drain();
  }
};

test('an event that was asked for arrives, signed, in the form of Standard Webhooks, and others do not', async () => {
  const { id, secret } = await given();
  const promotable = await givenPromotable(app);
  const request = await givenRequest(app, promotable);
  await drain();
  await decide(app, promotable.validator, request);
  await drain();

  expect(received).toHaveLength(1);
  const [message] = received;
  expect(new Verifier(secret).verify(message?.body ?? '', message?.headers ?? {})).toMatchObject({
    type: 'change.requested',
    timestamp: expect.stringMatching(/^\d{4}-/) as string,
    data: {
      workspace: { id: app.workspaceId, name: 'Main' },
      subject: { kind: 'changeRequest', id: request },
      title: expect.stringMatching(/^Change request #\d+ waits for your decision$/) as string,
      url: expect.stringMatching(/^https:\/\/countersign\.example\/changes\/\d+$/) as string,
    },
  });
  const [delivery] = await deliveries(id);
  expect(delivery).toMatchObject({ state: 'SENT', attempts: 1, lastStatus: 204 });
  expect(message?.headers['webhook-id']).toBe(`msg_${delivery?.id ?? ''}`);
  expect(await app.trail(delivery?.id ?? '')).toMatchObject([
    { command: 'delivery.record', outcome: 'done' },
  ]);
});

test('the secret and the address are shown by nothing: not by lists, nor the trail, nor the database', async () => {
  const { id, secret } = await given();
  await sendTest(id);
  await drain();
  const shown = await webhook(id);

  expect(shown).toMatchObject({ target: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/…$/) as string });
  const { Client } = await import('pg');
  const client = new Client({ connectionString: app.databaseUrl });
  await client.connect();
  for (const table of ['webhook', 'webhook_secret', 'delivery', 'news', 'outbox', 'effect']) {
    const { rows } = await client.query<{ text: string }>(`select t::text as text from "${table}" t`);
    const text = rows.map((row) => row.text).join('\n');
    expect([table, text.includes('HUSH'), text.includes(secret.slice(6))]).toEqual([table, false, false]);
  }
  const { rows } = await client.query<{ text: string }>(
    `select convert_from(canonical, 'utf8') as text from audit_event`,
  );
  await client.end();
  const trail = rows.map((row) => row.text).join('\n');
  expect([trail.includes('HUSH'), trail.includes(secret.slice(6))]).toEqual([false, false]);
  expect(JSON.stringify(shown)).not.toContain('HUSH');
});

test('during a rotation both secrets sign; then only the new one', async () => {
  const { id, secret } = await given();
  const { data } = await app.graphql<{ rotateWebhookSecret: { secret: string } }>(
    await app.actor('administrator'),
    ROTATE,
    { input: { webhookId: id, keepOldHours: 24 } },
  );
  const fresh = data?.rotateWebhookSecret.secret ?? '';
  const verifies = (one: string): boolean => {
    const last = received.at(-1);
    try {
      new Verifier(one).verify(last?.body ?? '', last?.headers ?? {});
      return true;
    } catch {
      return false;
    }
  };
  await sendTest(id);
  await drain();
  expect(fresh).not.toBe(secret);
  expect(received.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
  expect([verifies(secret), verifies(fresh)]).toEqual([true, true]);

  app.clock.advance(25 * 3_600_000);
  await sendTest(id);
  await drain();
  expect(received.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
  expect(await webhook(id)).toMatchObject({ oldSecretEndsAt: null });
});

describe('a receiver that fails', () => {
  test('is tried again with growing delays under the same name, until it answers', async () => {
    const { id } = await given();
    status = (count) => (count < 4 ? 500 : 200);
    await sendTest(id);
    await drain();
    expect(received).toHaveLength(1);
    await lookOnce(app, deliveryTick);
    await drain();
    expect(received).toHaveLength(1);

    await letTimePass(3);

    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(await deliveries(id)).toMatchObject([{ state: 'SENT', attempts: 4 }]);
    expect(await webhook(id)).toMatchObject({ state: 'ACTIVE', failingSince: null });
  });

  test('for more than a day is a dead letter, which can be sent again, alone or with all since a time', async () => {
    const { id } = await given();
    status = () => 503;
    const since = app.clock.now();
    const [first, second] = [await sendTest(id), await sendTest(id)];
    await drain();
    await letTimePass(8);

    const dead = await deliveries(id, 'DEAD');
    expect(dead.map((one) => one.id).sort()).toEqual([first, second].sort());
    expect(dead[0]).toMatchObject({ attempts: 8, lastStatus: 503, lastReason: 'The receiver answered 503' });
    expect(await webhook(id)).toMatchObject({ dead: 2 });

    status = () => 200;
    received.length = 0;
    const owner = await app.actor('owner');
    await app.graphql(owner, REPLAY, { input: { deliveryId: first } });
    await drain();
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([`msg_${first}`]);
    const all = await app.graphql(owner, REPLAY_ALL, {
      input: { webhookId: id, since: since.toISOString() },
    });
    expect(all.data).toEqual({ replayDeliveries: { changed: 1 } });
    await drain();
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([`msg_${first}`, `msg_${second}`]);
    expect(await deliveries(id, 'DEAD')).toEqual([]);
    expect((await app.trail(first)).map(({ command }) => command)).toContain('delivery.replay');
  });

  test('for days is disabled with a notice to those who manage webhooks; it is resumed by hand', async () => {
    const { id } = await given();
    status = () => 500;
    for (const _ of Array.from({ length: 6 })) {
      await sendTest(id);
      await drain();
      app.clock.advance(86_400_000);
    }
    await sendTest(id);
    await drain();

    expect(await webhook(id)).toMatchObject({
      state: 'DISABLED',
      stateReason: expect.stringContaining('The receiver answered 500') as string,
    });
    const [notice] = (await inboxOf(app, await app.actor('owner'))).inbox.nodes;
    expect(notice).toMatchObject({ event: 'WEBHOOK_DISABLED', link: '/settings/webhooks' });
    received.length = 0;
    await letTimePass(1);
    expect(received).toEqual([]);

    await app.graphql(await app.actor('owner'), RESUME, { input: { webhookId: id } });
    expect(await webhook(id)).toMatchObject({ state: 'ACTIVE', failingSince: null, stateReason: null });
  });

  test('by saying that it is gone is disabled at once', async () => {
    const { id } = await given();
    status = () => 410;
    await sendTest(id);
    await drain();

    expect(await deliveries(id)).toMatchObject([{ state: 'DEAD', lastStatus: 410 }]);
    expect(await webhook(id)).toMatchObject({ state: 'DISABLED' });
  });

  test('with a redirect is not followed', async () => {
    const { id } = await given();
    status = () => 302;
    await sendTest(id);
    await drain();

    expect(received).toHaveLength(1);
    expect(await deliveries(id)).toMatchObject([
      { state: 'PENDING', lastReason: 'The receiver answered 302, and redirects are not followed' },
    ]);
  });
});

test('a process that ends between sending and recording sends again, under the same name', async () => {
  const { id } = await given();
  const deliveryId = await sendTest(id);
  const killed: RunCommand = (command, ...rest) =>
    command.name === 'delivery.record' ? Promise.reject(new Error('killed')) : app.run(command, ...rest);
  const { failed } = await drainJobs(parts(killed), { tolerant: true });
  expect(failed.map(({ job }) => job)).toEqual(['notifications.deliver']);
  expect(await deliveries(id)).toMatchObject([{ state: 'PENDING', attempts: 0 }]);

  app.clock.advance(130_000);
  await lookOnce(app, deliveryTick);
  await drain();

  expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([
    `msg_${deliveryId}`,
    `msg_${deliveryId}`,
  ]);
  expect(await deliveries(id)).toMatchObject([{ state: 'SENT', attempts: 1 }]);
});

test('where a name leads to a private address, nothing is sent and the dead letter says why', async () => {
  const { id } = await given({ url: 'https://hooks.example.com/x' });
  await sendTest(id);
  const resolve = () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]);
  const webhooks = openWebhookSender({ allowLoopback: true, resolve });
  await drainJobs({ ...app, outside: { ...app.outside, webhooks } });

  expect(await deliveries(id)).toMatchObject([
    { state: 'DEAD', lastReason: 'Refused: the address is not a public one' },
  ]);
});

test('in production a webhook to this machine is refused when it is called', async () => {
  const { id } = await given();
  await sendTest(id);
  const webhooks = openWebhookSender({ allowLoopback: false });
  await drainJobs({ ...app, outside: { ...app.outside, webhooks } });

  expect(received).toEqual([]);
  expect(await deliveries(id)).toMatchObject([
    { state: 'DEAD', lastReason: 'Refused: the host is this very machine' },
  ]);
});

describe('the form', () => {
  const bodyIn = async (format: string): Promise<unknown> => {
    const { id } = await given({ format, name: `form *${format}*` });
    await sendTest(id);
    await drain();
    return JSON.parse(received[0]?.body ?? '{}') as unknown;
  };

  test('for Teams is an Adaptive Card in which text stays text', async () => {
    expect(await bodyIn('TEAMS')).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              { type: 'TextBlock', text: 'A test of the webhook form \\*TEAMS\\*', wrap: true },
              { type: 'TextBlock', text: 'If you can read this, it works.' },
              { type: 'TextBlock', text: 'Countersign, Main' },
            ],
            actions: [{ type: 'Action.OpenUrl', url: 'https://countersign.example/settings/webhooks' }],
          },
        },
      ],
    });
  });

  test('of plain JSON is flat', async () => {
    expect(await bodyIn('JSON')).toMatchObject({
      event: 'webhook.test',
      workspace: 'Main',
      title: 'A test of the webhook form *JSON*',
      text: 'If you can read this, it works.',
      url: 'https://countersign.example/settings/webhooks',
    });
  });
});

describe('refused is', () => {
  test.each([
    ['a private address', { url: 'https://10.0.0.1/' }, 'INVALID_INPUT'],
    ['a decimal address', { url: 'https://3232235777/' }, 'INVALID_INPUT'],
    ['http to elsewhere', { url: 'http://hooks.example.com/' }, 'INVALID_INPUT'],
    ['another port', { url: 'https://hooks.example.com:22/' }, 'INVALID_INPUT'],
    ['what is no address', { url: 'nonsense' }, 'INVALID_INPUT'],
    ['no event', { events: [] }, 'INVALID_INPUT'],
    ['what is between people', { events: ['MENTION'] }, undefined],
  ])('%s', async (_, change, code) => {
    const input = { name: 'x', url: 'https://hooks.example.com/', events: ['CHANGE_REQUESTED'], ...change };
    const answer = await app.graphql(await app.actor('owner'), CREATE, { input });

    expect(answer.errors).toHaveLength(1);
    if (code !== undefined) expect(answer.code).toBe(code);
  });

  test('a name that is taken', async () => {
    const { id } = await given({ name: 'taken' });
    const input = { name: 'taken', url, events: ['CHANGE_REQUESTED'] };
    const answer = await app.graphql(await app.actor('owner'), CREATE, { input });

    expect([id.length, answer.code]).toEqual([36, 'CONFLICT']);
  });

  test.each(['engineer', 'validator', 'compliance', 'auditor'] as const)(
    'every webhook to the %s',
    async (role) => {
      const actor = await app.actor(role);
      const { id } = await given();

      expect((await app.graphql(actor, LIST)).code).toBe('FORBIDDEN');
      expect((await app.graphql(actor, DELIVERIES, {})).code).toBe('FORBIDDEN');
      expect((await app.graphql(actor, TEST, { input: { webhookId: id } })).code).toBe('FORBIDDEN');
      expect((await app.trail(id)).at(-1)).toMatchObject({ outcome: 'refused', actorId: actor.id });
    },
  );
});

test('a receiver that verifies as docs/notifications.md says takes what we send, and nothing else', async () => {
  const { id, secret } = await given();
  await sendTest(id);
  await drain();
  const [message] = received;
  if (!message) throw new Error('Nothing arrived');
  const text = await readFile(join(installationRoot, 'docs', 'notifications.md'), 'utf8');
  const [, example = ''] = /```js\n([\s\S]*?)```/.exec(text) ?? [];
  const folder = await mkdtemp(join(app.folder, 'example-'));
  const file = join(folder, 'verify.mjs');
  await writeFile(file, example);
  const { verify } = (await import(pathToFileURL(file).href)) as {
    verify: (body: string, headers: Record<string, string>, secrets: string[], now?: number) => unknown;
  };
  const { body, headers } = message;
  const now = Number(headers['webhook-timestamp']) * 1000;
  const other = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;

  expect(verify(body, headers, [secret], now)).toMatchObject({ type: 'webhook.test' });
  expect(verify(body, headers, [other, secret], now)).toMatchObject({ type: 'webhook.test' });
  for (const [sent, shown, secrets, at] of [
    [`${body} `, headers, [secret], now],
    [body, { ...headers, 'webhook-id': 'msg_other' }, [secret], now],
    [body, headers, [other], now],
    [body, { ...headers, 'webhook-signature': 'v1,' }, [secret], now],
    [body, { ...headers, 'webhook-signature': '' }, [secret], now],
    [body, headers, [secret], now + 301_000],
    [body, headers, [secret], now - 301_000],
  ] as const) {
    expect(() => verify(sent, shown, [...secrets], at)).toThrow();
  }
  await rm(folder, { recursive: true });
});
