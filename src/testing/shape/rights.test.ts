import { join } from 'node:path';
import fc from 'fast-check';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';
import { readFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { beforeAll, expect, test } from 'vitest';
import { settings } from '../../config.js';
import { boundFields } from '../../graphql/fields.js';
import {
  accessOver,
  compileRoles,
  openAccess,
  openEnforcer,
  type Access,
  type RoleIndex,
} from '../../kernel/access.js';
import { roles, systemActor } from '../../kernel/actor.js';
import { permissions } from '../../kernel/permissions.js';
import { installationRoot } from '../../kernel/root.js';
import { testApp, type TestApp } from '../test-app.js';
import { begun, declared, sources } from './sources.js';

let app: TestApp;
let access: Access;
let index: RoleIndex;
const policies = join(installationRoot, 'policies');

beforeAll(async () => {
  app = await testApp();
  access = await openAccess(policies);
  index = await compileRoles(await openEnforcer(policies));
});

test('every root field is bound to a command or query, and nothing else is', () => {
  const fields = [app.schema.getQueryType(), app.schema.getMutationType()].flatMap((type) =>
    type ? Object.keys(type.getFields()).map((field) => `${type.name}.${field}`) : [],
  );
  expect([...boundFields.keys()].sort()).toEqual(fields.sort());
  expect(fields.length).toBeGreaterThan(40);
  expect(app.schema.getSubscriptionType()).toBeUndefined();
});

test('a query is bound to queries and a mutation to what changes something', () => {
  const kinds = new Map(declared.map(({ name, kind }) => [name, kind]));
  for (const [field, bound] of boundFields) {
    expect([field, kinds.get(bound.name) === 'Query']).toEqual([field, field.startsWith('Query.')]);
  }
});

test('every command and query of the code is understood by these tests, and has a name of its own', () => {
  expect(declared).toHaveLength(begun);
  expect(new Set(declared.map(({ name }) => name)).size).toBe(declared.length);
});

test('every command and query of the code is used', () => {
  const unused = declared.filter(({ identifier }) => {
    const use = new RegExp(`\\((?:[^()]*[ ,(])?${identifier}\\b`);
    return !sources.some(({ text }) => use.test(text));
  });
  expect(unused.map(({ path, identifier }) => `${path}: ${identifier}`)).toEqual([]);
});

test('whatever needs a permission, somebody has it, and no permission is without use', () => {
  const held = new Set<string>([...index.values()].flatMap((set) => [...set]));
  const needed = new Set(declared.map(({ permission }) => permission));
  expect([...needed].filter((permission) => !held.has(permission))).toEqual([]);
  const text = sources
    .filter(({ path }) => path !== 'src/kernel/permissions.ts')
    .map((source) => source.text);
  const idle = permissions.filter(
    (permission) => !needed.has(permission) && !text.some((source) => source.includes(`'${permission}'`)),
  );
  expect(idle).toEqual([]);
});

test('the policy names only roles that can be given, and what they inherit', () => {
  const known = new Set<string>([...roles, 'system', 'everybody', 'member']);
  expect([...index.keys()].filter((role) => !known.has(role))).toEqual([]);
  expect(roles.filter((role) => !index.has(role))).toEqual([]);
});

test('the product itself may not approve, decide reviews or give roles to people by hand', () => {
  const system = systemActor('setup');
  for (const permission of [
    'changeRequest:decide',
    'review:decide',
    'policy:propose',
    'alias:set',
  ] as const) {
    expect([permission, access.may(system, permission)]).toEqual([permission, false]);
  }
});

test('the compiled index says what Casbin says, for any policy', async () => {
  const model = await readFile(join(policies, 'model.conf'), 'utf8');
  const role = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const some = permissions.slice(0, 6);
  const lines = fc.array(fc.tuple(role, fc.constantFrom(...some)), { minLength: 1, maxLength: 15 });
  const inherits = fc.array(fc.tuple(role, role), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(lines, inherits, async (held, parents) => {
      const csv = [
        ...new Set([
          ...held.map(([name, permission]) => `p, ${name}, ${permission}`),
          ...parents.filter(([left, right]) => left !== right).map(([left, right]) => `g, ${left}, ${right}`),
        ]),
      ].join('\n');
      const enforcer = await newEnforcer(newModelFromString(model), new StringAdapter(csv));
      const compiled = await compileRoles(enforcer);
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        for (const permission of some) {
          const says = compiled.get(name)?.has(permission) ?? false;
          expect([csv, name, permission, says]).toEqual([
            csv,
            name,
            permission,
            await enforcer.enforce(name, permission),
          ]);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('several roles together may what each may, and a token no more than its scopes', () => {
  const person = { kind: 'user', id: 'x', name: 'x', organizationId: null, workspaceId: null } as const;
  const over = accessOver(index);
  fc.assert(
    fc.property(fc.subarray([...roles]), fc.option(fc.subarray([...permissions])), (held, scopes) => {
      const actor = {
        ...person,
        roles: held,
        scopes,
        authenticatedAt: new Date(0),
        sessionId: null,
        tokenId: null,
      };
      const expected = permissions.filter(
        (permission) =>
          ['everybody', ...held].some((role) => index.get(role)?.has(permission)) &&
          (scopes === null || scopes.includes(permission)),
      );
      expect([...over.permissionsOf(actor)].sort()).toEqual(expected.sort());
    }),
  );
});

const page = async (path: string, text: string): Promise<void> => {
  const file = join(installationRoot, path);
  const options = await resolveConfig(file);
  await expect(await format(text, { ...options, parser: 'markdown' })).toMatchFileSnapshot(file);
};

test('policies/matrix.md shows every right of every role', async () => {
  const columns = [...roles, 'system'] as const;
  const everybody = index.get('everybody') ?? new Set();
  const lines = permissions.map((permission) => {
    const cells = columns.map((role) =>
      index.get(role)?.has(permission) || everybody.has(permission) ? '✓' : '',
    );
    return `| \`${permission}\` | ${cells.join(' | ')} |`;
  });
  const title =
    '# Who may do what\n\nWritten from `roles.csv` by `npx vitest run src/testing/shape -u`; the tests fail when it is not up to date. `system` is the product itself and can be given to nobody.\n\n';
  const head = `| Permission | ${columns.join(' | ')} |\n| --- |${' :-: |'.repeat(columns.length)}\n`;
  await page('policies/matrix.md', `${title}${head}${lines.join('\n')}\n`);
});

test('docs/configuration.md names every setting', async () => {
  const defaults: Readonly<Record<string, unknown>> = settings.parse({});
  const lines = Object.entries(settings.shape).map(([name, schema]) => {
    const value = defaults[name];
    const shown = typeof value === 'string' || typeof value === 'number' ? `\`${String(value)}\`` : '';
    expect([name, schema.description]).toEqual([name, expect.any(String)]);
    return `| \`${name}\` | ${shown} | ${(schema.description ?? '').replaceAll('|', '\\|')} |`;
  });
  const title =
    '# Configuration\n\nEvery setting is an environment variable. A faulty environment stops the start and names every fault. Written from `src/config.ts` by `npx vitest run src/testing/shape -u`.\n\n';
  await page(
    'docs/configuration.md',
    `${title}| Setting | Default | Meaning |\n| --- | --- | --- |\n${lines.join('\n')}\n`,
  );
});
