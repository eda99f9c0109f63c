import { beforeAll, describe, expect, test } from 'vitest';
import { freshName, givenUseCase } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const CREATE = `mutation ($input: UseCaseCreateInput!) { createUseCase(input: $input) { id } }`;
const UPDATE = `mutation ($input: UseCaseUpdateInput!) { updateUseCase(input: $input) { id } }`;
const READ = `query ($id: ID!) { useCase(id: $id) { slug riskTier ownerId ownerName purpose } }`;

const described = () => ({
  slug: freshName('routing'),
  name: 'Routing',
  purpose: 'Routes the verification of incomes',
  peopleAffected: 'Applicants for credit',
  riskTier: 'HIGH',
});

test('whoever describes a use case owns it, and the trail says what was said', async () => {
  const engineer = await app.actor('engineer');
  const input = described();

  const { data } = await app.graphql<{ createUseCase: { id: string } }>(engineer, CREATE, { input });
  const id = data?.createUseCase.id ?? '';

  const read = await app.graphql(await app.actor('auditor'), READ, { id });
  expect(read.data).toEqual({
    useCase: {
      slug: input.slug,
      riskTier: 'HIGH',
      ownerId: engineer.id,
      ownerName: 'engineer',
      purpose: input.purpose,
    },
  });
  expect(await app.trail(id)).toEqual([{ command: 'useCase.create', outcome: 'done', actorId: engineer.id }]);
});

test('its owner role hands it over to a colleague, and does not write its tier', async () => {
  const owner = await app.actor('owner');
  const colleague = await app.actor('compliance');
  const id = await givenUseCase(app);

  await app.graphql(owner, UPDATE, { input: { useCaseId: id, riskTier: 'HIGH', ownerId: colleague.id } });
  const lower = await app.graphql(owner, UPDATE, { input: { useCaseId: id, riskTier: 'MEDIUM' } });

  const { data } = await app.graphql(owner, READ, { id });
  expect(lower.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'risk-tier-by-request' });
  expect(data).toMatchObject({ useCase: { riskTier: 'HIGH', ownerId: colleague.id } });
});

describe('a use case is not created', () => {
  test.each([
    ['by an auditor', 'auditor', {}, 'FORBIDDEN'],
    ['with a slug that is no slug', 'engineer', { slug: 'Not A Slug' }, 'INVALID_INPUT'],
    ['with an unknown tier', 'engineer', { riskTier: 'NONE' }, 'INVALID_INPUT'],
    ['without a purpose', 'engineer', { purpose: ' ' }, 'INVALID_INPUT'],
    [
      'for an owner who is not of the workspace',
      'engineer',
      { ownerId: crypto.randomUUID() },
      'INVALID_INPUT',
    ],
  ] as const)('%s', async (_, role, fault, code) => {
    const answer = await app.graphql(await app.actor(role), CREATE, { input: { ...described(), ...fault } });

    expect(answer.errors.length).toBeGreaterThan(0);
    if (!('riskTier' in fault)) expect(answer.code).toBe(code);
  });

  test('under a name that is taken', async () => {
    const engineer = await app.actor('engineer');
    const input = described();
    await app.graphql(engineer, CREATE, { input });

    expect((await app.graphql(engineer, CREATE, { input })).code).toBe('CONFLICT');
  });
});

test('another workspace neither sees nor changes it', async () => {
  const workspaceId = await app.otherWorkspace();
  const stranger = await app.actor('owner', { name: 'stranger', workspaceId });
  const id = await givenUseCase(app);

  expect((await app.graphql(stranger, READ, { id })).code).toBe('NOT_FOUND');
  expect((await app.graphql(stranger, UPDATE, { input: { useCaseId: id, name: 'Mine' } })).code).toBe(
    'NOT_FOUND',
  );
});
