import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../kernel/actor.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { testDoor, type TestDoor } from '../testing/door.js';

let app: TestApp;
let door: TestDoor;
let engineer: UserActor;
let auditor: UserActor;

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app);
  engineer = await app.actor('engineer');
  auditor = await app.actor('auditor');
});

test('a query over HTTP is answered for who asks', async () => {
  const { status, data, headers } = await door.send(engineer, { query: '{ viewer { name roles } }' });
  expect(status).toBe(200);
  expect(data).toEqual({ viewer: { name: 'engineer', roles: ['engineer'] } });
  expect(headers.get('cache-control')).toBe('no-store');
});

test('without credentials nothing is executed', async () => {
  const answer = await door.send(null, { query: '{ viewer { name } }' });
  expect(answer).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', data: undefined });
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
});

test('a refusal of a command keeps its code and details', async () => {
  const input = { memberId: crypto.randomUUID(), roles: ['owner'] };
  const query = 'mutation ($input: MemberSetRolesInput!) { setMemberRoles(input: $input) { id } }';
  const answer = await door.send(await app.actor('administrator'), { query, variables: { input } });
  expect(answer).toMatchObject({ status: 200, code: 'NOT_FOUND', data: null });
});

const nest = (depth: number): string =>
  `{ viewer { ${'... on Viewer { '.repeat(depth)} id ${'} '.repeat(depth)} } }`;
const aliases = (count: number): string =>
  `{ viewer { ${Array.from({ length: count }, (_, index) => `a${String(index)}: id`).join(' ')} } }`;
const roots = (count: number): string =>
  `query { ${Array.from({ length: count }, (_, index) => `r${String(index)}: viewer { id }`).join(' ')} }`;
const bomb = `query { ...A } fragment A on Query { workspace { id ...B ...B } }
  fragment B on Workspace { ...C ...C ...C ...C ...C ...C } fragment C on Workspace { ...D ...D ...D ...D ...D ...D ...D ...D }
  fragment D on Workspace { id id id id id id id id id id id id id id id id id id id id id id id id id id id id }`;
const schemaInSchema = `{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }`;

