import { afterEach, beforeAll, expect, test } from 'vitest';
import { openSlackSocket, type SlackSocket, type SlackSocketKind } from '../../integrations/slack-socket.js';
import { clickOf, submissionOf, threadMessageOf } from '../../integrations/slack-sender.fake.js';
import { openLog } from '../../kernel/log.js';
import { openSlackTest, slackSecrets, textOf, type SlackTest } from '../../testing/given-slack.js';
import { slackReceiver } from './receiver.js';

let t: SlackTest;
let socket: SlackSocket | null = null;

beforeAll(async () => {
  t = await openSlackTest();
});
afterEach(async () => {
  await socket?.close();
  socket = null;
});

const open = async (): Promise<void> => {
  const receive = slackReceiver({ run: t.app.run, slack: t.port, clock: t.app.clock });
  socket = openSlackSocket({
    appToken: slackSecrets.appToken,
    apiUrl: t.slack.url,
    log: openLog({ level: 'silent' }),
    receive,
    firstPauseMs: 50,
  });
  await connected();
};

const connected = () => expect.poll(() => t.slack.sockets.count(), { timeout: 10_000 }).toBe(1);

const send = (kind: SlackSocketKind, body: object) => t.slack.sockets.send(kind, body);

test('over the socket the same happens as over requests: click, form, faults in the form, decision', async () => {
  const user = await t.linked(await t.app.actor('validator'));
  const { message } = await t.request();
  await open();

  expect(await send('interactive', clickOf(t.slack, message, { user, action: 'approve' }))).toEqual({});
  await t.drain();
  const view = t.slack.views.at(-1) ?? { id: '', privateMetadata: '' };
  expect(await send('interactive', submissionOf(t.slack, view, { user, reason: ' ' }))).toMatchObject({
    response_action: 'errors',
  });
  expect(await send('interactive', submissionOf(t.slack, view, { user, reason: 'It holds' }))).toEqual({});
  await t.drain();

  expect(textOf(message.blocks)).toContain('validator approved as validator');
});

test('what comes twice, over the socket and as a request, is worked on once', async () => {
  const user = t.account('U0TWICE');
  const { message } = await t.request();
  await open();
  const written = threadMessageOf(t.slack, message, { user, text: 'hello', ts: '9.1' });
  await send('events_api', written);
  await t.send('events_api', written);

  expect((await t.drain()).performed.filter((job) => job === 'slack.handleInteraction')).toHaveLength(1);
});

test('a command is answered in its acknowledgement', async () => {
  await open();
  const typed = { command: '/countersign', text: 'link', user_id: 'U1', team_id: t.slack.teamId };

  expect(await send('slash_commands', typed)).toMatchObject({
    response_type: 'ephemeral',
    text: expect.stringContaining('/slack/link?ticket=') as string,
  });
});

test.each(['politely', 'cut'] as const)('a connection that Slack ends %s is opened again', async (how) => {
  await open();
  const before = t.slack.calls.filter((name) => name === 'apps.connections.open').length;
  t.slack.sockets.disconnect(how);
  await expect
    .poll(() => t.slack.calls.filter((name) => name === 'apps.connections.open').length, { timeout: 15_000 })
    .toBeGreaterThan(before);
  await connected();

  expect(await send('interactive', { type: 'view_closed' })).toEqual({});
});

test('while Slack is down it is tried again, and the process lives on', async () => {
  t.slack.setDown(true);
  socket = openSlackSocket({
    appToken: slackSecrets.appToken,
    apiUrl: t.slack.url,
    log: openLog({ level: 'silent' }),
    receive: () => Promise.resolve(null),
    firstPauseMs: 20,
  });
  const tries = () => t.slack.calls.filter((name) => name === 'apps.connections.open').length;
  const before = tries();
  await expect.poll(tries, { timeout: 10_000 }).toBeGreaterThan(before + 3);
  t.slack.setDown(false);

  await connected();
});

test('what cannot be taken is not acknowledged, so that it comes again', async () => {
  socket = openSlackSocket({
    appToken: slackSecrets.appToken,
    apiUrl: t.slack.url,
    log: openLog({ level: 'silent' }),
    receive: () => Promise.reject(new Error('the database is away')),
    firstPauseMs: 50,
  });
  await connected();

  expect(await t.slack.sockets.send('interactive', {}, 500)).toBeNull();
});
