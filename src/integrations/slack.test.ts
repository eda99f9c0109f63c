import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ChatMessage } from '../kernel/ports.js';
import { startFakeSlack, type FakeSlack } from './slack.fake.js';
import { openSlack } from './slack.js';

const token = 'xoxb-a-token-of-this-test';
let slack: FakeSlack;
beforeAll(async () => {
  slack = await startFakeSlack({ token, channels: ['#model-approvals'] });
});
beforeEach(() => {
  slack.posted.length = 0;
});
afterAll(() => slack.close());

const room = (change: { token?: string | null; channel?: string } = {}) =>
  openSlack({
    token,
    channel: '#model-approvals',
    apiUrl: slack.url,
    linkBase: 'https://countersign.example',
    ...change,
  });

const message = (change: Partial<ChatMessage> = {}): ChatMessage => ({
  channel: '',
  title: 'Approval needed',
  lines: ['Model routing: version 1 to version 2'],
  link: { label: 'Open change request 7', url: '/changes/7' },
  dedupeKey: 'command-1',
  ...change,
});

test('a message is posted with title, lines, an absolute link and the mark that finds doubles', async () => {
  const { id } = await room().post(message());

  expect(slack.posted).toEqual([
    {
      ts: id,
      channel: slack.channel('#model-approvals'),
      text: 'Approval needed',
      threadTs: null,
      dedupeKey: 'command-1',
      blocks: [
        { type: 'header', text: { type: 'plain_text', text: 'Approval needed', emoji: false } },
        {
          type: 'section',
          text: { type: 'mrkdwn', text: 'Model routing: version 1 to version 2', verbatim: true },
        },
        {
          type: 'section',
          text: {
            type: 'mrkdwn',
            text: '<https://countersign.example/changes/7|Open change request 7>',
            verbatim: true,
          },
        },
      ],
    },
  ]);
});

test('what people write becomes neither a mention nor a link', async () => {
  await room().post(message({ lines: ['Reason: <!channel> & <https://evil.example|click>'] }));

  expect(slack.posted[0]?.blocks[1]?.text?.text).toBe(
    'Reason: &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;',
  );
});

test('the text of the notification is escaped as well', async () => {
  await room().post(message({ title: 'Move <!channel> & more' }));

  expect(slack.posted[0]?.text).toBe('Move &lt;!channel&gt; &amp; more');
});

test('a line that is too long is cut between signs, never inside of one', async () => {
  for (const shift of [0, 1, 2, 3, 4])
    await room().post(message({ lines: [`${'x'.repeat(shift)}${'&'.repeat(2000)}`] }));

  expect(slack.posted).toHaveLength(5);
  for (const { blocks } of slack.posted) {
    const text = blocks[1]?.text?.text ?? '';
    expect(text.length).toBeLessThanOrEqual(3000);
    expect(text).toMatch(/^x*(?:&amp;)+…$/);
  }
});

test.each([
  ['a very long title', { title: 'x'.repeat(5000) }],
  ['a very long line', { lines: ['y'.repeat(10_000)] }],
  [
    'very many lines',
    { lines: Array.from({ length: 500 }, (_, index) => `${String(index)} ${'z'.repeat(2000)}`) },
  ],
])('%s stays within the limits of the vendor, and the link stays', async (_, change) => {
  await room().post(message(change));

  expect(slack.posted).toHaveLength(1);
  expect(slack.posted[0]?.blocks.at(-1)?.text?.text).toContain('/changes/7');
});

describe('a refusal', () => {
  test.each([
    ['of the token', { token: 'xoxb-wrong' }, 'SLACK_BOT_TOKEN', 'invalid_auth'],
    ['of the channel', { channel: '#nowhere' }, 'SLACK_CHANNEL', 'channel_not_found'],
  ])('%s says what to set', async (_, change, remedy, slackError) => {
    await expect(room(change).post(message())).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      message: expect.stringContaining(remedy) as string,
      details: { slack: slackError },
    });
  });

  test('by the rate limit comes back at once with the time to wait, for the job to come again', async () => {
    slack.limitNext(1, 30);
    const started = performance.now();

    await expect(room().post(message())).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterSeconds: 30 },
    });
    expect(performance.now() - started).toBeLessThan(5000);
    await expect(room().post(message())).resolves.toMatchObject({ id: expect.any(String) as string });
  });

  test('by a fault of the server is not taken for an answer', async () => {
    slack.failNext();

    await expect(room().post(message())).rejects.toThrow();
    expect(slack.posted).toEqual([]);
  });
});

test('without a token there is no room, and posting says how to get one', async () => {
  const none = room({ token: null });

  expect(none.configured).toBe(false);
  await expect(none.post(message())).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
});
