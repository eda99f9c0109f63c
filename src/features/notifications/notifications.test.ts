import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startFakeSlack, type FakeSlack } from '../../integrations/slack.fake.js';
import { openSlack } from '../../integrations/slack.js';
import type { ChatRoom } from '../../kernel/ports.js';
import { givenPromotable, givenRequest } from '../../testing/given-change.js';
import { drainJobs } from '../../testing/jobs.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

const LIST = `query ($subjectId: ID) { notifications(subjectId: $subjectId) { nodes { id title state reason channel } } }`;
const reaction = 'notifications.announceChange';
const token = 'xoxb-a-token-of-this-test';

let app: TestApp;
let slack: FakeSlack;
beforeAll(async () => {
  slack = await startFakeSlack({ token, channels: ['#model-approvals'] });
  app = await testApp();
});
beforeEach(() => {
  slack.posted.length = 0;
});
afterAll(() => slack.close());

const slackRoom = (change: { token?: string | null } = {}): ChatRoom =>
  openSlack({
    token,
    channel: '#model-approvals',
    apiUrl: slack.url,
    linkBase: 'https://countersign.example',
    ...change,
  });

/** Performs what waits, with this room as the chat of the outside. */
const drain = (chat: ChatRoom, tolerant = false) =>
  drainJobs({ ...app, outside: { ...app.outside, chat } }, { tolerant });

const asked = async (): Promise<string> => givenRequest(app, await givenPromotable(app));

const told = async (subjectId: string) => {
  const { data } = await app.graphql<{
    notifications: { nodes: { id: string; state: string; reason: string | null; title: string }[] };
  }>(await app.actor('auditor'), LIST, { subjectId });
  return data?.notifications.nodes ?? [];
};

test('a request for promotion is announced once, with what moves, who asks, and what is asked of which roles', async () => {
  const id = await asked();
  await drain(slackRoom());

  const [message] = slack.posted;
  const text = message?.blocks.map((block) => block.text?.text).join('\n') ?? '';
  expect(slack.posted).toHaveLength(1);
  expect(text).toContain('no version → version 1');
  expect(text).toContain('Requested by: engineer');
  expect(text).toContain('Asked: 0 of 1 approvals by validator (validator)');
  expect(text).toContain('Asked: 0 of 1 approvals by compliance (compliance)');
  expect(text).toMatch(/<https:\/\/countersign\.example\/changes\/\d+\|Open change request #\d+>/);
  const [notification] = await told(id);
  expect(notification).toMatchObject({ state: 'SENT', reason: null });
  expect(await app.trail(notification?.id ?? '')).toEqual([
    { command: 'notification.record', outcome: 'done', actorId: `job:${reaction}` },
  ]);
});

test('a reaction that is delivered twice tells people once', async () => {
  const id = await asked();
  const scope = { workspaceId: null, organizationId: null, commandId: null };
  const again = await app.db.transact('app_system', scope, (tx) =>
    tx.sql<Record<string, unknown>>(`select * from outbox where job = $1`, [reaction]),
  );
  await drain(slackRoom());
  await app.db.transact('app_system', scope, async (tx) => {
    for (const row of again) {
      await tx.sql(`insert into outbox select * from jsonb_populate_record(null::outbox, $1::jsonb)`, [
        JSON.stringify(row),
      ]);
    }
  });
  await drain(slackRoom());

  expect(again).toHaveLength(1);
  expect(slack.posted).toHaveLength(1);
  expect(await told(id)).toHaveLength(1);
});

test('without Slack the notification says that it was not sent, and nothing fails', async () => {
  const id = await asked();
  await drain(slackRoom({ token: null }));

  expect(await told(id)).toMatchObject([{ state: 'NOT_SENT', reason: 'not sent: Slack is not configured' }]);
});

test('a token that Slack refuses is said, with what to set', async () => {
  const id = await asked();
  await drain(slackRoom({ token: 'xoxb-wrong' }));

  const [notification] = await told(id);
  expect(notification?.state).toBe('NOT_SENT');
  expect(notification?.reason).toContain('set SLACK_BOT_TOKEN');
  expect(slack.posted).toEqual([]);
});

test('a rate limit is left to the back-off of the job: nothing is recorded, nothing is lost', async () => {
  const id = await asked();
  slack.limitNext(1, 1);
  const { failed } = await drain(slackRoom(), true);

  expect(failed).toMatchObject([{ job: reaction, error: { code: 'RATE_LIMITED' } }]);
  expect(await told(id)).toEqual([]);
});
