import { beforeAll, describe, expect, test } from 'vitest';
import { asSystem } from '../../kernel/system.js';
import {
  createPersonalMutation,
  openIdentityTest,
  type IdentityTest,
  type Issued,
} from '../../testing/identity.js';
import type { TestApp } from '../../testing/test-app.js';
import { newToken } from './tokens.js';

let at: IdentityTest;
let app: TestApp;
beforeAll(async () => {
  at = await openIdentityTest();
  ({ app } = at);
});

describe('a request without valid credentials', () => {
  test.each([
    ['shows nothing', {}, 'none'],
    ['sends another kind of header', { authorization: 'Basic dXNlcjpwYXNz' }, 'malformed'],
    ['sends a token of another form', { authorization: 'Bearer abc' }, 'malformed'],
    [
      'sends a token with a wrong checksum',
      { authorization: `Bearer csn_sa_${'A'.repeat(36)}` },
      'malformed',
    ],
    [
      'sends a token that was never given out',
      { authorization: `Bearer ${newToken('sa').secret}` },
      'unknown',
    ],
  ])('that %s is refused', async (_, headers: Record<string, string>, reason) => {
    const { status, error } = await at.ask(at.door.browser(), headers);
    expect([status, error.code, error.details.reason]).toEqual([401, 'UNAUTHENTICATED', reason]);
  });

  test('that invents a session is refused', async () => {
    const name =
      [...(await at.signedIn('eve')).cookies.keys()].find((key) => key.startsWith('countersign-session')) ??
      '';
    const { status } = await at.ask(at.door.browser(new Map([[name, 'x'.repeat(43)]])));
    expect(status).toBe(401);
  });
});

describe('a session', () => {
  test('acts as the person, with the roles they have now', async () => {
    const browser = await at.signedIn('eve');
    const before = await at.ask(browser);
    expect(before.actor).toMatchObject({
      kind: 'user',
      name: 'eve',
      roles: ['engineer'],
      workspaceId: app.workspaceId,
    });

    await asSystem(app.db, (tx) =>
      tx
        .sql(`select audited_repair('test')`)
        .then(() => tx.sql(`update member set roles = '{auditor}' where user_id = $1`, [before.actor.id])),
    );

    expect((await at.ask(browser)).actor).toMatchObject({ roles: ['auditor', 'engineer'] });
    await asSystem(app.db, (tx) =>
      tx
        .sql(`select audited_repair('test')`)
        .then(() => tx.sql(`update member set roles = '{}' where user_id = $1`, [before.actor.id])),
    );
  });

  test.each([
    ['from another site', { origin: 'https://evil.test' }, 403],
    ['without an origin', {}, 403],
    ['from a neighbouring site', { 'sec-fetch-site': 'same-site' }, 403],
    ['from our own page', { origin: 'own' }, 200],
    ['from our own page in an old browser', { 'sec-fetch-site': 'same-origin' }, 200],
  ])('that changes something %s', async (_, headers: Record<string, string>, status) => {
    const browser = await at.signedIn('eve');
    const origin = headers['origin'] === 'own' ? { origin: at.door.url } : {};
    expect((await at.ask(browser, { ...headers, ...origin }, 'POST')).status).toBe(status);
  });

  test('is listed and ended by its owner, and by nobody else', async () => {
    const [one, two] = [await at.signedIn('dan'), await at.signedIn('dan')];
    const [dan, other] = [(await at.ask(one)).actor, (await at.ask(two)).actor];
    const eve = (await at.ask(await at.signedIn('eve'))).actor;
    const id = other.kind === 'user' ? other.sessionId : null;
    const END = `mutation ($input: SessionEndInput!) { endSession(input: $input) { id } }`;

    const listed = await app.graphql<{ mySessions: { nodes: { id: string; current: boolean }[] } }>(
      dan,
      `{ mySessions { nodes { id current } } }`,
    );
    const refused = await app.graphql(eve, END, { input: { sessionId: id } });
    const ended = await app.graphql(dan, END, { input: { sessionId: id } });

    expect(listed.data?.mySessions.nodes).toHaveLength(2);
    expect(listed.data?.mySessions.nodes.find((node) => node.id === id)?.current).toBe(false);
    expect(refused.code).toBe('NOT_FOUND');
    expect(ended.data).toEqual({ endSession: { id } });
    expect((await at.ask(two)).status).toBe(401);
    expect((await at.ask(one)).status).toBe(200);
  });
});

