import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../kernel/id.js';
import { openSlackTest, textOf, type SlackTest } from '../../testing/given-slack.js';
import type { TestBrowser } from '../../testing/http-door.js';
import { createRoleRule } from '../identity/index.js';
import { linkSlack } from './slack.commands/links.js';

let t: SlackTest;

const person = (sub: string) => ({
  sub,
  name: `${sub} Validator`,
  email: `${sub}@people.test`,
  groups: ['validators'],
});

beforeAll(async () => {
  t = await openSlackTest({ people: { people: ['vera', 'mallory', 'olga', 'nina'].map(person) } });
  await t.app.run(createRoleRule, t.app.system(), { group: 'validators', role: 'validator' });
});

/** The link that Slack shows to an account; asked for by a command or by a click. */
const linkFor = async (user: string, email?: string): Promise<string> => {
  t.slack.addPerson({ id: user, name: `${user} in Slack`, ...(email === undefined ? {} : { email }) });
  const { body } = await t.send('slash_commands', {
    command: '/countersign',
    text: 'link',
    user_id: user,
    team_id: t.slack.teamId,
  });
  const { text } = body as { text: string };
  const url = new URL(/<([^|>]+)\|/.exec(text)?.[1] ?? 'http://nowhere/');
  return `${url.pathname}${url.search}`;
};

/** Opens the link, signs in as it asks, and gives the page. */
const follow = async (browser: TestBrowser, path: string, subject: string): Promise<string> => {
  const first = await browser.send(path);
  const location = first.headers.get('location') ?? '';
  expect(location).toMatch(/^\/auth\/login\?fresh=1&returnTo=/);
  const back = await browser.signIn(subject, location.replace('/auth/login', ''));
  expect(back.headers.get('location')).toBe(path);
  return (await browser.send(path)).text();
};

const ticketOf = (path: string): string => new URL(path, t.door.url).searchParams.get('ticket') ?? '';

const confirm = async (browser: TestBrowser, path: string) => {
  const response = await browser.post('/slack/link', { ticket: ticketOf(path) });
  return { status: response.status, text: await response.text() };
};

const links = async (): Promise<{ id: string; userName: string; slackUserId: string }[]> => {
  const { data } = await t.app.graphql<{
    slackLinks: { nodes: { id: string; userName: string; slackUserId: string }[] };
  }>(await t.app.actor('administrator'), '{ slackLinks { nodes { id userName slackUserId } } }');
  return data?.slackLinks.nodes ?? [];
};

test('a person asks in Slack, signs in in the browser, sees whose account it is, and links it once', async () => {
  const path = await linkFor('U0VERA', 'VERA@people.test');
  const browser = t.door.browser();
  const page = await follow(browser, path, 'vera');
  expect(page).toContain('U0VERA in Slack');
  expect(page).toContain('vera Validator');
  expect(await links()).toEqual([]);

  expect(await confirm(browser, path)).toMatchObject({
    status: 200,
    text: expect.stringContaining('Linked') as string,
  });

  expect(await links()).toMatchObject([{ userName: 'vera Validator', slackUserId: 'U0VERA' }]);
  expect(await confirm(browser, path)).toMatchObject({
    status: 409,
    text: expect.stringContaining('used already') as string,
  });
});

test('a link works on by itself: the click of a linked account opens a form, and of an ended one shows a link', async () => {
  const { message } = await t.request('HIGH');
  expect(await t.click(message, { user: 'U0VERA', action: 'reject' })).not.toBeNull();
  const [link] = await links();
  const browser = t.door.browser();
  await browser.signIn('vera');
  const headers = { 'content-type': 'application/json', origin: t.door.url };
  const body = JSON.stringify({
    query: 'mutation ($input: SlackLinkEndInput!) { unlinkSlack(input: $input) { id } }',
    variables: { input: { linkId: link?.id } },
  });
  const answer = await (await browser.send('/graphql', { method: 'POST', headers, body })).json();
  expect(answer).toEqual({ data: { unlinkSlack: { id: link?.id } } });

  expect(await t.click(message, { user: 'U0VERA', action: 'reject' })).toBeNull();

  const whisper = textOf(t.slack.whispers.at(-1)?.blocks ?? []);
  expect(whisper).toMatch(
    /not linked.*<https:\/\/countersign\.example\/slack\/link\?ticket=[\w.-]+\|Sign in and link it/s,
  );
});

