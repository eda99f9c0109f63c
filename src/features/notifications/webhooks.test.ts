import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { Webhook as Verifier } from 'standardwebhooks';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { runStatement } from '../../testing/databases.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { openWebhookTest, type WebhookTest } from '../../testing/webhooks.js';

const CREATE = `mutation ($input: WebhookCreateInput!) { createWebhook(input: $input) { id secret } }`;
const TEST = `mutation ($input: WebhookTestInput!) { testWebhook(input: $input) { id } }`;
const ROTATE = `mutation ($input: WebhookRotateSecretInput!) { rotateWebhookSecret(input: $input) { secret } }`;
const LIST = `{ webhooks { nodes { id } } }`;
const DELIVERIES = `{ deliveries { nodes { id } } }`;

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

test('an event that was asked for arrives, signed, in the form of Standard Webhooks, and others do not', async () => {
  const { id, secret } = await hooks.given();
  const promotable = await givenPromotable(app);
  const request = await givenRequest(app, promotable);
  await hooks.drain();
  await decide(app, promotable.validator, request);
  await hooks.drain();

  expect(hooks.received).toHaveLength(1);
  const [message] = hooks.received;
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
  const [delivery] = await hooks.deliveries(id);
  expect(delivery).toMatchObject({ state: 'SENT', attempts: 1, lastStatus: 204 });
  expect(message?.headers['webhook-id']).toBe(`msg_${delivery?.id ?? ''}`);
  expect(await app.trail(delivery?.id ?? '')).toMatchObject([
    { command: 'delivery.record', outcome: 'done' },
  ]);
});

test('the secret and the address are shown by nothing: not by lists, nor the trail, nor the database', async () => {
  const { id, secret } = await hooks.given();
  await hooks.sendTest(id);
  await hooks.drain();
  const shown = await hooks.webhook(id);

  expect(shown).toMatchObject({ target: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/…$/) as string });
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
  const { id, secret } = await hooks.given();
  const { data } = await app.graphql<{ rotateWebhookSecret: { secret: string } }>(
    await app.actor('administrator'),
    ROTATE,
    { input: { webhookId: id, keepOldHours: 24 } },
  );
  const fresh = data?.rotateWebhookSecret.secret ?? '';
  const verifies = (one: string): boolean => {
    const last = hooks.received.at(-1);
    try {
      new Verifier(one).verify(last?.body ?? '', last?.headers ?? {});
      return true;
    } catch {
      return false;
    }
  };
  await hooks.sendTest(id);
  await hooks.drain();
  expect(fresh).not.toBe(secret);
  expect(hooks.received.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
  expect([verifies(secret), verifies(fresh)]).toEqual([true, true]);

  app.clock.advance(25 * 3_600_000);
  await hooks.sendTest(id);
  await hooks.drain();
  expect(hooks.received.at(-1)?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
  expect(await hooks.webhook(id)).toMatchObject({ oldSecretEndsAt: null });
});

describe('the form', () => {
  const bodyIn = async (format: string): Promise<unknown> => {
    const { id } = await hooks.given({ format, name: `form *${format}*` });
    await hooks.sendTest(id);
    await hooks.drain();
    return JSON.parse(hooks.received[0]?.body ?? '{}') as unknown;
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
    const { id } = await hooks.given({ name: 'taken' });
    const input = { name: 'taken', url: hooks.url, events: ['CHANGE_REQUESTED'] };
    const answer = await app.graphql(await app.actor('owner'), CREATE, { input });

    expect([id.length, answer.code]).toEqual([36, 'CONFLICT']);
  });

  test.each(['engineer', 'validator', 'compliance', 'auditor'] as const)(
    'every webhook to the %s',
    async (role) => {
      const actor = await app.actor(role);
      const { id } = await hooks.given();

      expect((await app.graphql(actor, LIST)).code).toBe('FORBIDDEN');
      expect((await app.graphql(actor, DELIVERIES)).code).toBe('FORBIDDEN');
      expect((await app.graphql(actor, TEST, { input: { webhookId: id } })).code).toBe('FORBIDDEN');
      expect((await app.trail(id)).at(-1)).toMatchObject({ outcome: 'refused', actorId: actor.id });
    },
  );
});

test('a receiver that verifies as docs/notifications.md says takes what we send, and nothing else', async () => {
  const { id, secret } = await hooks.given();
  await hooks.sendTest(id);
  await hooks.drain();
  const [message] = hooks.received;
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