describe('an operation over a limit is refused with the limit and its value', () => {
  test.each([
    ['aliases', aliases(31), { rule: 'graphql-aliases', limit: 30, value: 31 }],
    ['root fields', roots(21), { rule: 'graphql-rootFields', limit: 20, value: 21 }],
    [
      'directives',
      `{ viewer { id ${'@include(if: true) '.repeat(31)} } }`,
      { rule: 'graphql-directives', limit: 30 },
    ],
    ['fragments that multiply', bomb, { rule: 'graphql-selections', limit: 2000 }],
    [
      'cost',
      `{ ${Array.from({ length: 20 }, (_, n) => `m${String(n)}: members(first: 200) { nodes { id userId name roles createdAt } }`).join(' ')} }`,
      { rule: 'graphql-cost', limit: 20_000 },
    ],
  ])('%s', async (_, query, details) => {
    const answer = await door.send(engineer, { query });
    expect(answer).toMatchObject({ status: 400, code: 'INVALID_INPUT', details });
  });

  test('cost is counted with the variables that are sent', async () => {
    const query = `query ($n: Int!) { ${Array.from({ length: 20 }, (_, n) => `m${String(n)}: members(first: $n) { nodes { id userId name roles createdAt } }`).join(' ')} }`;
    expect((await door.send(engineer, { query, variables: { n: 10 } })).code).toBeUndefined();
    expect(await door.send(engineer, { query, variables: { n: 200 } })).toMatchObject({
      details: { rule: 'graphql-cost', value: 20 * (2 + 200 * 5) },
    });
  });

  test('tokens', async () => {
    const answer = await door.send(engineer, { query: `{ viewer { ${'id '.repeat(2000)} } }` });
    expect(answer).toMatchObject({ status: 400, code: 'INVALID_INPUT' });
    expect(answer.message).toContain('2000 tokens');
  });

  test('bytes', async () => {
    const answer = await door.send(engineer, { query: `{ viewer { id } } # ${'x'.repeat(262_144)}` });
    expect(answer).toMatchObject({
      status: 413,
      code: 'INVALID_INPUT',
      details: { rule: 'graphql-bytes', limit: 262_144 },
    });
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('what is no request is refused by name', () => {
  test.each([
    ['a batch', [{ query: '{ viewer { id } }' }, { query: '{ viewer { id } }' }], { rule: 'graphql-batch' }],
    ['nothing', {}, { fields: [{ path: 'query', message: 'is missing' }] }],
    [
      'variables as text',
      { query: '{ viewer { id } }', variables: '{}' },
      { fields: [{ path: 'variables' }] },
    ],
    ['broken JSON', '{"query": ', { http: 'FST_ERR_CTP_INVALID_JSON_BODY' }],
    ['a syntax error', { query: '{ viewer { ' }, { graphql: 'GRAPHQL_VALIDATION_FAILED' }],
    ['an unknown field', { query: '{ viewer { passwrod } }' }, { graphql: 'GRAPHQL_VALIDATION_FAILED' }],
    [
      'a wrong type',
      { query: '{ members(first: "many") { nodes { id } } }' },
      { graphql: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    ['a subscription', { query: 'subscription { viewer { id } }' }, { rule: 'graphql-subscription' }],
    [
      'a circle of fragments',
      { query: '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }' },
      { graphql: 'GRAPHQL_VALIDATION_FAILED' },
    ],
    ['schema in schema', { query: schemaInSchema }, { graphql: 'GRAPHQL_VALIDATION_FAILED' }],
    [
      'an operation that is not there',
      { query: 'query A { viewer { id } }', operationName: 'B' },
      { graphql: 'OPERATION_RESOLUTION_FAILURE' },
    ],
    [
      'a missing variable',
      { query: 'query ($n: Int!) { members(first: $n) { nodes { id } } }' },
      { graphql: 'BAD_USER_INPUT' },
    ],
    [
      'a wrong variable',
      { query: 'query ($n: Int!) { members(first: $n) { nodes { id } } }', variables: { n: 'x' } },
      { graphql: 'BAD_USER_INPUT' },
    ],
  ])('%s', async (_, body, details) => {
    const answer = await door.send(engineer, body);
    expect(answer).toMatchObject({ code: 'INVALID_INPUT', details });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toContain('stack');
    expect(answer.text).not.toContain('Did you mean');
  });

  test('a form, and a GET', async () => {
    const form = await door.send(engineer, 'query={viewer{id}}', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(form).toMatchObject({ status: 415, code: 'INVALID_INPUT' });
    const got = await fetch(`${door.address}/graphql?query={viewer{id}}`, {
      headers: door.headersOf(engineer),
    });
    expect(got.status).toBe(405);
    expect(got.headers.get('allow')).toBe('POST');
  });
});

test('deep nesting of fields is refused', async () => {
  const deep = (levels: number): string => `{ ${'a { '.repeat(levels)} b ${'}'.repeat(levels)} }`;
  expect(await door.send(engineer, { query: deep(12) })).toMatchObject({
    details: { rule: 'graphql-depth', limit: 12, value: 13 },
  });
  // Fragments are no levels.
  expect((await door.send(engineer, { query: nest(14) })).data).toMatchObject({
    viewer: { id: engineer.id },
  });
});

test('the schema is shown to those who may register documents, and to everybody in development', async () => {
  const query = '{ __schema { queryType { name } } }';
  expect((await door.send(engineer, { query })).data).toEqual({ __schema: { queryType: { name: 'Query' } } });
  expect(await door.send(auditor, { query })).toMatchObject({
    code: 'FORBIDDEN',
    details: { rule: 'graphql-introspection' },
  });
  const hidden = '{ ...X } fragment X on Query { s: __schema { queryType { name } } }';
  expect(await door.send(auditor, { query: hidden })).toMatchObject({ code: 'FORBIDDEN' });
  const open = await testDoor(app, { development: true });
  expect((await open.send(auditor, { query })).data).toBeDefined();
  expect((await open.send(auditor, { query: '{ viewr { id } }' })).message).toContain('Did you mean');
});

test('twenty root fields are charged as twenty requests', async () => {
  const strict = await testDoor(app, { perMinute: 30 });
  expect((await strict.send(engineer, { query: roots(20) })).status).toBe(200);
  const answer = await strict.send(engineer, { query: roots(20) });
  expect(answer).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('in production, documents of one’s own need a token or are not run at all', async () => {
  const body = { query: '{ viewer { id } }' };
  const tokens = await testDoor(app, { adHoc: 'tokens' });
  expect(await tokens.send(engineer, body)).toMatchObject({
    status: 403,
    details: { rule: 'graphql-trusted-only' },
  });
  expect((await tokens.send(app.service(), body)).status).toBe(200);
  expect((await tokens.send({ ...engineer, tokenId: crypto.randomUUID() }, body)).status).toBe(200);
  const nobody = await testDoor(app, { adHoc: 'nobody' });
  expect(await nobody.send(app.service(), body)).toMatchObject({ status: 403 });
});

test('an operation past its time is answered, and begins nothing more', async () => {
  const begun: string[] = [];
  const slow: TestApp = {
    ...app,
    ask: async (query, actor, input) => {
      begun.push(query.name);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return app.ask(query, actor, input);
    },
  };
  const late = await testDoor(slow, { deadlineMs: 100 });
  const answer = await late.send(engineer, { query: '{ viewer { id } }' });
  expect(answer).toMatchObject({
    status: 500,
    code: 'INTERNAL',
    details: { rule: 'graphql-deadline', limitSeconds: 0.1 },
  });
  expect(begun).toEqual(['self.read']);
});
