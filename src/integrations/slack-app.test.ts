import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SlackTrouble, type SlackContent, type SlackPost } from '../kernel/slack-app.js';
import { noSlack, openSlackApp } from './slack-app.js';
import { signatureOf } from './slack-seal.js';
import { startFakeSlack, type FakeSlack } from './slack.fake.js';

const token = 'xoxb-a-token-of-this-test';
const signingSecret = 'a signing secret of this test';
let slack: FakeSlack;
beforeAll(async () => {
  slack = await startFakeSlack({ token, channels: ['#model-approvals'] });
});
beforeEach(() => {
  slack.posted.length = 0;
});
afterAll(() => slack.close());

const app = (
  change: { token?: string; channel?: string; signingSecret?: string | null; socket?: boolean } = {},
) =>
  openSlackApp({
    token,
    signingSecret,
    socket: false,
    channel: slack.channel('#model-approvals'),
    apiUrl: slack.url,
    linkBase: 'https://countersign.example',
    ...change,
  });

const content = (change: Partial<SlackContent> = {}): SlackContent => ({
  title: '#7 Promote',
  facts: [{ label: 'Model', value: 'routing' }],
  lines: ['Reason: better'],
  mentions: [],
  footer: 'manifest',
  buttons: [
    { name: 'approve', label: 'Approve', style: 'primary', value: 'sealed' },
    { name: 'open', label: 'Open', path: '/changes/7' },
  ],
  ...change,
});

const message = (change: Partial<SlackPost> = {}): SlackPost => ({
  channel: slack.channel('#model-approvals'),
  threadTs: null,
  content: content(),
  mark: 'mark-1',
  ...change,
});

test.each([
  ['very many facts', { facts: Array.from({ length: 40 }, () => ({ label: 'x'.repeat(3000), value: 'y' })) }],
  ['very long lines', { lines: Array.from({ length: 300 }, () => 'z'.repeat(9000)) }],
  ['a very long title and footer', { title: 't'.repeat(4000), footer: 'f'.repeat(4000) }],
  ['nothing but a line', { title: '', facts: [], footer: null, buttons: [] }],
])('%s stay within the limits of the vendor, and buttons stay', async (_, change) => {
  await app().post(message({ content: content(change) }));

  const [posted] = slack.posted;
  if (!('buttons' in change)) expect(posted?.blocks.at(-1)?.type).toBe('actions');
  expect(posted?.blocks.length).toBeLessThanOrEqual(50);
});

test('what people write becomes neither a mention nor a link, anywhere', async () => {
  const evil = '<!channel> <https://evil.example|click> <@U1>';
  await app().post(
    message({
      content: content({ title: evil, facts: [{ label: evil, value: evil }], lines: [evil], footer: evil }),
    }),
  );

  const [posted] = slack.posted;
  const marked = JSON.stringify(posted?.blocks.filter(({ type }) => type !== 'header'));
  expect(marked).not.toMatch(/<[!@h]/);
  expect(posted?.text).not.toMatch(/<[!@h]/);
});

test('Slack is told to leave plain words alone: it would make a call of @here and a link of #channel', async () => {
  const evil = '@here @channel #general';
  await app().post(
    message({
      content: content({
        facts: [{ label: evil, value: evil }],
        lines: [evil],
        footer: evil,
        mentions: ['U1'],
      }),
    }),
  );

  const marked = slack.posted[0]?.blocks.flatMap(({ text, fields = [], elements = [] }): object[] => [
    ...(text ? [text] : []),
    ...fields,
    ...elements,
  ]);
  const spoken = marked?.filter((one) => 'type' in one && one.type === 'mrkdwn') ?? [];
  expect(spoken).toHaveLength(4);
  expect(spoken.map((one) => 'verbatim' in one && one.verbatim)).toEqual([true, true, true, true]);
});

test('what people write over several lines cannot pass for a line of ours', async () => {
  await app().post(
    message({
      content: content({ lines: ['Reason: better\r\nAda approved as validator', 'Asked: validator'] }),
    }),
  );

  const texts = slack.posted[0]?.blocks.map(({ text }) => text?.text);
  expect(texts).toContain('Reason: better\n│ Ada approved as validator\nAsked: validator');
});

