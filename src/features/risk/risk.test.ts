import { beforeAll, describe, expect, test } from 'vitest';
import { createUseCase } from '../usecases/index.js';
import { riskAnswers } from '../../testing/given-risk.js';
import { freshName, givenUseCase } from '../../testing/given-version.js';
import { runStatement } from '../../testing/databases.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const ASSESS = `mutation ($input: UseCaseAssessRiskInput!) { assessRisk(input: $input) { id number tier tierInForce effect } }`;
const READ = `query ($id: ID, $useCaseId: ID) { riskAssessment(id: $id, useCaseId: $useCaseId) { id number current tier
  tierInForce inherentScore residualScore questionnaireVersion outdated reasons { kind question text points }
  differences { entry from to } assessedByName mitigations { id how } } }`;
const LIST = `query ($useCaseId: ID!, $after: String) { riskAssessments(useCaseId: $useCaseId, first: 1, after: $after) {
  nodes { number current } pageInfo { hasNextPage endCursor } } }`;

interface Assessed {
  assessRisk: { id: string; number: number; tier: string; tierInForce: string; effect: string };
}

const useCaseOf = async (riskTier: 'LOW' | 'MEDIUM' | 'HIGH'): Promise<string> => {
  const input = { slug: freshName('risk'), name: 'Use', purpose: 'Routing', peopleAffected: 'Applicants' };
  return (await app.run(createUseCase, await app.actor('owner'), { ...input, riskTier })).id;
};

const assess = async (
  useCaseId: string,
  answers: Readonly<Record<string, readonly string[]>> = {},
  more: object = {},
): Promise<Assessed['assessRisk']> => {
  const input = { useCaseId, answers: riskAnswers(answers), ...more };
  const { data, errors } = await app.graphql<Assessed>(await app.actor('owner'), ASSESS, { input });
  if (!data) throw new Error(errors[0]?.message);
  return data.assessRisk;
};

const read = async (variables: { id?: string; useCaseId?: string }) =>
  (
    await app.graphql<{ riskAssessment: Record<string, unknown> }>(
      await app.actor('auditor'),
      READ,
      variables,
    )
  ).data?.riskAssessment;

test('the first assessment raises the tier by itself, says why, and leaves its trail', async () => {
  const useCaseId = await useCaseOf('LOW');
  const owner = await app.actor('owner');

  const assessed = await assess(useCaseId, { legal: ['annex-iii-5'] });

  expect(assessed).toMatchObject({ number: 1, tier: 'HIGH', tierInForce: 'HIGH', effect: 'SET' });
  expect(await read({ useCaseId })).toMatchObject({
    id: assessed.id,
    current: true,
    outdated: false,
    tierInForce: 'HIGH',
    differences: [],
    assessedByName: 'owner',
  });
  const entry = { command: 'useCase.assessRisk', outcome: 'done', actorId: owner.id };
  expect(await app.trail(assessed.id)).toEqual([entry]);
  expect(await app.trail(useCaseId)).toContainEqual(entry);
});

test('the first assessment does not lower the tier by itself', async () => {
  const useCaseId = await useCaseOf('HIGH');

  expect(await assess(useCaseId)).toMatchObject({
    tier: 'LOW',
    tierInForce: 'HIGH',
    effect: 'NEEDS_REQUEST',
  });
});

