import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { champion, decide } from '../../testing/given-change.js';
import { openSlackTest, textOf, type SlackTest } from '../../testing/given-slack.js';
import { buttonsOf, clickOf, submissionOf, threadMessageOf } from '../../integrations/slack-sender.fake.js';
import type { PostedMessage } from '../../integrations/slack.fake.js';
import { decideChange, withdrawChange } from '../approvals/index.js';

let t: SlackTest;
let users: Record<'engineer' | 'validator' | 'compliance' | 'owner', string>;

beforeAll(async () => {
  t = await openSlackTest();
  const link = async (role: 'engineer' | 'validator' | 'compliance' | 'owner') =>
    t.linked(await t.app.actor(role));
  users = {
    engineer: await link('engineer'),
    validator: await link('validator'),
    compliance: await link('compliance'),
    owner: await link('owner'),
  };
});
beforeEach(() => {
  t.slack.posted.length = 0;
  t.slack.whispers.length = 0;
  t.slack.updates.length = 0;
});

const formFor = async (message: PostedMessage, user: string, action: string) => {
  const view = await t.click(message, { user, action });
  if (!view) throw new Error(`No form was opened: ${t.lastWhisper()}`);
  return view;
};

const threadOf = (message: PostedMessage): string[] =>
  t.slack.posted.filter((one) => one.threadTs === message.ts).map((one) => textOf(one.blocks));

interface TrailRow {
  readonly outcome: string;
  readonly canonical: { actor: { kind: string; id: string }; request: { door: string } };
}

const decisionsInTrail = async (id: string): Promise<TrailRow[]> => {
  const scope = { workspaceId: t.app.workspaceId, organizationId: t.app.organizationId, commandId: null };
  return t.app.db.transact('app_reader', scope, (db) =>
    db.sql<TrailRow>(
      `select outcome, convert_from(canonical, 'utf8')::jsonb as canonical from audit_event
        where subject_id = $1 and command = 'changeRequest.decide' order by id`,
      [id],
    ),
  );
};

test('a request of the lowest tier is approved in Slack by two people, as themselves, and the message follows', async () => {
  const { given, id, message } = await t.request();
  expect(buttonsOf(message).map((one) => one.action_id)).toEqual([
    'approve',
    'reject',
    'requestChanges',
    'open',
  ]);
  expect(buttonsOf(message).filter((one) => one.value !== undefined && one.url !== undefined)).toEqual([]);

  const first = await t.submit(
    await formFor(message, users.validator, 'approve'),
    users.validator,
    'Metrics hold',
  );
  expect(first).toEqual({ status: 200, body: null });
  expect(textOf(message.blocks)).toContain('validator approved as validator');
  await t.submit(await formFor(message, users.compliance, 'approve'), users.compliance, 'Papers are there');

  expect(await champion(t.app, given.modelId)).toBe(given.versionId);
  expect(textOf(message.blocks)).toMatch(/Approved and carried out by compliance at 20/);
  expect(buttonsOf(message).map((one) => one.action_id)).toEqual(['open']);
  expect(threadOf(message)).toEqual([
    'validator approved as validator: Metrics hold',
    'compliance approved as compliance: Papers are there',
    expect.stringMatching(/^Approved and carried out by compliance/) as string,
  ]);
  const trail = await decisionsInTrail(id);
  const told = trail.map(({ outcome, canonical: { actor, request } }) => [
    outcome,
    actor.id,
    actor.kind,
    request.door,
  ]);
  // The second approval leaves an entry for the decision and one for what it carried out.
  expect(told).toEqual([
    ['done', given.validator.id, 'user', 'slack'],
    ['done', given.compliance.id, 'user', 'slack'],
    ['done', given.compliance.id, 'user', 'slack'],
  ]);
  expect(t.slack.whispers).toEqual([]);
});

test('a rejection and a wish for changes are given in Slack whatever the tier; the buttons go away with the end', async () => {
  const { id, message } = await t.request('HIGH');
  const approve = buttonsOf(message).find((one) => one.style === 'primary');
  expect(approve?.value).toBeUndefined();
  expect(approve?.url).toMatch(/\/auth\/login\?fresh=1&returnTo=%2Fchanges%2F\d+$/);

  await t.submit(await formFor(message, users.validator, 'requestChanges'), users.validator, 'Say more');
  expect(textOf(message.blocks)).toContain('validator asked for changes as validator');
  await t.submit(await formFor(message, users.compliance, 'reject'), users.compliance, 'Not now');

  expect(textOf(message.blocks)).toContain('Rejected by compliance');
  expect(buttonsOf(message).map((one) => one.action_id)).toEqual(['open']);
  expect((await t.app.trail(id)).filter(({ outcome }) => outcome === 'refused')).toEqual([]);
});

