import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { documentFinder } from './index.js';

const REGISTER = `mutation ($input: DocumentRegisterInput!) { registerDocuments(input: $input) { id sha256 } }`;
const MEMBERS = `query Members($first: Int!) { members(first: $first) { nodes { id name } pageInfo { hasNextPage } } }
query Me { viewer { name } }`;
const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex');

let app: TestApp;
let door: TestDoor;
let engineer: UserActor;

beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { adHoc: 'nobody', findDocument: documentFinder() });
  engineer = await app.actor('engineer');
});

interface Answer {
  registerDocuments: { id: string; sha256: string }[];
}

const register = (actor: UserActor, ...texts: string[]) =>
  app.graphql<Answer>(actor, REGISTER, {
    input: { documents: texts.map((text) => ({ name: 'test', text })) },
  });

test('a registered document is run by its sha256, and the trail knows who registered it', async () => {
  const { data } = await register(engineer, MEMBERS);
  const registered = data?.registerDocuments[0];
  expect(registered?.sha256).toBe(shaOf(MEMBERS));
  expect(await app.trail(registered?.id ?? '')).toEqual([
    { command: 'document.register', outcome: 'done', actorId: engineer.id },
  ]);

  const asked = { documentId: shaOf(MEMBERS), operationName: 'Members', variables: { first: 1 } };
  const answer = await door.send(engineer, asked);
  expect(answer.status).toBe(200);
  expect(answer.data).toMatchObject({ members: { nodes: [{ id: expect.any(String) }] } });

  const persisted = {
    extensions: { persistedQuery: { version: 1, sha256Hash: shaOf(MEMBERS) } },
    operationName: 'Me',
  };
  expect((await door.send(engineer, persisted)).data).toEqual({ viewer: { name: 'engineer' } });
});

test('registering the same document again changes nothing and names it again', async () => {
  const first = await register(engineer, MEMBERS);
  const again = await register(engineer, MEMBERS, MEMBERS);
  const id = first.data?.registerDocuments[0]?.id;
  expect(again.data?.registerDocuments.map((document) => document.id)).toEqual([id, id]);
  expect(await app.trail(id ?? '')).toHaveLength(1);
});

test('a token with few scopes may run a registered document, with the rights of its fields only', async () => {
  await register(engineer, MEMBERS);
  const tool = app.service({ scopes: ['self:read'] });
  const asked = { documentId: shaOf(MEMBERS), variables: { first: 1 } };
  expect((await door.send(tool, { ...asked, operationName: 'Me' })).data).toEqual({
    viewer: { name: 'tool' },
  });
  expect(await door.send(tool, { ...asked, operationName: 'Members' })).toMatchObject({ code: 'FORBIDDEN' });
});

test('a document of another workspace is not found', async () => {
  await register(engineer, MEMBERS);
  const elsewhere = await app.actor('engineer', {
    workspaceId: await app.otherWorkspace(),
    name: 'elsewhere',
  });
  const answer = await door.send(elsewhere, { documentId: shaOf(MEMBERS), operationName: 'Me' });
  expect(answer).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  expect((await app.graphql(elsewhere, '{ documents { nodes { id } } }')).data).toEqual({
    documents: { nodes: [] },
  });
});

test('the list shows what is registered', async () => {
  await register(engineer, MEMBERS);
  const { data } = await app.graphql(
    engineer,
    '{ documents(first: 1) { nodes { sha256 name text createdBy } } }',
  );
  expect(data).toEqual({
    documents: { nodes: [{ sha256: shaOf(MEMBERS), name: 'test', text: MEMBERS, createdBy: engineer.id }] },
  });
});

describe('what cannot be run is not registered', () => {
  test.each([
    ['a syntax error', '{ viewer {', 'Syntax Error'],
    ['an unknown field', '{ viewer { nothing } }', 'Cannot query field'],
    ['a subscription', 'subscription { viewer { id } }', 'Subscriptions are not served'],
    ['the same field over and over', `{ viewer { ${'id '.repeat(1_980)} } }`, 'name each field once'],
    ['introspection', '{ __schema { queryType { name } } }', 'introspection'],
    ['too deep', `{ ${'a { '.repeat(12)} b ${'}'.repeat(12)} }`, '13 of at most 12 levels'],
  ])('%s', async (_, text, fault) => {
    const answer = await register(engineer, text);
    expect(answer.code).toBe('INVALID_INPUT');
    expect(answer.errors[0]?.message).toContain('documents.0.text');
    expect(answer.errors[0]?.message).toContain(fault);
    expect(await door.send(engineer, { documentId: shaOf(text) })).toMatchObject({ code: 'NOT_FOUND' });
  });

  test('by whom may not', async () => {
    const answer = await register(await app.actor('auditor'), '{ viewer { id } }');
    expect(answer.code).toBe('FORBIDDEN');
  });
});

describe('a request for a registered document is checked like any other', () => {
  test.each([
    ['a wrong variable', { operationName: 'Members', variables: { first: 'x' } }],
    ['a missing variable', { operationName: 'Members' }],
    ['no operation named', {}],
    ['an unknown operation', { operationName: 'Nothing' }],
    ['a page that is too large', { operationName: 'Members', variables: { first: 201 } }],
    ['a sha256 that is none', { documentId: 'abc' }],
  ])('%s', async (_, rest) => {
    await register(engineer, MEMBERS);
    const answer = await door.send(engineer, { documentId: shaOf(MEMBERS), ...rest });
    expect(answer.code).toBe('INVALID_INPUT');
  });

  test('ad hoc documents are refused here', async () => {
    expect(await door.send(engineer, { query: MEMBERS })).toMatchObject({ status: 403, code: 'FORBIDDEN' });
  });
});

test('a registered document cannot be changed or taken away, not even in a command', async () => {
  const { data } = await register(engineer, MEMBERS);
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const id = data?.registerDocuments[0]?.id;
  for (const statement of [
    'update trusted_document set name = $1',
    'delete from trusted_document where name <> $1',
  ]) {
    const change = app.db.transact('app_writer', session, (tx) => tx.sql(statement, [id]));
    await expect(change).rejects.toMatchObject({ code: '42501' });
  }
});
