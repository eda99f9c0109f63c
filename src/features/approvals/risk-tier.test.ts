import { beforeAll, describe, expect, test } from 'vitest';
import { champion, decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { givenAssessment } from '../../testing/given-risk.js';
import { givenUseCase } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { updateUseCase } from '../usecases/index.js';
import { requestRiskTier } from './approvals.commands/request-risk-tier.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const REQUEST = `mutation ($input: ChangeRequestCreateForRiskTierInput!) { requestRiskTier(input: $input) { id } }`;
const CHANGE = `query ($id: ID!) { changeRequest(id: $id) { kind title state manifest { name value } approvals { valid voidReason } } }`;

/** A use case of tier HIGH whose owner answered that it is harmless, and the request that follows. */
const givenTierRequest = async (): Promise<{ useCaseId: string; assessmentId: string; id: string }> => {
  const useCaseId = await givenUseCase(app);
  const { id: assessmentId } = await givenAssessment(app, await app.actor('owner'), useCaseId);
  const input = { assessmentId, reason: 'It harms nobody' };
  const { data } = await app.graphql<{ requestRiskTier: { id: string } }>(
    await app.actor('engineer'),
    REQUEST,
    { input },
  );
  return { useCaseId, assessmentId, id: data?.requestRiskTier.id ?? '' };
};

const tierOf = async (id: string): Promise<unknown> => {
  const { data } = await app.graphql(
    await app.actor('auditor'),
    `query ($id: ID!) { useCase(id: $id) { riskTier } }`,
    { id },
  );
  return data?.['useCase'];
};

const change = async (id: string) =>
  (
    await app.graphql<{
      changeRequest: {
        kind: string;
        title: string;
        state: string;
        manifest: { name: string; value: unknown }[];
        approvals: { valid: boolean; voidReason: string | null }[];
      };
    }>(await app.actor('auditor'), CHANGE, { id })
  ).data?.changeRequest;

test('a tier falls when those approved who did not give the answers, and the trail says so', async () => {
  const { useCaseId, assessmentId, id } = await givenTierRequest();
  const compliance = await app.actor('compliance');

  await decide(app, await app.actor('validator'), id);
  const before = await tierOf(useCaseId);
  const { state } = await decide(app, compliance, id);

  expect(before).toEqual({ riskTier: 'HIGH' });
  expect(state).toBe('EXECUTED');
  expect(await tierOf(useCaseId)).toEqual({ riskTier: 'LOW' });
  const request = await change(id);
  expect(request).toMatchObject({
    kind: 'RISK_TIER',
    title: 'Change the risk tier of Income verification from HIGH to LOW',
  });
  expect(request?.manifest).toEqual(
    expect.arrayContaining([
      { name: 'riskTier.from', value: 'HIGH' },
      { name: 'riskTier.to', value: 'LOW' },
      { name: 'assessment', value: { id: assessmentId, number: 1, sha256: expect.any(String) as string } },
    ]),
  );
  expect(await app.trail(useCaseId)).toContainEqual({
    command: 'changeRequest.decide',
    outcome: 'done',
    actorId: compliance.id,
  });
});

test('whoever gave the answers, and whoever owns the use case, does not approve', async () => {
  const useCaseId = await givenUseCase(app);
  const assessor = await app.actor('compliance', { name: 'assessor' });
  const { id: assessmentId } = await givenAssessment(app, assessor, useCaseId);
  const { id } = await app.run(requestRiskTier, await app.actor('engineer'), { assessmentId, reason: 'So' });
  const ruling = await app.actor('owner', { name: 'ruling', roles: ['owner', 'validator'] });
  await app.run(updateUseCase, await app.actor('owner'), { useCaseId, ownerId: ruling.id });

  await expect(decide(app, assessor, id)).rejects.toMatchObject({
    details: { rule: 'separation-of-duties' },
  });
  await expect(decide(app, ruling, id)).rejects.toMatchObject({ details: { rule: 'excluded-by-policy' } });
});

test('a new assessment voids the approvals of the request about the old one, and it is not carried out', async () => {
  const { useCaseId, id } = await givenTierRequest();
  await decide(app, await app.actor('validator'), id);
  await givenAssessment(app, await app.actor('owner'), useCaseId, { people: ['hundreds'] });
  await app.drainJobs();

  const request = await change(id);
  expect(request?.approvals).toEqual([
    { valid: false, voidReason: expect.stringContaining('assessment.current') as string },
  ]);
  await decide(app, await app.actor('validator'), id);
  const { state } = await decide(app, await app.actor('compliance'), id);
  expect(state).toBe('OPEN');
  expect(await tierOf(useCaseId)).toEqual({ riskTier: 'HIGH' });
});

test('another tier takes the ground from under approvals in its use case', async () => {
  const given = await givenPromotable(app);
  const { id: assessmentId } = await givenAssessment(app, given.owner, given.useCaseId);
  const promotion = await givenRequest(app, given);
  await decide(app, given.validator, promotion);
  const { id } = await app.run(requestRiskTier, given.engineer, { assessmentId, reason: 'Harmless' });

  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  await app.drainJobs();

  expect((await change(promotion))?.approvals).toEqual([
    { valid: false, voidReason: expect.stringContaining('useCase.riskTier') as string },
  ]);
  expect(await champion(app, given.modelId)).toBeUndefined();
});

test('while a decision and a new assessment come at the same instant, the tier is one that was approved', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { useCaseId, id } = await givenTierRequest();
    await decide(app, await app.actor('validator'), id);
    const owner = await app.actor('owner');
    const [decided] = await Promise.allSettled([
      decide(app, await app.actor('compliance'), id),
      givenAssessment(app, owner, useCaseId, { people: ['hundreds'] }),
    ]);
    const executed = decided.status === 'fulfilled' && decided.value.state === 'EXECUTED';
    expect(await tierOf(useCaseId)).toEqual({ riskTier: executed ? 'LOW' : 'HIGH' });
  }
});

describe('a tier is not asked for', () => {
  test('by an auditor', async () => {
    const { assessmentId } = await givenTierRequest();
    const input = { assessmentId, reason: 'So' };
    expect((await app.graphql(await app.actor('auditor'), REQUEST, { input })).code).toBe('FORBIDDEN');
  });

  test('twice at a time', async () => {
    const { assessmentId } = await givenTierRequest();
    const input = { assessmentId, reason: 'So' };
    const { errors } = await app.graphql(await app.actor('engineer'), REQUEST, { input });
    expect(errors[0]?.extensions?.['details']).toMatchObject({ rule: 'one-open-request' });
  });

  test.each([
    ['when it is the present one', { legal: ['annex-iii-5'] }, false, 'nothing-to-change'],
    ['from an assessment that is not the current one', {}, true, 'assessment-superseded'],
  ] as const)('%s', async (_, answers, again, rule) => {
    const useCaseId = await givenUseCase(app);
    const owner = await app.actor('owner');
    const { id: assessmentId } = await givenAssessment(app, owner, useCaseId, answers);
    if (again) await givenAssessment(app, owner, useCaseId, answers);
    const asked = app.run(requestRiskTier, await app.actor('engineer'), { assessmentId, reason: 'So' });
    await expect(asked).rejects.toMatchObject({ details: { rule } });
  });

  test('from an assessment of nowhere', async () => {
    const input = { assessmentId: crypto.randomUUID(), reason: 'So' };
    expect((await app.graphql(await app.actor('engineer'), REQUEST, { input })).code).toBe('NOT_FOUND');
  });
});
