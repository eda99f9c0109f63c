import { beforeAll, describe, expect, test } from 'vitest';
import {
  decide,
  champion,
  givenPromotable,
  givenRequest,
  givenNextVersion,
} from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { reviewIncident } from '../incidents/incidents.commands.js';
import { renameModel } from '../registry/index.js';
import { breakGlass, executeChange } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const reason = 'The champion answers nonsense since noon, people are being refused';
const hour = 3_600_000;

const BREAK = `mutation ($input: ChangeRequestBreakGlassInput!) { breakGlass(input: $input) { id incidentId } }`;
const INCIDENT = `query ($id: ID!) { incident(id: $id) { state overdue verdict reviewDueAt changeRequestId } }`;

const broken = async (given: Awaited<ReturnType<typeof givenPromotable>>) => {
  const { versionId, useCaseId, owner } = given;
  const input = { versionId, useCaseId, alias: 'champion', reason };
  return app.run(breakGlass, owner, input);
};

test('in an emergency one person moves the alias at once; an incident demands a review by somebody else', async () => {
  const given = await givenPromotable(app, { bare: true });
  const open = await givenRequest(app, given);
  const { versionId, useCaseId } = given;
  const input = { versionId, useCaseId, alias: 'champion', reason };

  const { data, code } = await app.graphql<{ breakGlass: { id: string; incidentId: string } }>(
    given.owner,
    BREAK,
    { input },
  );
  const { id = '', incidentId = '' } = data?.breakGlass ?? {};
  const shown = await app.graphql(
    given.engineer,
    `query ($id: ID!, $open: ID!) { changeRequest(id: $id) { state breakGlassReason approvals { role } }
       other: changeRequest(id: $open) { state closeReason } }`,
    { id, open },
  );

  expect(code).toBeUndefined();
  expect(await champion(app, given.modelId)).toBe(versionId);
  expect(shown.data).toMatchObject({
    changeRequest: { state: 'EXECUTED', breakGlassReason: reason, approvals: [] },
    other: { state: 'WITHDRAWN' },
  });
  expect((await app.graphql(given.engineer, INCIDENT, { id: incidentId })).data).toMatchObject({
    incident: { state: 'OPEN', overdue: false, changeRequestId: id },
  });
  expect(await app.trail(incidentId)).toMatchObject([
    { command: 'changeRequest.breakGlass', outcome: 'done' },
  ]);
});

test('a review that is overdue blocks the next promotion of the model until it is done', async () => {
  const given = await givenPromotable(app);
  const { incidentId } = await broken(given);
  app.clock.advance(73 * hour);
  const versionId = await givenNextVersion(app, given.engineer, given.modelId);
  const next = await givenRequest(app, { ...given, versionId });

  const { data } = await app.graphql<{ promotionCheck: { requirements: object[] } }>(
    given.engineer,
    `query ($versionId: ID!, $useCaseId: ID!) { promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) {
       requirements { rule state mode roles } } }`,
    { versionId, useCaseId: given.useCaseId },
  );
  await expect(app.run(executeChange, given.engineer, { changeRequestId: next })).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
  });
  await app.run(reviewIncident, given.compliance, {
    incidentId,
    verdict: 'JUSTIFIED',
    review: 'Read the logs',
  });
  const after = await app.graphql<{ promotionCheck: { requirements: { rule: string }[] } }>(
    given.engineer,
    `query ($versionId: ID!, $useCaseId: ID!) { promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) {
       requirements { rule } } }`,
    { versionId, useCaseId: given.useCaseId },
  );

  expect(data?.promotionCheck.requirements).toContainEqual({
    rule: 'break-glass-review',
    state: 'FAIL',
    mode: 'ENFORCE',
    roles: ['validator', 'compliance', 'owner'],
  });
  expect(after.data?.promotionCheck.requirements.map((one) => one.rule)).not.toContain('break-glass-review');
});

test('what was not justified leaves a finding for whoever did it', async () => {
  const given = await givenPromotable(app, { bare: true });
  const { incidentId, id } = await broken(given);
  const REVIEW = `mutation ($input: IncidentReviewInput!) { reviewIncident(input: $input) { id } }`;
  const input = { incidentId, verdict: 'UNJUSTIFIED', review: 'A colleague could have approved' };

  const answer = await app.graphql(given.compliance, REVIEW, { input });
  const again = await app.graphql(given.compliance, REVIEW, { input });
  const { data } = await app.graphql(
    given.engineer,
    `query ($id: ID!) { findings(changeRequestId: $id) { nodes { severity ownerId state detail } }
       incidents(state: REVIEWED) { nodes { id verdict } } }`,
    { id },
  );

  expect(answer.code).toBeUndefined();
  expect(again.code).toBe('CONFLICT');
  expect(data).toMatchObject({
    findings: {
      nodes: [
        {
          ...{ severity: 'HIGH', ownerId: given.owner.id, state: 'OPEN' },
          detail: expect.stringMatching(/^A colleague could have approved\n\n.*revokeAttestation/s) as string,
        },
      ],
    },
    incidents: { nodes: expect.arrayContaining([{ id: incidentId, verdict: 'UNJUSTIFIED' }]) as unknown },
  });
});

describe('the review is refused', () => {
  test('to whoever broke the glass, to who had a hand in the version, and to who holds no right', async () => {
    const given = await givenPromotable(app, { bare: true });
    const { incidentId } = await broken(given);
    const input = { incidentId, verdict: 'JUSTIFIED', review: 'Fine' } as const;
    const maker = { ...given.engineer, roles: ['engineer', 'validator'] as const };

    await expect(app.run(reviewIncident, given.owner, input)).rejects.toMatchObject({
      details: { rule: 'requester' },
    });
    await expect(app.run(reviewIncident, maker, input)).rejects.toMatchObject({
      details: { rule: 'separation-of-duties' },
    });
    await expect(app.run(reviewIncident, given.engineer, input)).rejects.toMatchObject({
      details: { rule: 'permission' },
    });
  });
});

describe('the glass stays whole', () => {
  test.each([
    ['for an engineer', 'engineer', {}, 'FORBIDDEN'],
    ['without an emergency that is said', 'owner', { reason: 'now' }, 'INVALID_INPUT'],
    ['for a name that is not protected', 'owner', { alias: 'shadow' }, 'PRECONDITION_FAILED'],
    ['for a version of nowhere', 'owner', { versionId: crypto.randomUUID() }, 'NOT_FOUND'],
  ] as const)('%s', async (_, role, part, code) => {
    const given = await givenPromotable(app, { bare: true });
    const { versionId, useCaseId } = given;
    const input = { versionId, useCaseId, alias: 'champion', reason, ...part };

    await expect(app.run(breakGlass, await app.actor(role), input)).rejects.toMatchObject({ code });
    expect(await champion(app, given.modelId)).toBeUndefined();
  });

  test('for what is there already', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    await decide(app, given.compliance, id);

    await expect(broken(given)).rejects.toMatchObject({ details: { rule: 'nothing-to-change' } });
  });
});

test('the glass is broken whatever the name of the model, also one that is cut within a character', async () => {
  for (const shift of [0, 1]) {
    const given = await givenPromotable(app, { bare: true });
    const name = `${'x'.repeat(shift)}${'🦜'.repeat(99)}${String(shift)}`;
    await app.run(renameModel, given.engineer, { modelId: given.modelId, name });

    expect(await broken(given)).toMatchObject({ incidentId: expect.any(String) as string });
  }
});
