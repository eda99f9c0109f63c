import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { asSystem } from '../../kernel/system.js';
import { systemActor } from '../../kernel/actor.js';
import { answerOfProvider, openTestDoor, type TestBrowser, type TestDoor } from '../../testing/http-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createRoleRule } from './index.js';
import { applyRoleRules } from './identity.commands/role-rules.js';

const person = (sub: string, ...groups: string[]) => ({
  sub,
  name: `${sub} Example`,
  email: `${sub}@example.test`,
  groups,
});

const people = [
  person('eve', 'countersign-engineer', 'everybody'),
  person('vic', 'countersign-validator'),
  person('nobody', 'strangers'),
];

let app: TestApp;
let door: TestDoor;
beforeAll(async () => {
  app = await testApp();
  door = await openTestDoor(app, { people });
  await app.run(createRoleRule, app.system(), { group: 'countersign-engineer', role: 'engineer' });
  await app.run(createRoleRule, app.system(), { group: 'countersign-validator', role: 'validator' });
});

const sessionCookie = (browser: TestBrowser): string | undefined =>
  [...browser.cookies].find(([name]) => name.startsWith('countersign-session'))?.[1];

const page = async (browser: TestBrowser): Promise<string> => (await browser.send('/')).text();

const userId = async (subject: string): Promise<string> => {
  const [row] = await asSystem(app.db, (tx) =>
    tx.sql<{ id: string }>('select id from app_user where subject = $1 and issuer = $2', [
      subject,
      door.issuer,
    ]),
  );
  return row?.id ?? 'missing';
};

/** Goes to the provider and back, up to the address of the callback. */
const until = (browser: TestBrowser, subject: string, query = ''): Promise<string> =>
  answerOfProvider(browser.send, browser.post, subject, `/auth/login${query}`);

describe('a sign-in', () => {
  test('leads back to where it began, with a session and the roles of the groups', async () => {
    const browser = door.browser();
    expect(await page(browser)).toContain('You are not signed in');

    const answer = await browser.signIn('eve', '?returnTo=/docs%3Fa=b');

    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('/docs?a=b');
    const shown = await page(browser);
    expect(shown).toContain('eve Example');
    expect(shown).toContain('<td>engineer</td>');
  });

  test('keeps its cookie from scripts and other sites, and the server keeps only its hash', async () => {
    const browser = door.browser();
    const answer = await browser.signIn('eve');

    const line =
      answer.headers.getSetCookie().find((cookie) => cookie.startsWith('countersign-session')) ?? '';
    expect(line).toMatch(/; Path=\/.*; HttpOnly.*; SameSite=Lax/);
    const stored = await asSystem(app.db, (tx) =>
      tx.sql('select 1 from session where token_hash = sha256($1::bytea)', [
        Buffer.from(sessionCookie(browser) ?? ''),
      ]),
    );
    expect(stored).toHaveLength(1);
  });

  test('leaves its trail: who, when, and which roles the groups gave', async () => {
    await door.browser().signIn('vic');

    const id = await userId('vic');
    expect((await app.trail(id)).map((line) => line.command)).toEqual(['user.recognise']);
    const [member] = await asSystem(app.db, (tx) =>
      tx.sql<{ id: string; roles_by_rule: string[] }>(
        'select id, roles_by_rule from member where user_id = $1',
        [id],
      ),
    );
    expect(member?.roles_by_rule).toEqual(['validator']);
    expect(await app.trail(member?.id ?? '')).toEqual([
      { command: 'member.applyRules', outcome: 'done', actorId: 'door:sign-in' },
    ]);
    const begun = await asSystem(app.db, (tx) =>
      tx.sql(
        `select 1 from audit_event where command = 'session.begin' and convert_from(canonical, 'utf8') like $1`,
        [`%${id}%`],
      ),
    );
    expect(begun).toHaveLength(1);
  });

  test('of somebody whom no rule knows works, and the page says what to do', async () => {
    const browser = door.browser();
    await browser.signIn('nobody');

    const shown = await page(browser);
    expect(shown).toContain('member of no workspace');
    expect(shown).toContain(await userId('nobody'));
  });

  test('takes away what the groups do not give any more, and keeps what a person gave', async () => {
    const browser = door.browser();
    await browser.signIn('eve');
    const id = await userId('eve');
    const actor = systemActor('door:sign-in', {
      workspaceId: app.workspaceId,
      organizationId: app.organizationId,
    });
    await app.run(applyRoleRules, actor, { userId: id, groups: ['countersign-validator'] });
    expect(await page(browser)).toContain('<td>validator</td>');

    await browser.signIn('eve');

    expect(await page(browser)).toContain('<td>engineer</td>');
  });

  test.each([
    ['another site', 'https://evil.test/'],
    ['another site without a scheme', '//evil.test/'],
    ['another site behind a backslash', '/\\evil.test/'],
    ['another site behind a tab', '/\t/evil.test/'],
    ['a script', 'javascript:alert(1)'],
    ['the sign-in itself', '/auth/login'],
  ])('never leads to %s', async (_, target) => {
    const browser = door.browser();
    const answer = await browser.signIn('eve', `?returnTo=${encodeURIComponent(target)}`);
    expect(answer.headers.get('location')).toBe('/');
  });

  test('never leads to a host that the request line names', async () => {
    const { port } = new URL(door.url);
    const path = 'http://evil.test/auth/login?returnTo=/docs';
    const asked = get({ port, host: '127.0.0.1', path, headers: { host: `localhost:${port}` } });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.headers.location).toBe(`${door.url}/auth/login?returnTo=/docs`);
  });
});

