import { beforeEach, expect, test } from 'vitest';
import { openSlackApp } from '../../integrations/slack-app.js';
import type { PostedMessage } from '../../integrations/slack.fake.js';
import { newId } from '../../kernel/id.js';
import { lookOnce } from '../../worker/clock.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { openSlackTest, slackSecrets, textOf, type SlackTest } from '../../testing/given-slack.js';
import { drainJobs } from '../../testing/jobs.js';
import { claimDelivery } from './slack.commands/claim.js';
import { deliveriesTick } from './slack.jobs/tick.js';

let t: SlackTest;
beforeEach(async () => {
  t = await openSlackTest();
});

const minute = 60_000;

/** Lets time pass in small steps, as it does, and works on what becomes due. */
const pass = async (minutes: number): Promise<void> => {
  for (let passed = 0; passed < minutes; passed += 1) {
    t.app.clock.advance(minute);
    await t.drain();
  }
};

const ask = async (): Promise<{ id: string; given: Awaited<ReturnType<typeof givenPromotable>> }> => {
  const given = await givenPromotable(t.app);
  return { given, id: await givenRequest(t.app, given) };
};

const LIST = `query ($id: ID) { slackDeliveries(changeRequestId: $id) { nodes { kind state attempts reason } } }`;

const deliveries = async (id: string | null = null) => {
  const { data } = await t.app.graphql<{
    slackDeliveries: { nodes: { kind: string; state: string; attempts: number; reason: string | null }[] };
  }>(await t.app.actor('auditor'), LIST, { id });
  return data?.slackDeliveries.nodes ?? [];
};

const heads = (): string[] =>
  t.slack.posted.map(
    (one) => `${one.threadTs === null ? 'message' : 'thread'}: ${textOf(one.blocks).split('\n')[0] ?? ''}`,
  );

