import { beforeEach, expect, test } from 'vitest';
import { buttonsOf } from '../../integrations/slack-sender.fake.js';
import { decide } from '../../testing/given-change.js';
import { openSlackTest, textOf, type SlackTest } from '../../testing/given-slack.js';

let t: SlackTest;
beforeEach(async () => {
  t = await openSlackTest();
});

const hour = 3_600_000;

const SET = `mutation ($input: SlackSettingUpdateInput!) { updateSlackSettings(input: $input) { id } }`;

const set = async (input: object): Promise<void> => {
  const { errors } = await t.app.graphql(await t.app.actor('owner'), SET, { input });
  expect(errors).toEqual([]);
};

const later = async (hours: number): Promise<string[]> => {
  const { length } = t.slack.posted;
  t.app.clock.advance(hours * hour);
  await t.drain();
  return t.slack.posted.slice(length).map(({ channel, threadTs, blocks }) => {
    const place = threadTs === null ? channel : 'thread';
    return `${place}: ${textOf(blocks)}`;
  });
};

test('settings that are set twice at one moment are set one after the other', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, index) => set({ remindAfterHours: index + 1 })));
});

test('a day without a decision those who are asked are reminded in the thread, by their accounts, once', async () => {
  const account = await t.linked(await t.app.actor('validator'));
  await t.request('HIGH');

  expect(await later(23)).toEqual([]);
  const [reminder, ...others] = await later(2);
  expect(others).toEqual([]);
  expect(reminder).toMatch(/^thread: .*waits since .*; nobody has decided yet/s);
  expect(reminder).toContain(`<@${account}>`);
  expect(await later(20)).toEqual([]);
});

test('who has decided is not waited for: no reminder comes', async () => {
  const { id, given } = await t.request('HIGH');
  await decide(t.app, given.validator, id);
  await t.drain();

  expect(await later(30)).toEqual([]);
});

test('what is open for too long is escalated to a channel and to those who hold a role', async () => {
  await set({ escalateAfterHours: 48, escalationChannel: '#escalations', escalationRole: 'owner' });
  const account = await t.linked(await t.app.actor('owner'));
  await t.request('HIGH');

  const [escalation, ...others] = await later(49);

  expect(others).toEqual([]);
  expect(escalation).toMatch(new RegExp(`^${t.slack.channel('#escalations')}: .*is still open since`, 's'));
  expect(escalation).toContain(`<@${account}>`);
});

test('a day before a request ends people are told; when it ended, its message says so and its buttons are gone', async () => {
  await set({});
  const { message } = await t.request('HIGH');

  expect((await later(29 * 24 - 1)).length).toBe(0);
  expect(await later(2)).toEqual([
    expect.stringMatching(/^thread: .* ends at .* if nobody completes it/s) as string,
  ]);
  await later(24);

  expect(textOf(message.blocks)).toContain('Expired');
  expect(buttonsOf(message).map((one) => one.action_id)).toEqual(['open']);
});

test('a decided request is neither reminded of nor escalated', async () => {
  const { id, given } = await t.request('HIGH');
  await decide(t.app, given.validator, id, 'REJECT');
  await t.drain();

  expect(await later(100)).toEqual([]);
});

test('a shorter time counts for requests that are open already', async () => {
  await t.request('HIGH');
  await set({ remindAfterHours: 1 });

  expect(await later(2)).toHaveLength(1);
  expect(await later(30)).toEqual([]);
});

test.each([
  ['a channel that is none', { channel: 'general chat' }],
  ['no time at all', { remindAfterHours: 0 }],
  ['more than a month', { escalateAfterHours: 721 }],
])('%s is no setting', async (_, input) => {
  const { code } = await t.app.graphql(await t.app.actor('owner'), SET, { input });

  expect(code).toBe('INVALID_INPUT');
});

test('an engineer sets nothing, and another channel is used once it is set', async () => {
  const { code } = await t.app.graphql(await t.app.actor('engineer'), SET, { input: {} });
  expect(code).toBe('FORBIDDEN');
  await set({ channel: '#escalations' });

  const { message } = await t.request('HIGH');

  expect(message.channel).toBe(t.slack.channel('#escalations'));
});
