import { createHash, randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { UserActor } from '../kernel/actor.js';
import { roles } from '../kernel/actor.js';
import { documentFinder } from '../features/documents/index.js';
import { callsOf, type Call } from '../testing/shape/calls.js';
import { testApp, type TestApp } from '../testing/test-app.js';
import { testDoor, type DoorAnswer, type TestDoor } from '../testing/door.js';

const REGISTER = `mutation ($input: DocumentRegisterInput!) { registerDocuments(input: $input) { sha256 } }`;

let app: TestApp;
let door: TestDoor;
let person: UserActor;
let calls: Call[];

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { findDocument: documentFinder() });
  person = await app.actor('administrator', {
    name: 'everybody at once',
    roles: roles.filter((role) => role !== 'service'),
  });
  await app.actor('engineer');
  await app.actor('owner');
  const filling = { id: randomUUID(), text: 'text', everything: true };
  // Every query, and every mutation that is refused because of the id; none may change what the next one reads.
  calls = callsOf(app.schema, filling).filter(({ field, hasId }) => field.startsWith('query') || hasId);
  for (let from = 0; from < calls.length; from += 100) {
    const documents = calls
      .slice(from, from + 100)
      .map(({ field, document }) => ({ name: field, text: document }));
    const { errors } = await app.graphql(person, REGISTER, { input: { documents } });
    expect(errors).toEqual([]);
  }
});

const told = ({ status, data, code, details, message }: DoorAnswer) => ({
  status,
  data,
  code,
  details,
  message,
});
const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex');

test('compiled documents answer what graphql-js answers: data, refusals, status', async () => {
  expect(calls.length).toBeGreaterThan(40);
  let withData = 0;
  for (const { field, document, variables } of calls) {
    const plain = await door.send(person, { query: document, variables });
    const compiled = await door.send(person, { documentId: shaOf(document), variables });
    expect([field, told(compiled)]).toEqual([field, told(plain)]);
    if (plain.data !== null && plain.data !== undefined && plain.code === undefined) withData += 1;
  }
  expect(withData).toBeGreaterThan(10);
});

test('compiled documents refuse variables as graphql-js does', async () => {
  const members = calls.find(({ field }) => field === 'query members');
  const job = calls.find(({ field }) => field === 'query job');
  expect(members).toBeDefined();
  expect(job).toBeDefined();
  for (const variables of [
    {},
    { id: null },
    { id: { a: 1 } },
    { id: [] },
    { id: 'nonsense' },
    { other: 1 },
  ]) {
    const document = job?.document ?? '';
    const plain = await door.send(person, { query: document, variables });
    const compiled = await door.send(person, { documentId: shaOf(document), variables });
    expect([compiled.status, compiled.code]).toEqual([plain.status, plain.code]);
    expect(compiled.code).toBe('INVALID_INPUT');
  }
});