describe('a workspace', () => {
  test('is asked for by slug or id; one that is not yours is not found', async () => {
    const browser = await at.signedIn('eve');
    const theirs = await app.otherWorkspace();

    expect((await at.ask(browser, { 'x-countersign-workspace': 'main' })).actor.workspaceId).toBe(
      app.workspaceId,
    );
    expect((await at.ask(browser, { 'x-countersign-workspace': app.workspaceId })).actor.workspaceId).toBe(
      app.workspaceId,
    );
    for (const workspace of [theirs, 'nonsense', "' or true --"]) {
      const { status, error } = await at.ask(browser, { 'x-countersign-workspace': workspace });
      expect([status, error.code]).toEqual([404, 'NOT_FOUND']);
      expect(error.message).toBe(`You are in no workspace ${workspace}`);
    }
  });

  test('is chosen by a person of several, and the session remembers it', async () => {
    const other = await app.otherWorkspace();
    const stranger = await app.otherWorkspace();
    const browser = await at.signedIn('two');
    const { actor } = await at.ask(browser);
    const administrator = await app.actor('administrator', { name: 'other admin', workspaceId: other });
    const ADD = `mutation ($input: MemberAddInput!) { addMember(input: $input) { id } }`;
    await app.graphql({ ...administrator, workspaceId: other }, ADD, {
      input: { userId: actor.id, roles: ['auditor'] },
    });

    expect((await at.ask(browser)).actor).toMatchObject({ workspaceId: null, roles: [] });
    await browser.post('/auth/workspace', { workspace: other });
    expect((await at.ask(browser)).actor).toMatchObject({ workspaceId: other, roles: ['auditor'] });
    expect((await browser.post('/auth/workspace', { workspace: stranger })).status).toBe(404);
    expect((await at.ask(browser)).actor.workspaceId).toBe(other);
    await browser.signIn('two', '?fresh=1');
    expect((await at.ask(browser)).actor.workspaceId).toBe(other);
  });

  test('of a token is the only one it reaches', async () => {
    const { secret } = await at.serviceToken();
    expect((await at.withToken(secret, { 'x-countersign-workspace': 'main' })).status).toBe(200);
    expect(
      (await at.withToken(secret, { 'x-countersign-workspace': await app.otherWorkspace() })).status,
    ).toBe(404);
  });
});

describe('a person who is disabled', () => {
  const DISABLE = `mutation ($input: UserDisableInput!) { disableUser(input: $input) { id } }`;
  const ENABLE = `mutation ($input: UserEnableInput!) { enableUser(input: $input) { id } }`;

  test('is out at once, everywhere, and cannot sign in until an administrator undoes it', async () => {
    const administrator = await app.actor('administrator');
    const browser = await at.signedIn('dan');
    const { actor } = await at.ask(browser);
    const token = await app.graphql<{ createPersonalToken: Issued }>(actor, createPersonalMutation, {
      input: { name: 'x' },
    });

    await app.graphql(administrator, DISABLE, { input: { userId: actor.id, reason: 'left' } });

    expect((await at.ask(browser)).status).toBe(401);
    expect((await at.withToken(token.data?.createPersonalToken.secret ?? '')).status).toBe(401);
    const answer = await at.door.browser().signIn('dan');
    expect([answer.status, (await answer.text()).includes('disabled')]).toEqual([403, true]);
    expect((await app.trail(actor.id)).map(({ command, outcome }) => `${command} ${outcome}`)).toEqual([
      'user.recognise done',
      'user.disable done',
      'user.recognise refused',
    ]);

    await app.graphql(administrator, ENABLE, { input: { userId: actor.id, reason: 'back' } });
    expect((await at.ask(await at.signedIn('dan'))).status).toBe(200);
    expect((await at.ask(browser)).status).toBe(401);
    expect((await at.withToken(token.data?.createPersonalToken.secret ?? '')).status).toBe(401);
  });

  test.each([
    ['by an engineer', 'engineer', () => app.actor('reviewer'), 'FORBIDDEN'],
    ['by themselves', 'administrator', () => app.actor('administrator'), 'CONFLICT'],
    [
      'when they are nobody',
      'administrator',
      () => Promise.resolve({ id: crypto.randomUUID() }),
      'NOT_FOUND',
    ],
  ] as const)('is not disabled %s', async (_, role, who, code) => {
    const input = { userId: (await who()).id, reason: 'test' };
    expect((await app.graphql(await app.actor(role), DISABLE, { input })).code).toBe(code);
  });
});

// Last: the clock moves on for everybody here.
describe('time', () => {
  test('ends a session that is left alone, but not one that is used', async () => {
    const [used, alone] = [await at.signedIn('eve'), await at.signedIn('eve')];
    for (let minutes = 0; minutes < 60; minutes += 20) {
      app.clock.advance(20 * 60_000);
      expect((await at.ask(used)).status).toBe(200);
    }
    expect((await at.ask(alone)).error.details.reason).toBe('session-over');
  });

  test('ends every session in the end', async () => {
    const browser = await at.signedIn('eve');
    for (let minutes = 0; minutes < 8 * 60 - 20; minutes += 20) {
      app.clock.advance(20 * 60_000);
      expect((await at.ask(browser)).status).toBe(200);
    }
    app.clock.advance(21 * 60_000);
    expect((await at.ask(browser)).status).toBe(401);
  });

  test('ends a token, in words that say so', async () => {
    const { secret } = await at.serviceToken({ expiresInDays: 1 });
    app.clock.advance(86_399_000);
    expect((await at.withToken(secret)).status).toBe(200);
    app.clock.advance(2_000);
    const { status, error } = await at.withToken(secret);
    expect([status, error.details.reason]).toEqual([401, 'expired']);
  });
});
