import { beforeAll, expect, test } from 'vitest';
import { givenNextVersion, givenPromotable, givenRequest, decide } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { setAlias } from '../registry/index.js';
import { updateUseCase } from '../usecases/index.js';
import { proposePolicy, requestPromotion } from './index.js';
import { initialPolicy } from './policy-in-force.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

interface Shown {
  readonly alias: string;
  readonly approvals: readonly { byName: string | null; valid: boolean; voidReason: string | null }[];
}

const shownOf = async (id: string): Promise<Shown> => {
  const { data, errors } = await app.graphql<{ changeRequest: Shown }>(
    await app.actor('auditor'),
    `query ($id: ID!) { changeRequest(id: $id) { alias approvals { byName valid voidReason } } }`,
    { id },
  );
  expect(errors).toEqual([]);
  if (!data) throw new Error('no answer');
  return data.changeRequest;
};

test('an approval is void when the use case gets another owner, and the reason names both', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);

  await app.run(updateUseCase, given.owner, { useCaseId: given.useCaseId, ownerId: given.engineer.id });
  await app.drainJobs();

  const [approval] = (await shownOf(id)).approvals;
  expect(approval?.valid).toBe(false);
  expect(approval?.voidReason).toContain(
    `useCase.owner changed from ${given.owner.id} to ${given.engineer.id}`,
  );
});

test('an alias is meant however it is spelled, and keeps the spelling that the model has', async () => {
  const { engineer, modelId, versionId, useCaseId, ...people } = await givenPromotable(app);
  const ask = (alias: string, version: string): Promise<{ id: string }> =>
    app.run(requestPromotion, engineer, { versionId: version, alias, useCaseId, reason: 'Better' });
  const first = await ask('champion', versionId);
  await decide(app, people.validator, first.id);
  expect((await decide(app, people.compliance, first.id)).state).toBe('EXECUTED');

  const second = await ask('Champion', await givenNextVersion(app, engineer, modelId));

  expect((await shownOf(second.id)).alias).toBe('champion');
  await expect(ask('CHAMPION', versionId)).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(app.run(setAlias, engineer, { modelId, name: 'Champion', versionId })).rejects.toMatchObject({
    details: { rule: 'protected-alias' },
  });
});

const leave = async (userId: string): Promise<void> => {
  const administrator = await app.actor('administrator');
  const { data } = await app.graphql<{ members: { nodes: { id: string; userId: string }[] } }>(
    administrator,
    '{ members(first: 200) { nodes { id userId } } }',
  );
  const memberId = data?.members.nodes.find((member) => member.userId === userId)?.id;

  const removed = await app.graphql(
    administrator,
    `mutation ($input: MemberRemoveInput!) { removeMember(input: $input) { id } }`,
    { input: { memberId } },
  );

  expect(removed.errors).toEqual([]);
};

test('who decided keeps a name after leaving the workspace', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const leaving = await app.actor('validator', { name: 'Valery Leaving' });
  await decide(app, leaving, id);

  await leave(leaving.id);

  expect((await shownOf(id)).approvals).toMatchObject([{ byName: 'Valery Leaving' }]);
});

test('an approval of somebody who left counts no more, and whoever looks is told so before anybody decides', async () => {
  const given = await givenPromotable(app);
  const { versionId, useCaseId } = given;
  const id = await givenRequest(app, given);
  const leaving = await app.actor('validator', { name: 'Vera Leaving' });
  await decide(app, leaving, id);

  await leave(leaving.id);

  const requirements = 'requirements { rule message }';
  const { data, errors } = await app.graphql(
    await app.actor('auditor'),
    `query ($id: ID!, $versionId: ID!, $useCaseId: ID!) {
      changeRequest(id: $id) { standing { ${requirements} } }
      promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) { ${requirements} } }`,
    { id, versionId, useCaseId },
  );
  expect(errors).toEqual([]);
  const missing = { rule: 'approvals.validator', message: '0 of 1 approvals by validator' };
  const told = { requirements: expect.arrayContaining([missing]) as unknown };
  expect(data).toMatchObject({ changeRequest: { standing: told }, promotionCheck: told });
});

// Last: the policy changes for everybody here.
test('who owned the use case while the request was open does not decide where owners are excluded', async () => {
  const given = await givenPromotable(app);
  const { document } = initialPolicy('enforced');
  const rules = document.rules.map((rule) => ({ ...rule, excluded: ['use-case-owner' as const] }));
  const policy = await app.run(proposePolicy, given.engineer, {
    document: { ...document, rules },
    source: 'a test',
    reason: 'Owners do not judge their own',
  });
  await decide(app, given.validator, policy.id);
  expect((await decide(app, given.compliance, policy.id)).state).toBe('EXECUTED');
  const hand = (ownerId: string): Promise<unknown> =>
    app.run(updateUseCase, given.owner, { useCaseId: given.useCaseId, ownerId });
  await hand(given.validator.id);
  app.clock.advance(1000);
  const id = await givenRequest(app, given);
  app.clock.advance(1000);

  await hand(given.owner.id);

  await expect(decide(app, given.validator, id)).rejects.toMatchObject({
    code: 'FORBIDDEN',
    details: { rule: 'excluded-by-policy' },
    message: 'The policy lets nobody decide who owned the use case while the request was open',
  });
  expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
});
