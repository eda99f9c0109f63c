import { beforeAll, describe, expect, test } from 'vitest';
import {
  createAccountMutation,
  createPersonalMutation,
  createTokenMutation,
  openIdentityTest,
  type IdentityTest,
  type Issued,
} from '../../testing/identity.js';
import type { TestApp } from '../../testing/test-app.js';

let at: IdentityTest;
let app: TestApp;
beforeAll(async () => {
  at = await openIdentityTest();
  ({ app } = at);
});

const revokeMutation = `mutation ($input: ApiTokenRevokeInput!) { revokeApiToken(input: $input) { id } }`;
const revokePersonalMutation = `mutation ($input: ApiTokenRevokePersonalInput!) { revokePersonalToken(input: $input) { id } }`;

describe('a token', () => {
  test('of a service account acts as that machine, and its last use is seen', async () => {
    const of = await at.account();
    const { id, secret } = await at.serviceToken({}, of);

    const { actor } = await at.withToken(secret);

    expect(actor).toMatchObject({
      kind: 'service',
      id: of,
      roles: ['service'],
      tokenId: id,
      workspaceId: app.workspaceId,
    });
    const { data } = await app.graphql<{ apiTokens: { nodes: { id: string; lastUsedAt: string | null }[] } }>(
      await app.actor('administrator'),
      `query ($of: ID) { apiTokens(serviceAccountId: $of) { nodes { id lastUsedAt } } }`,
      { of },
    );
    expect(data?.apiTokens.nodes).toEqual([{ id, lastUsedAt: expect.anything() }]);
  });

  test('of a person acts as that person, no fresher than the sign-in in which it was made', async () => {
    const browser = await at.signedIn('eve');
    const { actor } = await at.ask(browser);
    const { data } = await app.graphql<{ createPersonalToken: Issued }>(actor, createPersonalMutation, {
      input: { name: 'mine' },
    });

    const shown = await at.withToken(data?.createPersonalToken.secret ?? '');

    expect(shown.actor).toMatchObject({
      kind: 'user',
      id: actor.id,
      tokenId: data?.createPersonalToken.id,
      sessionId: null,
    });
    expect(shown.actor).toMatchObject({
      authenticatedAt: (actor as { authenticatedAt: unknown }).authenticatedAt,
    });
  });

  test('does only what its scopes name', async () => {
    const { secret } = await at.serviceToken({ scopes: ['decision:read'] });
    const { actor } = await at.withToken(secret);
    expect([...app.access.permissionsOf(actor)]).toEqual(['decision:read']);
  });

  test('is over at once when it is revoked, and the trail says so', async () => {
    const { id, secret } = await at.serviceToken();
    const administrator = await app.actor('administrator');
    expect((await at.withToken(secret)).status).toBe(200);

    await app.graphql(administrator, revokeMutation, { input: { tokenId: id } });

    const { status, error } = await at.withToken(secret);
    expect([status, error.details.reason]).toEqual([401, 'revoked']);
    expect((await app.trail(id)).map((line) => line.command)).toEqual(['apiToken.create', 'apiToken.revoke']);
    expect((await app.graphql(administrator, revokeMutation, { input: { tokenId: id } })).code).toBe(
      'CONFLICT',
    );
  });

  test('ends with its service account', async () => {
    const of = await at.account();
    const { secret } = await at.serviceToken({}, of);
    const DISABLE = `mutation ($input: ServiceAccountDisableInput!) { disableServiceAccount(input: $input) { id } }`;
    await app.graphql(await app.actor('administrator'), DISABLE, {
      input: { serviceAccountId: of, reason: 'retired' },
    });
    expect((await at.withToken(secret)).error.details.reason).toBe('revoked');
  });

  test('gives no token that is wider or longer than itself, and takes its children along', async () => {
    const eve = await app.actor('engineer');
    const first = await app.graphql<{ createPersonalToken: Issued }>(eve, createPersonalMutation, {
      input: { name: 'parent', scopes: ['apiToken:create', 'model:read'], expiresInDays: 2 },
    });
    const { actor: holder } = await at.withToken(first.data?.createPersonalToken.secret ?? '');
    const make = (input: object) =>
      app.graphql<{ createPersonalToken: Issued & { expiresAt: string } }>(holder, createPersonalMutation, {
        input: { name: 'child', ...input },
      });

    expect((await make({})).code).toBe('FORBIDDEN');
    expect(
      (await make({ scopes: ['model:read', 'card:update'] })).errors[0]?.extensions?.['details'],
    ).toEqual({ rule: 'no-wider-token', beyond: ['card:update'] });
    const child = await make({ scopes: ['model:read'], expiresInDays: 300 });
    const expiresAt = new Date(child.data?.createPersonalToken.expiresAt ?? 0).getTime();
    expect(expiresAt - app.clock.now().getTime()).toBeLessThanOrEqual(2 * 86_400_000);

    await app.graphql(eve, revokePersonalMutation, {
      input: { tokenId: first.data?.createPersonalToken.id },
    });
    expect((await at.withToken(child.data?.createPersonalToken.secret ?? '')).error.details.reason).toBe(
      'revoked',
    );
  });

  test.each([
    [
      'by a service account',
      async () => (await at.withToken((await at.serviceToken()).secret)).actor,
      { scopes: ['model:read'] },
      'FORBIDDEN',
    ],
    [
      'with a scope that does not exist',
      () => app.actor('engineer'),
      { scopes: ['world:rule'] },
      'INVALID_INPUT',
    ],
    ['for longer than a year', () => app.actor('engineer'), { expiresInDays: 366 }, 'INVALID_INPUT'],
    ['without a name', () => app.actor('engineer'), { name: ' ' }, 'INVALID_INPUT'],
  ])('is not made %s', async (_, who, input, code) => {
    expect(
      (await app.graphql(await who(), createPersonalMutation, { input: { name: 'token', ...input } })).code,
    ).toBe(code);
  });

  test.each([
    ['of a machine by an engineer', 'engineer', {}, 'FORBIDDEN'],
    [
      'of a machine that is not here',
      'administrator',
      { serviceAccountId: crypto.randomUUID() },
      'NOT_FOUND',
    ],
  ] as const)('%s is not made', async (_, role, input, code) => {
    const answer = await app.graphql(await app.actor(role), createTokenMutation, {
      input: { serviceAccountId: await at.account(), name: 'x', ...input },
    });
    expect(answer.code).toBe(code);
  });

  test('of another workspace is not there to be revoked', async () => {
    const { id } = await at.serviceToken();
    const workspaceId = await app.otherWorkspace();
    const stranger = {
      ...(await app.actor('administrator', { name: 'far admin', workspaceId })),
      workspaceId,
    };
    expect((await app.graphql(stranger, revokeMutation, { input: { tokenId: id } })).code).toBe('NOT_FOUND');
  });

  test('of a colleague is not theirs to revoke', async () => {
    const made = await app.graphql<{ createPersonalToken: Issued }>(
      await app.actor('engineer'),
      createPersonalMutation,
      { input: { name: 'mine' } },
    );
    const tokenId = made.data?.createPersonalToken.id;
    expect(
      (await app.graphql(await app.actor('reviewer'), revokePersonalMutation, { input: { tokenId } })).code,
    ).toBe('NOT_FOUND');
  });
});

test('a machine cannot be made an approver', async () => {
  const answer = await app.graphql(await app.actor('administrator'), createAccountMutation, {
    input: { name: 'robot', roles: ['validator'] },
  });
  expect(answer.code).toBe('INVALID_INPUT');
});
