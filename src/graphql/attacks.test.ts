import fc from 'fast-check';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../kernel/actor.js';
import { connect, fingerprint, tablesOf, type Table } from '../testing/shape/database-shape.js';
import { callsOf } from '../testing/shape/calls.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { testDoor, type DoorAnswer, type TestDoor } from '../testing/door.js';

let app: TestApp;
let door: TestDoor;
let engineer: UserActor;
let client: Client;
let tables: Table[];

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app);
  engineer = await app.actor('engineer');
  client = await connect(app.databaseUrl);
  tables = await tablesOf(client);
});
afterAll(() => client.end());

const repeat = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(' ');

const typed = new Set([
  'INVALID_INPUT',
  'FORBIDDEN',
  'NOT_FOUND',
  'PRECONDITION_FAILED',
  'CONFLICT',
  'RATE_LIMITED',
]);

/** A refusal with a code of the list, quickly, without a stack or a word about the inside. */
const requireTyped = (answer: DoorAnswer): void => {
  expect(typed).toContain(answer.code);
  expect(answer.message).not.toMatch(/^Validation aborted/);
  expect(answer.text).not.toMatch(/node_modules|\.ts:|\.js:|at Object|stacktrace|QueryFailedError/);
};

describe('the known attacks on GraphQL are refused by name', () => {
  test.each([
    ['alias overloading', `{ viewer { ${repeat(100, (n) => `a${String(n)}: id`)} } }`],
    ['alias overloading of root fields', `{ ${repeat(100, (n) => `a${String(n)}: viewer { id }`)} }`],
    ['directive overloading', `{ viewer { id ${'@include(if: true)'.repeat(100)} } }`],
    ['unknown directives', `{ viewer { id ${'@aa'.repeat(20)} } }`],
    ['field duplication below every limit', `{ viewer { ${'id '.repeat(1_980)} } }`],
    ['field duplication', `{ viewer { ${'id '.repeat(2_500)} } }`],
    ['circular fragment', '{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }'],
    ['a fragment of itself', '{ viewer { ...A } } fragment A on Viewer { ...A }'],
    [
      'circular introspection',
      `{ __schema { types { ${'fields { type { '.repeat(6)} name ${'} } '.repeat(6)} } } }`,
    ],
    [
      'a fragment named like introspection',
      '{ ...__schema } fragment __schema on Query { a { b { c { d { e { f { g { h { i { j { k { l { m } } } } } } } } } } } } }',
    ],
    ['deep nesting', `{ ${'a{'.repeat(500)}b${'}'.repeat(500)} }`],
    ['deep inline fragments', `{ ${'...{'.repeat(990)} nothing ${'}'.repeat(990)} }`],
    ['deep lists as a value', `{ members(first: ${'['.repeat(900)}1${']'.repeat(900)}) { nodes { id } } }`],
    ['pages that are too large', '{ members(first: 1000000) { nodes { id name roles } } }'],
    ['a negative page', '{ members(first: -5) { nodes { id } } }'],
    ['a page of all', '{ members(first: 201) { nodes { id } } }'],
    ['field suggestions', '{ vewer { id } }'],
    ['a mutation that is a query', 'query { setMemberRoles(input: { memberId: "x", roles: [] }) { id } }'],
    ['a null byte', '{ members(after: "\\u0000") { nodes { id } } }'],
    ['lone surrogates', '{ members(after: "\\uD800") { nodes { id } } }'],
  ])('%s', async (_, query) => {
    const started = performance.now();
    requireTyped(await door.send(engineer, { query }));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

test('documents of noise are refused by a typed error and change nothing', async () => {
  const before = await fingerprint(client, tables, app.workspaceId);
  const words = [
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ':',
    '!',
    '$a',
    '...',
    'on',
    '@',
    '"',
    '"""',
    '#',
    'query',
    'mutation',
    'fragment',
    'viewer',
    'members',
    'id',
    'nodes',
    'first',
    '1',
    'null',
    '\u0000',
    '🂡',
    '\\u',
  ];
  const noise = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => parts.join(' ')),
  );
  await fc.assert(
    fc.asyncProperty(noise, async (query) => {
      const answer = await door.send(engineer, { query });
      if (answer.code !== undefined) requireTyped(answer);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
  expect(await fingerprint(client, tables, app.workspaceId)).toEqual(before);
});

test('bodies of noise are refused by a typed error', async () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        query: fc.jsonValue(),
        variables: fc.jsonValue(),
        operationName: fc.jsonValue(),
        extensions: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
    fc.record(
      { documentId: fc.jsonValue(), extensions: fc.record({ persistedQuery: fc.jsonValue() }) },
      { requiredKeys: [] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(body, async (value) => {
      const answer = await door.send(engineer, JSON.stringify(value));
      requireTyped(answer);
      expect(answer.status).toBeLessThan(500);
    }),
    { numRuns: 150 },
  );
});

test('every field refuses arguments of noise by a typed error', async () => {
  const before = await fingerprint(client, tables, app.workspaceId);
  const calls = callsOf(app.schema, { id: 'x', text: 'x', everything: true });
  const noise = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.array(fc.jsonValue(), { maxLength: 3 }),
    fc.jsonValue(),
  );
  for (const { field, document, variables } of calls) {
    const names = Object.keys(variables);
    if (names.length === 0 || !field.startsWith('mutation')) continue;
    await fc.assert(
      fc.asyncProperty(noise, async (value) => {
        const answer = await door.send(engineer, {
          query: document,
          variables: { ...variables, [names[0] ?? '']: value },
        });
        expect([field, answer.code]).toEqual([field, 'INVALID_INPUT']);
        requireTyped(answer);
      }),
      { numRuns: 5 },
    );
  }
  expect(await fingerprint(client, tables, app.workspaceId)).toEqual(before);
});