test('Slack down for an hour loses nothing: all arrives in order, once, when it is back', async () => {
  t.slack.setDown(true);
  const first = await ask();
  await t.drain();
  const second = await ask();
  await decide(t.app, first.given.validator, first.id);
  await t.drain();
  await pass(30);
  await decide(t.app, first.given.compliance, first.id, 'REJECT');
  await pass(30);
  expect(t.slack.posted).toEqual([]);
  expect((await deliveries()).every(({ state }) => state === 'WAITING')).toBe(true);

  t.slack.setDown(false);
  await pass(6);

  expect(heads()).toEqual([
    expect.stringMatching(/^message: #1 /) as string,
    expect.stringMatching(/^message: #2 /) as string,
    'thread: validator approved as validator: I looked at it',
    'thread: compliance rejected it as compliance: I looked at it',
    expect.stringMatching(/^thread: Rejected by compliance/) as string,
  ]);
  expect(new Set(t.slack.posted.map(({ dedupeKey }) => dedupeKey)).size).toBe(5);
  expect(textOf(t.slack.posted[0]?.blocks ?? [])).toContain('Rejected by compliance');
  expect((await deliveries()).every(({ state }) => state === 'SENT')).toBe(true);
  expect(second.id).not.toBe(first.id);
});

test('a limit is kept: nothing is asked of Slack before its time, no job sleeps, and then it arrives', async () => {
  await ask();
  t.slack.limitNext(1, 120);
  const started = performance.now();
  await t.drain();
  expect(performance.now() - started).toBeLessThan(10_000);
  const { length: calls } = t.slack.calls;

  t.app.clock.advance(100_000);
  await ask();
  await t.drain();
  expect(t.slack.calls).toHaveLength(calls);
  t.app.clock.advance(30_000);
  await t.drain();

  expect(t.slack.posted).toHaveLength(2);
});

test('an answer that was lost is looked for by its mark before anything is sent again', async () => {
  t.slack.loseNextAnswer();
  const { id } = await ask();
  await t.drain();
  expect(t.slack.posted).toHaveLength(1);
  await pass(1);

  expect(t.slack.posted).toHaveLength(1);
  expect(await deliveries(id)).toEqual([{ kind: 'REQUEST', state: 'SENT', attempts: 2, reason: null }]);
});

test('a job that ended between sending and writing down is taken over, and the message stands there once', async () => {
  const { id } = await ask();
  await drainJobs(t.app, { only: ['slack.followRequests'] });
  const held = await t.app.run(claimDelivery, t.app.system('job:slack.deliver'), { holder: newId() });
  expect(held?.content.kind).toBe('REQUEST');
  await t.port.post({
    channel: t.slack.channel('#model-approvals'),
    threadTs: null,
    content: { title: 'as it was', facts: [], lines: [], mentions: [], footer: null, buttons: [] },
    mark: held?.id ?? '',
  });
  await t.drain();
  expect(await deliveries(id)).toMatchObject([{ state: 'SENDING' }]);

  t.app.clock.advance(3 * minute);
  expect(await lookOnce(t.app, deliveriesTick)).toBe(1);
  expect(await lookOnce(t.app, deliveriesTick)).toBe(0);
  await t.drain();

  expect(t.slack.posted).toHaveLength(1);
  expect(await deliveries(id)).toMatchObject([{ state: 'SENT', attempts: 2 }]);
});

test('a message that was deleted in Slack is not missed by what follows', async () => {
  const { id, given } = await ask();
  await t.drain();
  t.slack.posted.length = 0;
  await decide(t.app, given.validator, id);
  await t.drain();

  const ended = await deliveries(id);
  expect(ended.map(({ kind, state }) => [kind, state])).toEqual([
    ['HISTORY', 'NOT_SENT'],
    ['UPDATE', 'NOT_SENT'],
    ['REQUEST', 'SENT'],
  ]);
  expect(ended[1]?.reason).toContain('message_not_found');
});

const LIST_NOTIFICATIONS = `query ($id: ID) { notifications(subjectId: $id) { nodes { state reason channel } } }`;

const told = async (id: string) => {
  const { data } = await t.app.graphql<{
    notifications: { nodes: { state: string; reason: string | null }[] };
  }>(await t.app.actor('auditor'), LIST_NOTIFICATIONS, { id });
  return data?.notifications.nodes ?? [];
};

test('a request is announced once, with what moves, who asks and what is asked of whom; it stands among the notifications', async () => {
  const { id } = await ask();
  await t.drain();
  await t.drain();

  const [message] = t.slack.posted as [PostedMessage];
  const text = textOf(message.blocks);
  expect(t.slack.posted).toHaveLength(1);
  for (const part of ['no version → version 1', '*Requested by*\nengineer', '*Risk*\nHIGH', 'manifest'])
    expect(text).toContain(part);
  expect(text).toContain('Asked: 0 of 1 approvals by validator (validator)');
  expect(text).toContain('Asked: 0 of 1 approvals by compliance (compliance)');
  expect(await told(id)).toEqual([{ state: 'SENT', reason: null, channel: 'slack' }]);
});

test.each([
  ['a token that Slack refuses', { token: 'xoxb-wrong' }, 'set SLACK_BOT_TOKEN'],
  ['a channel that is not there', { channel: '#nowhere' }, 'SLACK_CHANNEL'],
  ['no Slack', { token: null }, 'Slack is not configured'],
])('with %s the notification says what to set, and nothing fails', async (_, change, remedy) => {
  const { id } = await ask();
  const slack = openSlackApp({
    ...slackSecrets,
    socket: false,
    channel: t.slack.channel('#model-approvals'),
    apiUrl: t.slack.url,
    linkBase: 'https://countersign.example',
    ...change,
  });
  await drainJobs({ ...t.app, outside: { ...t.app.outside, slack } });

  const [notification] = await told(id);
  expect(notification?.state).toBe('NOT_SENT');
  expect(notification?.reason).toContain(remedy);
  expect(t.slack.posted).toEqual([]);
});

test('what is decided before anybody looks is told as it ended, with its history', async () => {
  const { id, given } = await ask();
  await decide(t.app, given.validator, id, 'REJECT');
  await t.drain();

  expect(heads()).toEqual([
    expect.stringMatching(/^message: #1 /) as string,
    'thread: validator rejected it as validator: I looked at it',
    expect.stringMatching(/^thread: Rejected by validator/) as string,
  ]);
});