test('whatever door decides, the same message says so', async () => {
  const { given, id, message } = await t.request('HIGH');
  await decide(t.app, given.validator, id);
  await t.drain();
  expect(textOf(message.blocks)).toContain('validator approved as validator');

  await t.app.run(withdrawChange, given.engineer, { changeRequestId: id, reason: 'Another one is better' });
  await t.drain();

  expect(textOf(message.blocks)).toContain('Withdrawn by engineer');
  expect(threadOf(message).at(-1)).toContain('Another one is better');
  expect(t.slack.posted.filter((one) => one.threadTs === null)).toHaveLength(1);
});

describe('a form', () => {
  test.each([
    ['without a reason', '   ', 'Write why'],
    ['with nothing at all', null, 'Write why'],
    ['with too much', 'x'.repeat(3001), 'At most 3000'],
    ['with half a character', 'a\ud800', 'cannot be stored'],
  ])('%s says so where it was written, and nothing is asked for', async (_, reason, says) => {
    const { message, id } = await t.request();
    const view = await formFor(message, users.validator, 'approve');

    const answered = await t.send(
      'interactive',
      submissionOf(t.slack, view, { user: users.validator, reason }),
    );

    expect(answered.body).toEqual({
      response_action: 'errors',
      errors: { reason: expect.stringContaining(says) as string },
    });
    expect((await t.drain()).performed).toEqual([]);
    expect(await decisionsInTrail(id)).toEqual([]);
  });

  test('whose value was made elsewhere is refused in the form', async () => {
    const { message } = await t.request();
    const view = await formFor(message, users.validator, 'approve');
    const forged = { ...view, privateMetadata: `${view.privateMetadata.slice(0, -4)}AAAA` };

    const answered = await t.submit(forged, users.validator);

    expect(answered.body).toMatchObject({ response_action: 'errors' });
  });

  test('that comes back from another account does nothing', async () => {
    const { message, id } = await t.request();
    const view = await formFor(message, users.validator, 'approve');

    await t.submit(view, users.compliance);

    expect(await decisionsInTrail(id)).toEqual([]);
  });

  test('that is sent twice decides once', async () => {
    const { message, id } = await t.request();
    const view = await formFor(message, users.validator, 'approve');
    await t.submit(view, users.validator);
    await t.submit(view, users.validator);

    expect((await decisionsInTrail(id)).map(({ outcome }) => outcome)).toEqual(['done']);
  });

  test('for which the trigger came too late is not opened, and the person is told', async () => {
    const { message } = await t.request();
    const trigger = t.slack.trigger(3500);

    expect(await t.click(message, { user: users.validator, action: 'approve', trigger })).toBeNull();
    expect(t.lastWhisper()).toContain('could not be opened in time');
  });
});

test('a second form of the same person is told that they decided', async () => {
  const { message } = await t.request();
  const [one, two] = [
    await formFor(message, users.validator, 'approve'),
    await formFor(message, users.validator, 'reject'),
  ];
  await t.submit(one, users.validator);
  await t.submit(two, users.validator);

  expect(t.lastWhisper()).toContain('You decided on this change already');
});

test('who comes late is told who was first and when', async () => {
  const { message } = await t.request();
  const late = await formFor(message, users.validator, 'approve');
  await t.submit(await formFor(message, users.compliance, 'reject'), users.compliance, 'Not now');
  await t.submit(late, users.validator);

  expect(t.lastWhisper()).toMatch(
    /UVALIDATOR: Change request #\d+ is decided already\. Rejected by compliance at 20.* UTC: Not now/,
  );
});