describe('an answer of the provider is refused', () => {
  test.each([
    ['with another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43))],
    ['without state', (url: URL) => url.searchParams.delete('state')],
    ['with another code', (url: URL) => url.searchParams.set('code', 'x'.repeat(43))],
    ['from another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.test')],
    ['without an issuer', (url: URL) => url.searchParams.delete('iss')],
  ])('%s', async (_, tamper) => {
    const browser = door.browser();
    const url = new URL(await until(browser, 'eve'));
    tamper(url);

    const answer = await browser.send(url.href);

    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('sign in again');
    expect(sessionCookie(browser)).toBeUndefined();
  });

  test('in another browser than the one that began it', async () => {
    const victim = door.browser();
    const attacker = door.browser();
    const url = await until(attacker, 'eve');

    const answer = await victim.send(url);

    expect(answer.status).toBe(401);
    expect(sessionCookie(victim)).toBeUndefined();
  });

  test('the second time', async () => {
    const browser = door.browser();
    const url = await until(browser, 'eve');
    expect((await browser.send(url)).status).toBe(303);

    expect((await browser.send(url)).status).toBe(401);
  });

  test.each([
    ['a nonce of another sign-in', 'nonce'],
    ['a PKCE verifier of another sign-in', 'code_verifier'],
  ])('when it belongs to %s', async (_, column) => {
    const browser = door.browser();
    const url = await until(browser, 'eve');
    await asSystem(app.db, (tx) => tx.sql(`update sign_in set ${column} = $1`, ['y'.repeat(43)]));

    const answer = await browser.send(url);

    expect(answer.status).toBe(401);
    expect(sessionCookie(browser)).toBeUndefined();
  });

  test('when the person cancelled, in words that say so', async () => {
    const browser = door.browser();
    const url = await answerOfProvider(
      browser.send,
      (path) => browser.post(path, { cancel: 'yes' }),
      'eve',
      '/auth/login',
    );

    const answer = await browser.send(url);

    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('The sign-in was cancelled');
  });
});

describe('a fresh sign-in', () => {
  test('asks the provider to ask again, and renews the session', async () => {
    const browser = door.browser();
    await browser.signIn('eve');
    const before = sessionCookie(browser);
    const start = await browser.send('/auth/login?fresh=1');
    const asked = new URL(start.headers.get('location') ?? '').searchParams;
    expect([asked.get('max_age'), asked.get('prompt'), asked.get('code_challenge_method')]).toEqual([
      '0',
      'login',
      'S256',
    ]);

    await browser.signIn('eve', '?fresh=1');

    const after = sessionCookie(browser);
    expect(after).not.toBe(before);
    const old = door.browser(
      new Map([...browser.cookies].map(([name, value]) => [name, value === after ? (before ?? '') : value])),
    );
    expect(await page(old)).toContain('You are not signed in');
  });

  test('is refused when the provider lets an old sign-in count', async () => {
    const browser = door.browser();
    await browser.signIn('eve');
    const url = await until(browser, 'eve', '?fresh=1');
    await asSystem(app.db, (tx) =>
      tx.sql(`update sign_in set created_at = created_at + interval '60 seconds' where fresh`),
    );

    const answer = await browser.send(url);

    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('did not ask who you are again');
  });
});

describe('signing out', () => {
  test('ends the session everywhere at once and leads to the provider', async () => {
    const browser = door.browser();
    await browser.signIn('eve');
    const copy = door.browser(browser.cookies);

    const answer = await browser.post('/auth/logout');

    const target = new URL(answer.headers.get('location') ?? '');
    expect(target.origin).toBe(door.issuer);
    expect(target.searchParams.get('post_logout_redirect_uri')).toBe(`${door.url}/`);
    expect(target.searchParams.get('id_token_hint')).toMatch(/^ey/);
    expect(await page(browser)).toContain('You are not signed in');
    expect(await page(copy)).toContain('You are not signed in');
  });

  test.each([
    ['from a page of another site', { origin: 'https://evil.test' }],
    ['without saying where it comes from', {}],
    ['from a page that hides its origin', { origin: 'null' }],
  ])('is refused %s', async (_, headers: Record<string, string>) => {
    const browser = door.browser();
    await browser.signIn('eve');

    const answer = await browser.send('/auth/logout', { method: 'POST', headers });

    expect(answer.status).toBe(403);
    expect(await page(browser)).toContain('eve Example');
  });
});