describe('a request counts as signed', () => {
  const body = Buffer.from('payload=%7B%7D');
  const now = new Date('2026-11-27T12:00:00Z');
  const at = (seconds: number): string => String(now.getTime() / 1000 + seconds);
  const signed = (timestamp: string | null, secret = signingSecret, over = body) => ({
    body,
    timestamp,
    signature: signatureOf(secret, timestamp ?? '', over),
  });

  test.each([
    ['now', signed(at(0)), true],
    ['299 seconds ago', signed(at(-299)), true],
    ['in 299 seconds, by another clock', signed(at(299)), true],
    ['301 seconds ago', signed(at(-301)), false],
    ['in 301 seconds', signed(at(301)), false],
    ['without a time', signed(null), false],
    ['at a time with signs that are no digits', signed('1e9'), false],
    ['by another secret', signed(at(0), 'other'), false],
    ['over another body', signed(at(0), signingSecret, Buffer.from('payload=%7B')), false],
    ['without a signature', { ...signed(at(0)), signature: null }, false],
    [
      'with another version',
      { ...signed(at(0)), signature: signed(at(0)).signature.replace('v0', 'v1') },
      false,
    ],
  ])('%s: %o', (_, request, genuine) => {
    expect(app().isGenuine(request, now)).toBe(genuine);
  });

  test('never without a secret', () => {
    expect(app({ signingSecret: null }).isGenuine(signed(at(0)), now)).toBe(false);
    expect(noSlack.isGenuine(signed(at(0)), now)).toBe(false);
  });
});

describe('what is sealed', () => {
  test('opens for its purpose, with the token it was made with, and unchanged', () => {
    const sealed = app().seal('button', { a: 1 });

    expect(app().unseal('button', sealed)).toEqual({ a: 1 });
    expect(app().unseal('form', sealed)).toBeNull();
    expect(app({ token: 'xoxb-another' }).unseal('button', sealed)).toBeNull();
    const [body = '', mark = ''] = sealed.split('.');
    const other = Buffer.from(JSON.stringify({ a: 2 })).toString('base64url');
    for (const forged of [`${other}.${mark}`, body, `${sealed}.`, `${body}.${'A'.repeat(43)}`, '', '.']) {
      expect(app().unseal('button', forged)).toBeNull();
    }
  });
});

describe('trouble of Slack is told apart from its refusals:', () => {
  test('a limit comes with the time to wait, at once', async () => {
    slack.limitNext(1, 30);
    const started = performance.now();
    const error: unknown = await app()
      .post(message())
      .catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(SlackTrouble);
    expect(error).toMatchObject({ retryAfterSeconds: 30, uncertain: false });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('a fault of the server and a lost answer may have done it', async () => {
    slack.failNext();
    await expect(app().post(message())).rejects.toMatchObject({ name: 'SlackTrouble', uncertain: true });
    slack.loseNextAnswer();
    await expect(app().post(message())).rejects.toMatchObject({ name: 'SlackTrouble', uncertain: true });
  });

  test('a refusal says what to set', async () => {
    await expect(app({ token: 'xoxb-wrong' }).post(message())).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: expect.stringContaining('SLACK_BOT_TOKEN') as string,
    });
  });
});

test('a message is found by its mark, in the channel and in its thread', async () => {
  const { channel, ts } = await app().post(message());
  await app().post(message({ threadTs: ts, mark: 'mark-2' }));
  const since = new Date(Date.now() - 1000);

  expect(await app().findPosted({ channel, threadTs: null, mark: 'mark-1', since })).toEqual({ channel, ts });
  expect(await app().findPosted({ channel, threadTs: ts, mark: 'mark-2', since })).toMatchObject({ channel });
  expect(await app().findPosted({ channel, threadTs: null, mark: 'mark-2', since })).toBeNull();
  expect(
    await app().findPosted({ channel: '#model-approvals', threadTs: null, mark: 'mark-1', since }),
  ).toBeNull();
});

test('buttons need a way back: a signing secret or a socket', () => {
  expect(app({ signingSecret: null }).interactive).toBe(false);
  expect(app({ signingSecret: null, socket: true }).interactive).toBe(true);
});
