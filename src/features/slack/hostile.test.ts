import { beforeAll, describe, expect, test } from 'vitest';
import { clickOf, requestOf, sendSigned } from '../../integrations/slack-sender.fake.js';
import { openSlackTest, slackSecrets, textOf, type SlackTest } from '../../testing/given-slack.js';

let t: SlackTest;
let validator: string;

beforeAll(async () => {
  t = await openSlackTest();
  validator = await t.linked(await t.app.actor('validator'));
});

describe('what is hostile is refused at the door, and nothing is worked on:', () => {
  const now = (): number => Math.floor(t.app.clock.now().getTime() / 1000);
  const click = (): { path: string; text: string; type: string } =>
    requestOf(
      'interactive',
      clickOf(
        t.slack,
        { ts: '1.1', channel: 'C0000001', text: '', blocks: [], dedupeKey: '', threadTs: null },
        { user: 'U1', action: 'approve', value: 'x.y' },
      ),
    );
  const { signingSecret } = slackSecrets;

  test.each<[string, () => Promise<{ status: number; body: unknown }>, number]>([
    ['another secret', () => sendSigned(t.door.url, 'another', click()), 401],
    [
      'no signature',
      () => sendSigned(t.door.url, signingSecret, click(), { headers: { 'x-slack-signature': '' } }),
      401,
    ],
    [
      'a signature of half the length',
      () => sendSigned(t.door.url, signingSecret, click(), { headers: { 'x-slack-signature': 'v0=abc' } }),
      401,
    ],
    [
      'a time of six minutes ago',
      () => sendSigned(t.door.url, signingSecret, click(), { timestamp: String(now() - 360) }),
      401,
    ],
    [
      'a time in six minutes',
      () => sendSigned(t.door.url, signingSecret, click(), { timestamp: String(now() + 360) }),
      401,
    ],
    ['a time that is none', () => sendSigned(t.door.url, signingSecret, click(), { timestamp: 'NaN' }), 401],
    [
      'a negative time',
      () => sendSigned(t.door.url, signingSecret, click(), { timestamp: `-${String(now())}` }),
      401,
    ],
    [
      'another body than was signed',
      () => {
        const { text, ...rest } = click();
        return sendSigned(
          t.door.url,
          signingSecret,
          { ...rest, text: `${text}&more=1` },
          { headers: { 'x-slack-signature': `v0=${'0'.repeat(64)}` } },
        );
      },
      401,
    ],
    [
      'another content type',
      () => sendSigned(t.door.url, signingSecret, { ...click(), type: 'application/json' }),
      415,
    ],
    ['plain text', () => sendSigned(t.door.url, signingSecret, { ...click(), type: 'text/plain' }), 415],
    [
      'a huge body',
      () => sendSigned(t.door.url, signingSecret, { ...click(), text: `payload=${'x'.repeat(200_000)}` }),
      413,
    ],
    [
      'a body that is no JSON',
      () => sendSigned(t.door.url, signingSecret, { ...click(), text: 'payload=%7B' }),
      400,
    ],
    ['no payload', () => sendSigned(t.door.url, signingSecret, { ...click(), text: 'a=1' }), 400],
  ])('%s', async (_, attempt, status) => {
    const answered = await attempt();

    expect(answered.status).toBe(status);
    expect((await t.drain()).performed).toEqual([]);
  });

  test('a GET acts on nothing', async () => {
    for (const path of ['/slack/interactions', '/slack/events', '/slack/commands']) {
      expect((await fetch(new URL(path, t.door.url))).status).toBe(404);
    }
  });

  test('a forged button does nothing and is said to be none of ours', async () => {
    const made = await t.request();
    const before = await t.app.trail(made.id);
    const other = t.port.seal('form', {
      workspaceId: t.app.workspaceId,
      changeRequestId: made.id,
      manifestSha256: '0'.repeat(64),
    });
    for (const value of ['x.y', 'nonsense', other]) {
      t.slack.whispers.length = 0;
      expect(await t.click(made.message, { user: validator, action: 'approve', value })).toBeNull();
      expect(textOf(t.slack.whispers[0]?.blocks ?? [])).toContain('not good any more');
    }
    expect(await t.app.trail(made.id)).toHaveLength(before.length);
  });

  test('what is no click, no form and no message of a thread is acknowledged and dropped', async () => {
    for (const payload of [
      { type: 'view_closed' },
      { type: 'block_actions' },
      { type: 'shortcut', user: { id: 'U1' } },
      {},
    ]) {
      expect(await t.send('interactive', payload)).toEqual({ status: 200, body: null });
    }
    expect(
      await t.send('events_api', { type: 'event_callback', event: { type: 'app_home_opened' } }),
    ).toEqual({ status: 200, body: null });
    expect((await t.drain()).performed).toEqual([]);
  });

  test('the question that Slack asks once is answered, when it is signed', async () => {
    const asked = { type: 'url_verification', challenge: 'abc' };

    expect(await t.send('events_api', asked)).toEqual({ status: 200, body: { challenge: 'abc' } });
    expect((await t.send('events_api', asked, { secret: 'another' })).status).toBe(401);
  });
});