test('a later assessment sets no tier, not even a stricter one, and shows what is different', async () => {
  const useCaseId = await useCaseOf('LOW');
  await assess(useCaseId);
  const how = 'Whoever is unsure asks a colleague';

  const second = await assess(
    useCaseId,
    { harm: ['severe'], autonomy: ['decides-alone'] },
    { mitigations: [{ id: 'human-review', how }] },
  );

  expect(second).toMatchObject({ number: 2, tier: 'HIGH', tierInForce: 'LOW', effect: 'NEEDS_REQUEST' });
  const { differences } = (await read({ id: second.id })) ?? {};
  expect(differences).toEqual(
    expect.arrayContaining([
      { entry: 'answers.harm', from: ['none'], to: ['severe'] },
      { entry: 'answers.autonomy', from: ['informs'], to: ['decides-alone'] },
      { entry: 'mitigations.human-review', from: null, to: how },
      { entry: 'tier', from: 'LOW', to: 'HIGH' },
    ]),
  );
  const auditor = await app.actor('auditor');
  interface Page {
    riskAssessments: { nodes: object[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  }
  const first = (await app.graphql<Page>(auditor, LIST, { useCaseId })).data?.riskAssessments;
  const after = first?.pageInfo.endCursor;
  const next = (await app.graphql<Page>(auditor, LIST, { useCaseId, after })).data?.riskAssessments;
  expect([first?.nodes, next?.nodes, next?.pageInfo.hasNextPage]).toEqual([
    [{ number: 2, current: true }],
    [{ number: 1, current: false }],
    false,
  ]);
});

test('two people who assess one use case at the same instant make two assessments, of which one is current', async () => {
  const useCaseId = await useCaseOf('HIGH');

  const both = await Promise.all([assess(useCaseId), assess(useCaseId, { people: ['hundreds'] })]);

  expect(both.map((one) => one.number).sort()).toEqual([1, 2]);
  expect(await read({ useCaseId })).toMatchObject({ number: 2, current: true });
});

test('a prohibited practice is refused with its article, keeps nothing, and leaves a trace', async () => {
  const useCaseId = await useCaseOf('HIGH');
  const input = { useCaseId, answers: riskAnswers({ legal: ['art-5-1-c'] }) };

  const { errors } = await app.graphql(await app.actor('owner'), ASSESS, { input });

  expect(errors[0]?.extensions).toMatchObject({
    code: 'PRECONDITION_FAILED',
    details: { rule: 'prohibited-practice', article: 'Art. 5(1)(c)' },
  });
  expect(await read({ useCaseId })).toBeUndefined();
  expect((await app.trail(useCaseId)).at(-1)).toMatchObject({
    command: 'useCase.assessRisk',
    outcome: 'refused',
  });
});

test('nobody changes an assessment that was made, not even with the rights of a command', async () => {
  const { id } = await assess(await useCaseOf('HIGH'));
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };

  await expect(
    app.db.transact('app_writer', session, (tx) =>
      tx.sql(`update risk_assessment set tier = 'LOW' where id = $1`, [id]),
    ),
  ).rejects.toMatchObject({ code: '42501' });
});

test('a questionnaire that changed since is said', async () => {
  const { id } = await assess(await useCaseOf('HIGH'));
  await runStatement(
    app.databaseUrl,
    `select audited_repair('another questionnaire');
     update risk_assessment set questionnaire_sha256 = repeat('0', 64) where id = '${id}'`,
  );

  expect(await read({ id })).toMatchObject({ outdated: true });
});

describe('a use case is not assessed', () => {
  test.each([
    ['by an auditor', 'auditor', {}, 'FORBIDDEN'],
    ['by a validator, who is asked to approve', 'validator', {}, 'FORBIDDEN'],
    ['with a question left out', 'owner', { answers: riskAnswers().slice(1) }, 'INVALID_INPUT'],
    [
      'with a question answered twice',
      'owner',
      { answers: [...riskAnswers(), ...riskAnswers()] },
      'INVALID_INPUT',
    ],
    ['with an answer of nowhere', 'owner', { answers: riskAnswers({ harm: ['some'] }) }, 'INVALID_INPUT'],
    ['with a question of nowhere', 'owner', { answers: riskAnswers({ mood: ['good'] }) }, 'INVALID_INPUT'],
    [
      'with two answers where one is asked',
      'owner',
      { answers: riskAnswers({ harm: ['none', 'severe'] }) },
      'INVALID_INPUT',
    ],
    [
      'with a contradiction',
      'owner',
      { answers: riskAnswers({ legal: ['none', 'annex-iii-5'] }) },
      'INVALID_INPUT',
    ],
    [
      'with a mitigation of nowhere',
      'owner',
      { mitigations: [{ id: 'prayer', how: 'daily' }] },
      'INVALID_INPUT',
    ],
    [
      'with a mitigation that nobody describes',
      'owner',
      { mitigations: [{ id: 'stop', how: ' ' }] },
      'INVALID_INPUT',
    ],
    ['of nowhere', 'owner', { useCaseId: crypto.randomUUID() }, 'NOT_FOUND'],
  ] as const)('%s', async (_, role, change, code) => {
    const input = { useCaseId: await givenUseCase(app), answers: riskAnswers(), ...change };

    expect((await app.graphql(await app.actor(role), ASSESS, { input })).code).toBe(code);
  });
});