test('an answer in the thread becomes a comment of the person, once; those of machines and strangers do not', async () => {
  const { message, id, given } = await t.request();
  const stranger = t.account('USTRANGER');
  const written = threadMessageOf(t.slack, message, {
    user: users.owner,
    text: 'Is the data new?',
    ts: '2.1',
  });
  await t.send('events_api', written);
  await t.send('events_api', written, {
    headers: { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' },
  });
  await t.send(
    'events_api',
    threadMessageOf(t.slack, message, {
      user: users.owner,
      text: 'edited',
      ts: '2.1',
      more: { subtype: 'message_changed' },
    }),
  );
  await t.send(
    'events_api',
    threadMessageOf(t.slack, message, { user: 'U0BOT', text: 'beep', ts: '2.2', more: { bot_id: 'B1' } }),
  );
  await t.send(
    'events_api',
    threadMessageOf(t.slack, { ...message, ts: '1.9' }, { user: users.owner, text: 'elsewhere', ts: '2.4' }),
  );
  await t.send(
    'events_api',
    threadMessageOf(t.slack, message, { user: stranger, text: 'me too', ts: '2.3' }),
  );
  await t.drain();

  const scope = { workspaceId: t.app.workspaceId, organizationId: t.app.organizationId, commandId: null };
  const comments = await t.app.db.transact('app_reader', scope, (db) =>
    db.sql(
      `select c.author_id, c.via, r.body from comment c join comment_revision r on r.comment_id = c.id
        where c.subject_id = $1 order by c.id`,
      [id],
    ),
  );
  expect(comments).toEqual([{ author_id: given.owner.id, via: 'SLACK', body: 'Is the data new?' }]);
  expect(t.lastWhisper()).toMatch(/^USTRANGER: Your Slack account is not linked/);
});

const commentsOn = (id: string): Promise<{ body: string }[]> => {
  const scope = { workspaceId: t.app.workspaceId, organizationId: t.app.organizationId, commandId: null };
  return t.app.db.transact('app_reader', scope, (db) =>
    db.sql<{ body: string }>(
      `select r.body from comment c join comment_revision r on r.comment_id = c.id where c.subject_id = $1 order by c.id`,
      [id],
    ),
  );
};

test('an answer in the thread is kept as it was written, not as Slack spells it', async () => {
  const { message, id } = await t.request();
  const spelled = [
    'a &lt; b &amp;&amp; c &gt; d, and &amp;lt; too',
    'see <https://example.org/a?b=1&amp;c=2> or <https://example.org/|the page>',
    'ask <mailto:ada@example.org|ada@example.org> in <#C012>',
  ];
  for (const [index, text] of spelled.entries())
    await t.send(
      'events_api',
      threadMessageOf(t.slack, message, { user: users.owner, text, ts: `3.${String(index)}` }),
    );
  await t.drain();

  expect((await commentsOn(id)).map(({ body }) => body)).toEqual([
    'a < b && c > d, and &lt; too',
    'see https://example.org/a?b=1&c=2 or the page (https://example.org/)',
    'ask ada@example.org in <#C012>',
  ]);
});

test('who wrote an answer that cannot be kept is told so, once', async () => {
  const { message, id } = await t.request();
  const text = 'x'.repeat(10_001);
  await t.send('events_api', threadMessageOf(t.slack, message, { user: users.owner, text, ts: '4.1' }));
  await t.drain();

  expect(await commentsOn(id)).toEqual([]);
  expect(t.slack.whispers.map(({ user }) => user)).toEqual([users.owner]);
  expect(t.lastWhisper()).toMatch(/Your answer was not kept\. .*10000/);
});

test('a click that is delivered twice opens one form', async () => {
  const { message } = await t.request();
  const click = clickOf(t.slack, message, { user: users.validator, action: 'reject' });
  const before = t.slack.views.length;
  await t.send('interactive', click);
  await t.send('interactive', click);
  await t.drain();

  expect(t.slack.views).toHaveLength(before + 1);
});

test('a reason as long as any, of signs of two halves, is told and quoted without breaking anything', async () => {
  const { message, id, given } = await t.request();
  const late = await formFor(message, users.validator, 'approve');
  const reason = `x${'🦜'.repeat(1999)}`;
  await t.app.run(decideChange, given.compliance, { changeRequestId: id, verdict: 'REJECT', reason });
  await t.submit(late, users.validator);

  expect(t.lastWhisper()).toContain('is decided already. Rejected by compliance');
  expect(threadOf(message)).toHaveLength(2);
  expect(textOf(message.blocks)).toContain('🦜');
});
