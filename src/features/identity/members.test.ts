import { beforeAll, describe, expect, test } from 'vitest';
import { systemActor } from '../../kernel/actor.js';
import { openIdentityTest, type IdentityTest } from '../../testing/identity.js';
import type { TestApp } from '../../testing/test-app.js';
import { issueDevelopmentToken } from './index.js';
import { recognisePerson } from './identity.commands/people.js';
import { applyRoleRules } from './identity.commands/role-rules.js';

let at: IdentityTest;
let app: TestApp;
beforeAll(async () => {
  at = await openIdentityTest();
  ({ app } = at);
});

const CREATE_RULE = `mutation ($input: RoleRuleCreateInput!) { createRoleRule(input: $input) { id } }`;
const DELETE_RULE = `mutation ($input: RoleRuleDeleteInput!) { deleteRoleRule(input: $input) { id } }`;
const ADD = `mutation ($input: MemberAddInput!) { addMember(input: $input) { id } }`;

describe('a role rule', () => {
  test('is made, listed and taken away, and the trail keeps both', async () => {
    const administrator = await app.actor('administrator');
    const input = { group: 'risk office', role: 'compliance' };

    const made = await app.graphql<{ createRoleRule: { id: string } }>(administrator, CREATE_RULE, { input });
    const ruleId = made.data?.createRoleRule.id ?? 'missing';
    const listed = await app.graphql<{ roleRules: { nodes: { id: string; group: string; role: string }[] } }>(
      await app.actor('engineer'),
      `{ roleRules { nodes { id group role } } }`,
    );
    const again = await app.graphql(administrator, CREATE_RULE, { input });
    await app.graphql(administrator, DELETE_RULE, { input: { ruleId } });

    expect(listed.data?.roleRules.nodes).toContainEqual({ id: ruleId, ...input });
    expect(again.code).toBe('CONFLICT');
    expect((await app.trail(ruleId)).map((line) => line.command)).toEqual([
      'roleRule.create',
      'roleRule.delete',
    ]);
  });

  test('that is gone takes its role away at the next sign-in, and the membership when nothing is left', async () => {
    const administrator = await app.actor('administrator');
    const before = await at.ask(await at.signedIn('eve'));
    const rules = await app.graphql<{ roleRules: { nodes: { id: string; group: string }[] } }>(
      administrator,
      `{ roleRules { nodes { id group } } }`,
    );
    const ruleId = rules.data?.roleRules.nodes.find((rule) => rule.group === 'engineers')?.id;
    await app.graphql(administrator, DELETE_RULE, { input: { ruleId } });

    const after = await at.ask(await at.signedIn('eve'));

    expect(before.actor).toMatchObject({ roles: ['engineer'], workspaceId: app.workspaceId });
    expect(after.actor).toMatchObject({ roles: [], workspaceId: null });
    await app.graphql(administrator, CREATE_RULE, { input: { group: 'engineers', role: 'engineer' } });
  });

  test.each([
    ['by an engineer', 'engineer', { group: 'x', role: 'engineer' }, 'FORBIDDEN'],
    ['for a role that does not exist', 'administrator', { group: 'x', role: 'king' }, 'INVALID_INPUT'],
    ['for the role of machines', 'administrator', { group: 'x', role: 'service' }, 'INVALID_INPUT'],
    ['for no group', 'administrator', { group: ' ', role: 'engineer' }, 'INVALID_INPUT'],
  ] as const)('is not made %s', async (_, role, input, code) => {
    expect((await app.graphql(await app.actor(role), CREATE_RULE, { input })).code).toBe(code);
  });
});

describe('a person is not added', () => {
  const newcomer = async (subject: string): Promise<string> => {
    const person = { issuer: 'https://people.test', subject, displayName: subject, email: null };
    return (await app.run(recognisePerson, systemActor('door:sign-in'), person)).id;
  };

  test.each([
    ['by an engineer', 'engineer', () => newcomer('n1'), ['reviewer'], 'FORBIDDEN'],
    [
      'who never signed in',
      'administrator',
      () => Promise.resolve(crypto.randomUUID()),
      ['reviewer'],
      'NOT_FOUND',
    ],
    ['twice', 'administrator', async () => (await app.actor('reviewer')).id, ['owner'], 'CONFLICT'],
    [
      'by themselves',
      'administrator',
      async () => (await app.actor('administrator')).id,
      ['validator'],
      'CONFLICT',
    ],
    ['as a machine', 'administrator', () => newcomer('n2'), ['service'], 'INVALID_INPUT'],
  ] as const)('%s', async (_, role, who, roles, code) => {
    const input = { userId: await who(), roles };
    expect((await app.graphql(await app.actor(role), ADD, { input })).code).toBe(code);
  });
});

describe('a development token', () => {
  test('acts as the person of the role for one hour', async () => {
    const validator = await app.actor('validator');
    const { secret, expiresAt } = await issueDevelopmentToken(app, { mode: 'development' }, 'validator');

    expect((await at.withToken(secret)).actor).toMatchObject({ id: validator.id, roles: ['validator'] });
    expect(expiresAt.getTime() - app.clock.now().getTime()).toBeLessThanOrEqual(3_600_000);
  });

  test('is never made in production, nor for a role that nobody has', async () => {
    await expect(issueDevelopmentToken(app, { mode: 'production' }, 'validator')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(issueDevelopmentToken(app, { mode: 'development' }, 'compliance')).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

test('a rule never gives its role to the person who made it', async () => {
  const maker = await app.actor('administrator', { name: 'rule-maker' });
  const colleague = await app.actor('engineer', { name: 'rule-follower' });
  await app.graphql(maker, CREATE_RULE, { input: { group: 'self-made', role: 'validator' } });
  const door = systemActor('door:http', app);
  for (const { id } of [maker, colleague]) {
    await app.run(applyRoleRules, door, { userId: id, groups: ['self-made'] });
  }

  const { data } = await app.graphql<{ members: { nodes: { userId: string; roles: string[] }[] } }>(
    await app.actor('auditor'),
    '{ members(first: 200) { nodes { userId roles } } }',
  );
  const rolesOf = (id: string) => data?.members.nodes.find(({ userId }) => userId === id)?.roles ?? [];

  expect(rolesOf(colleague.id)).toEqual(['validator']);
  expect(rolesOf(maker.id)).not.toContain('validator');
});

test('who administers one workspace shuts nobody out of another', async () => {
  const elsewhere = await app.otherWorkspace();
  const person = await app.actor('reviewer', { name: 'works-in-two' });
  await app.actor('reviewer', { name: 'works-in-two', workspaceId: elsewhere });

  const refused = await app.graphql(
    await app.actor('administrator'),
    `mutation ($input: UserDisableInput!) { disableUser(input: $input) { id } }`,
    { input: { userId: person.id, reason: 'left' } },
  );

  expect(refused.errors[0]?.extensions?.['details']).toEqual({
    rule: 'administrator-everywhere',
    workspaces: 1,
  });
});
