import { join } from 'node:path';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { accessOver, compileRoles, openAccess, openEnforcer, type Access } from './access.js';
import { roles, systemActor, type Role, type UserActor } from './actor.js';
import { permissions } from './permissions.js';
import { installationRoot } from './root.js';

const policies = join(installationRoot, 'policies');

const person = (held: readonly Role[], scopes: UserActor['scopes'] = null): UserActor => ({
  kind: 'user',
  id: 'someone',
  name: 'Someone',
  roles: held,
  organizationId: null,
  workspaceId: null,
  authenticatedAt: new Date(0),
  sessionId: null,
  tokenId: null,
  scopes,
});

let access: Access;
beforeAll(async () => {
  access = await openAccess(policies);
});

describe('the index of rights', () => {
  test('answers what Casbin itself answers, for every role and every permission', async () => {
    const enforcer = await openEnforcer(policies);
    for (const role of [...roles, 'system', 'everybody', 'king']) {
      const actor = role === 'system' ? systemActor('setup') : person([role as Role]);
      const byCasbin = await Promise.all(
        permissions.map(
          async (permission) =>
            (await enforcer.enforce(role, permission)) || (await enforcer.enforce('everybody', permission)),
        ),
      );
      expect([role, permissions.map((permission) => access.may(actor, permission))]).toEqual([
        role,
        byCasbin,
      ]);
    }
  });

  test('answers what Casbin answers for any policy, with inheritance in circles', async () => {
    const model = `[request_definition]
r = sub, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.act == p.act`;
    const names = fc.constantFrom('engineer', 'validator', 'owner', 'auditor');
    const some = permissions.slice(0, 6);
    const grants = fc.array(fc.tuple(names, fc.constantFrom(...some)), { minLength: 1, maxLength: 8 });
    const parents = fc.array(fc.tuple(names, names), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(grants, parents, async (given, inherited) => {
        const lines = [
          ...given.map((pair) => `p, ${pair.join(', ')}`),
          ...inherited.map((pair) => `g, ${pair.join(', ')}`),
        ];
        const enforcer = await newEnforcer(
          newModelFromString(model),
          new StringAdapter([...new Set(lines)].join('\n')),
        );
        const compiled = accessOver(await compileRoles(enforcer));
        for (const role of ['engineer', 'validator', 'owner', 'auditor'] as const) {
          for (const permission of some) {
            const expected = await enforcer.enforce(role, permission);
            expect([lines, role, permission, compiled.may(person([role]), permission)]).toEqual([
              lines,
              role,
              permission,
              expected,
            ]);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('adds up the rights of several roles, and a token may narrow them but never widen', () => {
    fc.assert(
      fc.property(fc.subarray([...roles]), fc.option(fc.subarray([...permissions])), (held, scopes) => {
        const all = new Set(held.flatMap((role) => [...access.permissionsOf(person([role]))]));
        for (const own of access.permissionsOf(person([]))) all.add(own);
        const expected = [...all]
          .filter((permission) => scopes === null || scopes.includes(permission))
          .sort();
        expect([...access.permissionsOf(person(held, scopes))].sort()).toEqual(expected);
      }),
    );
  });

  test('gives nobody what no line of the policy gives', () => {
    expect(access.may(person([]), 'audit:read')).toBe(false);
    expect(access.may(person(['service']), 'changeRequest:decide')).toBe(false);
  });

  test('refuses a policy with a permission that does not exist', async () => {
    const model = await openEnforcer(policies);
    await model.addPolicy('owner', 'world:rule');

    await expect(compileRoles(model)).rejects.toThrow('unknown permission: world:rule');
  });
});
