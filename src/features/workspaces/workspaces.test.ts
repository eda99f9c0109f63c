import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const SET_ROLES = `mutation ($input: MemberSetRolesInput!) { setMemberRoles(input: $input) { id } }`;

const memberId = async (name: string): Promise<string> => {
  const admin = await app.actor('administrator');
  const { data } = await app.graphql<{ members: { nodes: { id: string; name: string }[] } }>(
    admin,
    `{ members { nodes { id name } } }`,
  );
  return data?.members.nodes.find((member) => member.name === name)?.id ?? 'missing';
};

test('a viewer learns who they are and what they may do', async () => {
  const engineer = await app.actor('engineer');

  const { data } = await app.graphql<{ viewer: { name: string; permissions: string[] } }>(
    engineer,
    `{ viewer { name permissions } workspace { slug roles } }`,
  );

  expect(data).toMatchObject({
    viewer: { name: 'engineer' },
    workspace: { slug: 'main', roles: ['engineer'] },
  });
  expect(data?.viewer.permissions).toContain('modelVersion:create');
  expect(data?.viewer.permissions).not.toContain('member:manage');
});

test('an administrator changes the roles of a colleague, and the trail says so', async () => {
  const admin = await app.actor('administrator');
  await app.actor('reviewer', { name: 'rita' });
  const id = await memberId('rita');

  const { data } = await app.graphql(admin, SET_ROLES, { input: { memberId: id, roles: ['auditor'] } });

  expect(data).toEqual({ setMemberRoles: { id } });
  expect(await app.trail(id)).toEqual([{ command: 'member.setRoles', outcome: 'done', actorId: admin.id }]);
});

describe('roles are not changed', () => {
  test.each([
    ['by an engineer', 'engineer', { roles: ['owner'] }, 'FORBIDDEN'],
    ['to one that does not exist', 'administrator', { roles: ['king'] }, 'INVALID_INPUT'],
    ['to service for a person', 'administrator', { roles: ['service'] }, 'INVALID_INPUT'],
    [
      'of somebody who is not here',
      'administrator',
      { memberId: crypto.randomUUID(), roles: [] },
      'NOT_FOUND',
    ],
  ] as const)('%s', async (_, role, input, code) => {
    await app.actor('reviewer', { name: 'rob' });
    const id = await memberId('rob');

    const answer = await app.graphql(await app.actor(role), SET_ROLES, { input: { memberId: id, ...input } });

    expect(answer.code).toBe(code);
  });

  test('and the refusal stands in the trail', async () => {
    const engineer = await app.actor('engineer');
    await app.actor('reviewer', { name: 'ron' });
    const id = await memberId('ron');

    await app.graphql(engineer, SET_ROLES, { input: { memberId: id, roles: ['owner'] } });

    expect(await app.trail(id)).toEqual([
      { command: 'member.setRoles', outcome: 'refused', actorId: engineer.id },
    ]);
  });
});

test('nobody gives roles to themselves', async () => {
  const admin = await app.actor('administrator');
  const id = await memberId('administrator');

  const answer = await app.graphql(admin, SET_ROLES, { input: { memberId: id, roles: ['validator'] } });

  expect(answer.errors[0]?.extensions?.['details']).toEqual({ rule: 'no-self-promotion' });
});

test('a list goes on behind its cursor and refuses one that it did not give', async () => {
  const admin = await app.actor('administrator');
  await app.actor('auditor', { name: 'ada' });
  const LIST = `query ($after: String) { members(first: 1, after: $after) { nodes { id } pageInfo { endCursor hasNextPage } } }`;
  interface Listed {
    members: { nodes: { id: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
  }

  const one = await app.graphql<Listed>(admin, LIST);
  const two = await app.graphql<Listed>(admin, LIST, { after: one.data?.members.pageInfo.endCursor });
  const bad = await app.graphql(admin, LIST, { after: 'nonsense' });

  expect(one.data?.members.pageInfo.hasNextPage).toBe(true);
  expect(two.data?.members.nodes[0]?.id).not.toBe(one.data?.members.nodes[0]?.id);
  expect(bad.code).toBe('INVALID_INPUT');
});

test('nobody takes the last administrator out of a workspace, whether a rule or a person gave the role', async () => {
  const workspaceId = await app.otherWorkspace();
  const administrator = await app.actor('administrator', { workspaceId, name: 'last-by-rule' });
  const owner = await app.actor('owner', { workspaceId, name: 'owner-of-other' });
  const { data } = await app.graphql<{ members: { nodes: { id: string; userId: string }[] } }>(
    owner,
    `{ members { nodes { id userId } } }`,
  );
  const memberOf = data?.members.nodes.find((member) => member.userId === administrator.id)?.id;

  const answer = await app.graphql(
    owner,
    `mutation ($input: MemberRemoveInput!) { removeMember(input: $input) { id } }`,
    { input: { memberId: memberOf } },
  );

  expect(answer.code).toBe('CONFLICT');
  expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'last-administrator' });
});

const REMOVE = `mutation ($input: MemberRemoveInput!) { removeMember(input: $input) { id } }`;

const membershipOf = async (person: UserActor): Promise<string> => {
  const { data } = await app.graphql<{ members: { nodes: { id: string; userId: string }[] } }>(
    person,
    `{ members { nodes { id userId } } }`,
  );
  return data?.members.nodes.find((member) => member.userId === person.id)?.id ?? '';
};

test('of two administrators who take each other out at the same moment, one stays', async () => {
  for (const round of [1, 2, 3, 4, 5]) {
    const workspaceId = await app.otherWorkspace();
    const one = await app.actor('administrator', { workspaceId, name: `one-${String(round)}` });
    const two = await app.actor('administrator', { workspaceId, name: `two-${String(round)}` });
    const [first, second] = [await membershipOf(one), await membershipOf(two)];

    const answers = await Promise.all([
      app.graphql(one, REMOVE, { input: { memberId: second } }),
      app.graphql(two, REMOVE, { input: { memberId: first } }),
    ]);

    expect(answers.map(({ code }) => code ?? 'done').sort()).toEqual(['CONFLICT', 'done']);
  }
});

test('an administrator who is disabled does not count as one who is left', async () => {
  const workspaceId = await app.otherWorkspace();
  const left = await app.actor('administrator', { workspaceId, name: 'left' });
  const gone = await app.actor('administrator', { workspaceId, name: 'gone' });
  const memberId = await membershipOf(left);
  const DISABLE = `mutation ($input: UserDisableInput!) { disableUser(input: $input) { id } }`;
  await app.graphql(left, DISABLE, { input: { userId: gone.id, reason: 'has left' } });

  const answer = await app.graphql(left, REMOVE, { input: { memberId } });

  expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'last-administrator' });
});
