import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runStatement } from '../../testing/databases.js';
import { givenVersion } from '../../testing/given-version.js';
import { inboxOf } from '../../testing/inbox.js';
import { testApp, type Actor, type TestApp } from '../../testing/test-app.js';
import { addComment } from '../comments/index.js';
import { notificationEvent } from './events.js';
import { setPreference } from './notifications.commands/inbox.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});
beforeEach(() => {
  app.outside.mails.length = 0;
});

describe('the inbox', () => {
  const READ = `mutation ($input: InboxMarkReadInput!) { markRead(input: $input) { changed } }`;
  const READ_ALL = `mutation ($input: InboxMarkAllReadInput!) { markAllRead(input: $input) { changed } }`;

  test('counts what is unread, and forgets it when it is read, one by one or all at once', async () => {
    const person = await app.actor('validator', { name: 'reader' });
    const { versionId } = await givenVersion(app);
    const owner = await app.actor('owner');
    for (const text of ['one @reader', 'two @reader', 'three @reader']) {
      await app.run(addComment, owner, { subjectKind: 'modelVersion', subjectId: versionId, text });
    }
    await app.drainJobs();
    const { inbox, inboxUnread } = await inboxOf(app, person);
    expect(inboxUnread).toBe(3);
    const [newest, , oldest] = inbox.nodes;

    const one = await app.graphql(person, READ, { input: { ids: [oldest?.id] } });
    expect(one.data).toEqual({ markRead: { changed: 1 } });
    expect((await inboxOf(app, person, { unread: true })).inbox.nodes).toHaveLength(2);
    await app.graphql(person, READ, { input: { ids: [oldest?.id], read: false } });
    await app.run(addComment, owner, {
      subjectKind: 'modelVersion',
      subjectId: versionId,
      text: 'four @reader',
    });
    await app.drainJobs();

    const all = await app.graphql(person, READ_ALL, { input: { upTo: newest?.id } });
    expect(all.data).toEqual({ markAllRead: { changed: 3 } });
    const after = await inboxOf(app, person, { unread: true });
    expect(after.inbox.nodes.map(({ lines }) => lines[0])).toEqual(['four @reader']);
    expect((await app.trail(person.id)).map(({ command }) => command)).toEqual(
      expect.arrayContaining(['inbox.markRead', 'inbox.markAllRead']),
    );
  });

  test('of another person is nobody’s business', async () => {
    const reader = await app.actor('validator', { name: 'reader' });
    const { inbox } = await inboxOf(app, reader);
    const other = await app.actor('administrator');

    expect((await app.graphql(other, READ, { input: { ids: [inbox.nodes[0]?.id] } })).code).toBe('NOT_FOUND');
    expect((await app.graphql(other, READ_ALL, { input: { upTo: inbox.nodes[0]?.id } })).code).toBe(
      'NOT_FOUND',
    );
    expect((await inboxOf(app, other)).inbox.nodes.map(({ id }) => id)).not.toContain(inbox.nodes[0]?.id);
  });
});

describe('preferences', () => {
  test('that are set twice at one moment are set once', async () => {
    const person = await app.actor('validator', { name: 'hasty' });
    const wish = { event: 'COMMENT', channel: 'EMAIL', mode: 'AT_ONCE' } as const;

    const set = await Promise.all(
      Array.from({ length: 40 }, () => app.run(setPreference, person, wish).then(({ id }) => id)),
    );
    expect(new Set(set).size).toBe(1);
  });

  const SET = `mutation ($input: PreferenceSetInput!) { setNotificationPreference(input: $input) { id } }`;
  const READ = `{ notificationPreferences { slackLinked events { event inApp email slack silenceable } } }`;

  test('begin with defaults for every event, and change for one event and channel', async () => {
    const person = await app.actor('engineer', { name: 'picky' });
    const input = { event: 'CHANGE_DECIDED', channel: 'EMAIL', mode: 'AT_ONCE' };
    await app.graphql(person, SET, { input });

    const { data } = await app.graphql<{
      notificationPreferences: { slackLinked: boolean; events: { event: string; email: string }[] };
    }>(person, READ);

    expect(data?.notificationPreferences.slackLinked).toBe(false);
    expect(data?.notificationPreferences.events.map(({ event }) => event)).toEqual(notificationEvent.options);
    expect(data?.notificationPreferences.events).toEqual(
      expect.arrayContaining([
        { event: 'CHANGE_DECIDED', inApp: 'AT_ONCE', email: 'AT_ONCE', slack: 'OFF', silenceable: true },
        { event: 'MENTION', inApp: 'AT_ONCE', email: 'AT_ONCE', slack: 'AT_ONCE', silenceable: false },
      ]),
    );
  });

  test.each([
    ['the inbox for what others wait for', 'MENTION', 'IN_APP', 'OFF', 'PRECONDITION_FAILED'],
    ['the inbox for a decision', 'CHANGE_REQUESTED', 'IN_APP', 'OFF', 'PRECONDITION_FAILED'],
    ['a daily inbox', 'COMMENT', 'IN_APP', 'DAILY', 'INVALID_INPUT'],
    ['a daily Slack', 'COMMENT', 'SLACK', 'DAILY', 'INVALID_INPUT'],
  ] as const)('do not turn off %s', async (_, event, channel, mode, code) => {
    const person = await app.actor('engineer', { name: 'picky' });

    expect((await app.graphql(person, SET, { input: { event, channel, mode } })).code).toBe(code);
  });

  test('are kept: who wants no mail and nothing in the inbox gets neither', async () => {
    const person = await app.actor('engineer', { name: 'silent' });
    for (const channel of ['IN_APP', 'EMAIL'] as const) {
      await app.run(setPreference, person, { event: 'COMMENT', channel, mode: 'OFF' });
    }
    await app.run(setPreference, person, { event: 'MENTION', channel: 'EMAIL', mode: 'OFF' });
    const { versionId } = await givenVersion(app);
    const say = (actor: Actor, text: string) =>
      app.run(addComment, actor, { subjectKind: 'modelVersion', subjectId: versionId, text });
    await say(person, 'first');
    await say(await app.actor('owner'), 'no name in it');
    await say(await app.actor('owner'), 'look @silent');
    await app.drainJobs();

    expect((await inboxOf(app, person)).inbox.nodes.map(({ event }) => event)).toEqual(['MENTION']);
    expect(app.outside.mails.filter(({ to }) => to === 'silent@people.test')).toEqual([]);
  });
});

test('who has left the workspace is told nothing more', async () => {
  const person = await app.actor('validator', { name: 'leaver' });
  const { versionId } = await givenVersion(app);
  await app.run(addComment, await app.actor('owner'), {
    subjectKind: 'modelVersion',
    subjectId: versionId,
    text: 'bye @leaver',
  });
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test'); delete from member where user_id = '${person.id}'`,
  );
  await app.drainJobs();

  expect(app.outside.mails.filter(({ to }) => to === 'leaver@people.test')).toEqual([]);
});
