import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { roles, type UserActor } from '../../kernel/actor.js';
import { permissions } from '../../kernel/permissions.js';
import type { GraphqlAnswer } from '../graphql.js';
import { testApp, type TestApp } from '../test-app.js';
import { callsOf, type Call, type Filling } from './calls.js';
import { connect, fingerprint, populate, tablesOf, type Table } from './database-shape.js';

/** Everything that a stranger's id may be answered with; never data, never a fault of ours. */
const refusals = new Set(['NOT_FOUND', 'INVALID_INPUT', 'FORBIDDEN', 'PRECONDITION_FAILED', 'CONFLICT']);
const secret = 'a-secret-of-the-others';

let app: TestApp;
let client: Client;
let tables: Table[];
let elsewhere: string;
let everyone: UserActor;
let nobody: UserActor;
const theirs = randomUUID();

beforeAll(async () => {
  app = await testApp();
  client = await connect(app.databaseUrl);
  tables = await tablesOf(client);
  elsewhere = await app.otherWorkspace();
  // One id for every row of the other workspace: whatever a field looks for, it would find it.
  await populate(client, tables, { workspaceId: elsewhere, id: theirs, text: secret });
  const all = roles.filter((role) => role !== 'service');
  everyone = await app.actor('administrator', { name: 'everyone', roles: all });
  nobody = { ...everyone, roles: [], scopes: [] };
});
afterAll(() => client.end());

const fillings = (id: string): Filling[] =>
  [true, false].map((everything) => ({ id, text: `text-${id.slice(0, 8)}`, everything }));

const callsWith = (id: string): Call[] => fillings(id).flatMap((filling) => callsOf(app.schema, filling));

/** Whether an answer holds nothing: no data, or lists without rows. */
const isEmpty = (value: unknown): boolean => {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  if (typeof value !== 'object') return false;
  const fields = Object.entries(value).filter(([name]) => name !== 'pageInfo');
  return fields.every(([, inside]) => isEmpty(inside));
};

const faultOf = (answer: GraphqlAnswer<Record<string, unknown>>): string | null => {
  if (JSON.stringify(answer).includes(secret)) return 'tells a secret';
  if (answer.code === undefined)
    return isEmpty(answer.data) ? null : `answers ${JSON.stringify(answer.data)}`;
  return refusals.has(answer.code) ? null : `${answer.code}: ${answer.errors[0]?.message ?? ''}`;
};

describe.each([
  ['an id of another workspace', () => theirs],
  ['an id that nobody has', () => randomUUID()],
])('with %s', (_, idOf) => {
  test('no field that takes an id answers anything or breaks', async () => {
    const before = await fingerprint(client, tables, elsewhere);
    const calls = callsWith(idOf()).filter(({ hasId }) => hasId);
    expect(new Set(calls.map(({ field }) => field)).size).toBeGreaterThan(20);
    const faults: string[] = [];
    for (const { field, document, variables } of calls) {
      const fault = faultOf(await app.graphql(everyone, document, variables));
      if (fault !== null) faults.push(`${field}: ${fault}`);
    }
    expect(faults).toEqual([]);
    expect(await fingerprint(client, tables, elsewhere)).toEqual(before);
  });
});

/** What is wrong with how somebody without any right is answered, or null. */
const opennessOf = ({ code, errors, data }: GraphqlAnswer<Record<string, unknown>>): string | null => {
  if (!isEmpty(data)) return 'answers';
  // A command looks for what it acts on first: what is not there or not given is said before rights are.
  if (code === undefined || !refusals.has(code)) return String(code);
  const details = errors[0]?.extensions?.['details'] as { permission?: string } | undefined;
  const named = permissions.some((permission) => permission === details?.permission);
  return code === 'FORBIDDEN' && !named ? 'names no permission' : null;
};

test('who holds no permission is refused by every field, and says of each which one it needs', async () => {
  const open: string[] = [];
  for (const { field, document, variables } of callsWith(theirs)) {
    const fault = opennessOf(await app.graphql(nobody, document, variables));
    if (fault !== null) open.push(`${field}: ${fault}`);
  }
  expect(open).toEqual([]);
});

test('what stands in another workspace is in no list', async () => {
  const lists = callsOf(app.schema, { id: theirs, text: 'x', everything: false }).filter(
    ({ field, hasId }) => field.startsWith('query ') && !hasId,
  );
  expect(lists.length).toBeGreaterThan(10);
  for (const { field, document, variables } of lists) {
    const answer = await app.graphql(everyone, document, variables);
    expect([
      field,
      JSON.stringify(answer).includes(secret) || JSON.stringify(answer).includes(theirs),
    ]).toEqual([field, false]);
    expect([field, answer.code]).not.toEqual([field, 'INTERNAL']);
  }
});
