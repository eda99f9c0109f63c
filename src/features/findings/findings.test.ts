import { beforeAll, describe, expect, test } from 'vitest';
import { givenModel } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const CREATE = `mutation ($input: FindingCreateInput!) { createFinding(input: $input) { id } }`;
const RESOLVE = `mutation ($input: FindingResolveInput!) { resolveFinding(input: $input) { id } }`;

const dayMs = 86_400_000;

const newFinding = async () => ({
  title: 'Recall of small groups',
  detail: 'Below the others',
  severity: 'HIGH',
  ownerId: (await app.actor('engineer')).id,
  dueAt: new Date(app.clock.now().getTime() + dayMs).toISOString(),
  subjectKind: 'model',
  subjectId: await givenModel(app),
});

const givenFinding = async (): Promise<string> => {
  const input = await newFinding();
  const { data } = await app.graphql<{ createFinding: { id: string } }>(
    await app.actor('validator'),
    CREATE,
    { input },
  );
  return data?.createFinding.id ?? '';
};

test('a finding is opened, is overdue past its date, and is resolved; the trail tells both', async () => {
  const id = await givenFinding();
  const compliance = await app.actor('compliance');
  const READ = `query ($id: ID!) { finding(id: $id) { state severity ownerName overdue resolution } }`;

  const open = await app.graphql(compliance, READ, { id });
  app.clock.advance(2 * dayMs);
  const late = await app.graphql(compliance, READ, { id });
  await app.graphql(compliance, RESOLVE, { input: { findingId: id, resolution: 'Retrained' } });
  const done = await app.graphql(compliance, READ, { id });

  expect(open.data).toEqual({
    finding: { state: 'OPEN', severity: 'HIGH', ownerName: 'engineer', overdue: false, resolution: null },
  });
  expect(late.data).toMatchObject({ finding: { overdue: true } });
  expect(done.data).toMatchObject({
    finding: { state: 'RESOLVED', overdue: false, resolution: 'Retrained' },
  });
  expect((await app.trail(id)).map((line) => line.command)).toEqual(['finding.create', 'finding.resolve']);
});

describe('a finding is not opened', () => {
  test.each([
    ['by an auditor', 'auditor', {}, 'FORBIDDEN'],
    ['for an owner who is not here', 'validator', { ownerId: crypto.randomUUID() }, 'INVALID_INPUT'],
    ['due in the past', 'validator', { dueAt: '2020-01-01T00:00:00Z' }, 'INVALID_INPUT'],
    ['without a title', 'validator', { title: ' ' }, 'INVALID_INPUT'],
    ['about something of nowhere', 'validator', { subjectId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['about a version that is a model', 'validator', { subjectKind: 'modelVersion' }, 'NOT_FOUND'],
  ] as const)('%s', async (_, role, change, code) => {
    const input = { ...(await newFinding()), ...change };

    expect((await app.graphql(await app.actor(role), CREATE, { input })).code).toBe(code);
  });
});

test('a finding is resolved once, and not by the engineer it belongs to', async () => {
  const id = await givenFinding();
  const input = { findingId: id, resolution: 'Retrained' };

  const own = await app.graphql(await app.actor('engineer'), RESOLVE, { input });
  const first = await app.graphql(await app.actor('validator'), RESOLVE, { input });
  const second = await app.graphql(await app.actor('validator'), RESOLVE, { input });

  expect([own.code, first.code, second.code]).toEqual(['FORBIDDEN', undefined, 'CONFLICT']);
});

test('findings are listed by state and by what they are about, a page at a time', async () => {
  const input = await newFinding();
  const validator = await app.actor('validator');
  for (const title of ['one', 'two', 'three'])
    await app.graphql(validator, CREATE, { input: { ...input, title } });
  const LIST = `query ($id: ID!, $after: String) { findings(state: OPEN, subjectKind: model, subjectId: $id, first: 2, after: $after) {
    nodes { title } pageInfo { endCursor hasNextPage } } }`;
  interface Listed {
    findings: { nodes: { title: string }[]; pageInfo: { endCursor: string; hasNextPage: boolean } };
  }

  const first = await app.graphql<Listed>(validator, LIST, { id: input.subjectId });
  const after = first.data?.findings.pageInfo.endCursor;
  const second = await app.graphql<Listed>(validator, LIST, { id: input.subjectId, after });

  expect(first.data?.findings.nodes.map((one) => one.title)).toEqual(['three', 'two']);
  expect(first.data?.findings.pageInfo.hasNextPage).toBe(true);
  expect(second.data?.findings.nodes.map((one) => one.title)).toEqual(['one']);
});