test('the link that is whispered stands in no row and no entry of the trail', async () => {
  const scope = { workspaceId: t.app.workspaceId, organizationId: t.app.organizationId, commandId: null };
  const rows = await t.app.db.transact('app_reader', scope, (db) =>
    db.sql(
      `select 1 from slack_delivery where content::text like '%ticket%'
       union all select 1 from audit_event where convert_from(canonical, 'utf8') like '%ticket=%'`,
    ),
  );
  expect(rows).toEqual([]);
});

describe('nothing is linked', () => {
  test('when the account has the address of somebody else', async () => {
    const path = await linkFor('U0MALLORY', 'mallory@people.test');
    const browser = t.door.browser();
    const page = await follow(browser, path, 'olga');

    expect(page).toContain('another e-mail address');
    expect((await confirm(browser, path)).status).toBe(403);
  });

  test.each([
    ['a machine', { isBot: true }, 'is a machine'],
    ['of another team', { teamId: 'T0OTHER' }, 'another Slack workspace'],
  ])('when the account is %s', async (_, change, says) => {
    const path = await linkFor('U0STRANGE');
    t.slack.addPerson({ id: 'U0STRANGE', name: 'strange', ...change });
    const page = await follow(t.door.browser(), path, 'olga');

    expect(page).toContain(says);
  });

  test('when the link is changed, or none', async () => {
    const browser = t.door.browser();
    await browser.signIn('nina');
    const path = await linkFor('U0NINA');
    for (const wrong of ['/slack/link', '/slack/link?ticket=x.y', `${path}x`]) {
      expect((await browser.send(wrong)).status).toBe(400);
    }
  });

  test('from a page of another site', async () => {
    const path = await linkFor('U0NINA');
    const browser = t.door.browser();
    await follow(browser, path, 'nina');
    const response = await browser.send('/slack/link', {
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ ticket: ticketOf(path) }),
    });

    expect(response.status).toBe(403);
    expect((await links()).some(({ slackUserId }) => slackUserId === 'U0NINA')).toBe(false);
  });

  test('when the account belongs to somebody already, or the person has one', async () => {
    const path = await linkFor('U0NINA');
    const nina = t.door.browser();
    await follow(nina, path, 'nina');
    expect((await confirm(nina, path)).status).toBe(200);

    const again = await linkFor('U0NINA');
    const olga = t.door.browser();
    await follow(olga, again, 'olga');
    expect(await confirm(olga, again)).toMatchObject({
      status: 409,
      text: expect.stringContaining('somebody else') as string,
    });
    const second = await linkFor('U0NINA2');
    const ninaAgain = t.door.browser();
    await follow(ninaAgain, second, 'nina');
    expect(await confirm(ninaAgain, second)).toMatchObject({
      status: 409,
      text: expect.stringContaining('unlink it first') as string,
    });
  });

  test('in a workspace in which the person is not', async () => {
    const elsewhere = await t.app.otherWorkspace();
    const ticket = {
      ticketId: newId(),
      teamId: t.slack.teamId,
      user: 'U0NINA',
      workspaceId: elsewhere,
      issuedAt: t.app.clock.now().toISOString(),
    };
    const browser = t.door.browser();
    await browser.signIn('nina');
    const response = await browser.send(`/slack/link?ticket=${t.port.seal('link', ticket)}`);

    expect(response.status).toBe(404);
  });
});

test('people see their own links, and whoever manages Slack sees all', async () => {
  const { data } = await t.app.graphql<{ slackLinks: { nodes: object[] } }>(
    await t.app.actor('engineer'),
    '{ slackLinks { nodes { id } } }',
  );

  expect(data?.slackLinks.nodes).toEqual([]);
  expect(await links()).toHaveLength(1);
});

test('a link is good for fifteen minutes', async () => {
  const path = await linkFor('U0OLGA');
  t.app.clock.advance(16 * 60_000);
  const late = await t.door.browser().send(path);

  expect([late.status, await late.text()]).toEqual([
    400,
    expect.stringContaining('not good any more') as string,
  ]);
});

test('a link that names no workspace is good once in all of them together', async () => {
  const fresh = { sessionId: newId(), authenticatedAt: t.app.clock.now() };
  const there = await t.app.actor('validator', { workspaceId: await t.app.otherWorkspace(), name: 'theo' });
  const here = await t.app.actor('validator', { name: 'hanna' });
  const ticket = {
    ticketId: newId(),
    teamId: t.slack.teamId,
    slackUserId: 'U0TWO',
    issuedAt: t.app.clock.now(),
  };

  await t.app.run(linkSlack, { ...there, ...fresh }, ticket);
  await expect(t.app.run(linkSlack, { ...here, ...fresh }, ticket)).rejects.toMatchObject({
    code: 'CONFLICT',
    details: { rule: 'link-used' },
  });
});
