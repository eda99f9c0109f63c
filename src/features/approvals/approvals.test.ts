import { beforeAll, describe, expect, test } from 'vitest';
import type { Role } from '../../kernel/actor.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { setAlias } from '../registry/index.js';
import {
  champion,
  decide,
  givenCard,
  givenEvidence,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const REQUEST = `mutation ($input: ChangeRequestCreateInput!) { requestPromotion(input: $input) { id } }`;
const DECIDE = `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { id state findingIds } }`;
const READ = `query ($id: ID!) { changeRequest(id: $id) {
  number state title fromVersion version manifestSha256 manifest { name value } viewerCan closeReason executedAt
  approvals { verdict role byName valid voidReason conditions { title findingId } }
  standing { ready manifestSha256 differences { entry from to voids }
    requirements { rule state message evidenceId roles people { name } } } } }`;

interface ReadAnswer {
  changeRequest: {
    number: number;
    state: string;
    manifestSha256: string;
    manifest: { name: string; value: unknown }[];
    viewerCan: string[];
    approvals: { verdict: string; role: string; byName: string; valid: boolean; voidReason: string | null }[];
    standing: {
      ready: boolean;
      manifestSha256: string;
      differences: { entry: string; voids: boolean }[];
      requirements: { rule: string; state: string; roles: string[]; people: { name: string }[] }[];
    };
  };
}

const read = async (given: Given, id: string): Promise<ReadAnswer['changeRequest']> => {
  const { data, errors } = await app.graphql<ReadAnswer>(given.validator, READ, { id });
  expect(errors).toEqual([]);
  if (!data) throw new Error('no answer');
  return data.changeRequest;
};

const ruleOf = (answer: { errors: readonly { extensions?: Record<string, unknown> }[] }): unknown => {
  const details = answer.errors[0]?.extensions?.['details'];
  return typeof details === 'object' && details !== null && 'rule' in details ? details.rule : undefined;
};

test('a version becomes champion once a validator and compliance have approved, and the trail says so', async () => {
  const given = await givenPromotable(app);
  const input = {
    versionId: given.versionId,
    alias: 'champion',
    useCaseId: given.useCaseId,
    reason: 'It is better',
  };
  const asked = await app.graphql<{ requestPromotion: { id: string } }>(given.engineer, REQUEST, { input });
  const id = asked.data?.requestPromotion.id ?? '';

  const one = await app.graphql(given.validator, DECIDE, {
    input: { changeRequestId: id, verdict: 'APPROVE', reason: 'sound' },
  });
  const before = await champion(app, given.modelId);
  const two = await app.graphql(given.compliance, DECIDE, {
    input: { changeRequestId: id, verdict: 'APPROVE', reason: 'fair' },
  });

  expect(one.data).toMatchObject({ decideChange: { state: 'OPEN' } });
  expect(before).toBeUndefined();
  expect(two.data).toMatchObject({ decideChange: { state: 'EXECUTED' } });
  expect(await champion(app, given.modelId)).toBe(given.versionId);
  expect((await app.trail(id)).map(({ command, outcome, actorId }) => [command, outcome, actorId])).toEqual([
    ['changeRequest.create', 'done', given.engineer.id],
    ['changeRequest.decide', 'done', given.validator.id],
    ['changeRequest.decide', 'done', given.compliance.id],
    ['changeRequest.decide', 'done', given.compliance.id],
  ]);
  const shown = await read(given, id);
  expect(shown.state).toBe('EXECUTED');
  expect(shown.viewerCan).toEqual([]);
  expect(shown.manifest.map((entry) => entry.name)).toEqual(
    expect.arrayContaining([
      'card.intendedUse',
      'evidence.FAIRNESS',
      'policy',
      'useCase.riskTier',
      'version.from',
      'version.to',
    ]),
  );
});

describe('champion cannot be asked for', () => {
  const cases: [string, Role, (given: Given) => object, string, string | undefined][] = [
    ['by an auditor', 'auditor', () => ({}), 'FORBIDDEN', 'permission'],
    ['without a reason', 'engineer', () => ({ reason: ' ' }), 'INVALID_INPUT', undefined],
    [
      'for a version of nowhere',
      'engineer',
      () => ({ versionId: crypto.randomUUID() }),
      'NOT_FOUND',
      undefined,
    ],
    [
      'for a use case of nowhere',
      'engineer',
      () => ({ useCaseId: crypto.randomUUID() }),
      'NOT_FOUND',
      undefined,
    ],
    [
      'under a name that is not protected',
      'engineer',
      () => ({ alias: 'shadow' }),
      'PRECONDITION_FAILED',
      'not-protected',
    ],
  ];
  test.each(cases)('%s', async (_, role, change, code, rule) => {
    const given = await givenPromotable(app, { bare: true });
    const input = {
      versionId: given.versionId,
      alias: 'champion',
      useCaseId: given.useCaseId,
      reason: 'r',
      ...change(given),
    };

    const answer = await app.graphql(await app.actor(role), REQUEST, { input });

    expect(answer.code).toBe(code);
    expect(ruleOf(answer)).toBe(rule);
  });

  test('twice at a time; the refusal points to the open request', async () => {
    const given = await givenPromotable(app, { bare: true });
    const id = await givenRequest(app, given);
    const input = { versionId: given.versionId, alias: 'Champion', useCaseId: given.useCaseId, reason: 'r' };

    const answer = await app.graphql(given.engineer, REQUEST, { input });

    expect(answer.code).toBe('CONFLICT');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      rule: 'one-open-request',
      changeRequestId: id,
    });
  });

  test('by a machine, whatever it may', async () => {
    const given = await givenPromotable(app, { bare: true });
    const input = { versionId: given.versionId, alias: 'champion', useCaseId: given.useCaseId, reason: 'r' };

    const answer = await app.graphql({ ...app.service(), roles: ['engineer'] }, REQUEST, { input });

    expect(answer.code).toBe('FORBIDDEN');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'service-account' });
  });
});

test('a conditional approval opens a finding for who asked, with its date', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const dueAt = new Date(app.clock.now().getTime() + 86_400_000).toISOString();
  const conditions = [{ title: 'Watch recall of small groups', dueAt, severity: 'HIGH' }];

  const answer = await app.graphql<{ decideChange: { findingIds: string[] } }>(given.validator, DECIDE, {
    input: { changeRequestId: id, verdict: 'APPROVE', reason: 'with care', conditions },
  });
  const { data } = await app.graphql(
    given.engineer,
    `query ($id: ID!) { findings(changeRequestId: $id) { nodes { id title severity state ownerId overdue } } }`,
    { id },
  );

  const [findingId] = answer.data?.decideChange.findingIds ?? [];
  expect(data).toMatchObject({
    findings: {
      nodes: [
        {
          id: findingId,
          title: conditions[0]?.title,
          severity: 'HIGH',
          ownerId: given.engineer.id,
          overdue: false,
        },
      ],
    },
  });
  expect(await app.trail(findingId ?? '')).toMatchObject([
    { command: 'changeRequest.decide', outcome: 'done' },
  ]);
});

test('requirements that are open block the change and name who can move them; it is executed once they are met', async () => {
  const given = await givenPromotable(app, { bare: true });
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);
  const blocked = await decide(app, given.compliance, id);
  const standing = (await read(given, id)).standing;

  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  const EXECUTE = `mutation ($input: ChangeRequestExecuteInput!) { executeChange(input: $input) { id } }`;
  const early = await app.graphql(given.engineer, EXECUTE, { input: { changeRequestId: id } });
  await givenCard(app, given);
  await app.drainJobs();
  await decide(app, given.validator, id);
  const done = await decide(app, given.compliance, id);

  expect(blocked.state).toBe('OPEN');
  expect(standing.ready).toBe(false);
  expect(standing.requirements).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ rule: 'version-ready', state: 'PASS' }),
      expect.objectContaining({
        rule: 'evidence.FAIRNESS',
        state: 'MISSING',
        roles: ['engineer', 'validator'],
      }),
      expect.objectContaining({ rule: 'card.intendedUse', state: 'MISSING' }),
      expect.objectContaining({ rule: 'approvals.validator', state: 'PASS' }),
    ]),
  );
  expect(early.code).toBe('PRECONDITION_FAILED');
  expect(ruleOf(early)).toBe('card.intendedUse');
  expect(done.state).toBe('EXECUTED');
});

test('a change whose approvals were complete first is carried out by executeChange when the evidence has come', async () => {
  const given = await givenPromotable(app, { bare: true });
  await givenCard(app, given);
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });

  const EXECUTE = `mutation ($input: ChangeRequestExecuteInput!) { executeChange(input: $input) { id } }`;
  const answer = await app.graphql(given.engineer, EXECUTE, { input: { changeRequestId: id } });
  const again = await app.graphql(given.engineer, EXECUTE, { input: { changeRequestId: id } });

  expect(answer.code).toBeUndefined();
  expect(await champion(app, given.modelId)).toBe(given.versionId);
  expect(again.code).toBe('CONFLICT');
});

test('evidence that is past its date blocks', async () => {
  const given = await givenPromotable(app, { bare: true });
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' }, -1000);

  const { data } = await app.graphql<{ promotionCheck: { allowed: boolean; requirements: object[] } }>(
    given.engineer,
    `query ($versionId: ID!, $useCaseId: ID!) { promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) {
       allowed rules openChangeRequestId requirements { rule state roles people { name } } } }`,
    { versionId: given.versionId, useCaseId: given.useCaseId },
  );

  expect(data?.promotionCheck).toMatchObject({
    allowed: false,
    rules: ['champion'],
    openChangeRequestId: null,
  });
  expect(data?.promotionCheck.requirements).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ rule: 'evidence.FAIRNESS', state: 'STALE' }),
      expect.objectContaining({
        rule: 'approvals.validator',
        state: 'WAITING',
        people: [{ name: 'validator' }],
      }),
    ]),
  );
});

test('a request ends by itself when nobody completes it, and the next one may be opened', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);

  app.clock.advance(31 * 86_400_000);
  const late = await app.graphql(given.validator, DECIDE, {
    input: { changeRequestId: id, verdict: 'APPROVE', reason: 'ok' },
  });
  await app.drainJobs();

  expect(ruleOf(late)).toBe('expired');
  expect((await read(given, id)).state).toBe('EXPIRED');
  expect(await givenRequest(app, given)).not.toBe(id);
});

test('protected aliases cannot be set past a request', async () => {
  const given = await givenPromotable(app);

  const set = app.run(setAlias, given.engineer, {
    modelId: given.modelId,
    name: 'champion',
    versionId: given.versionId,
  });

  await expect(set).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
    details: { rule: 'protected-alias' },
  });
});

test('requests are numbered in a workspace, listed by state, and not seen from another', async () => {
  const given = await givenPromotable(app, { bare: true });
  const id = await givenRequest(app, given);
  const stranger = await app.actor('validator', {
    name: 'stranger',
    workspaceId: await app.otherWorkspace(),
  });
  const LIST = `{ changeRequests(state: OPEN, first: 1) { nodes { id number viewerCan } pageInfo { hasNextPage } } }`;

  const { data } = await app.graphql(given.validator, LIST);
  const theirs = await app.graphql(stranger, LIST);
  const decided = await app.graphql(stranger, DECIDE, {
    input: { changeRequestId: id, verdict: 'APPROVE', reason: 'ok' },
  });

  expect(data).toMatchObject({
    changeRequests: { nodes: [{ id, viewerCan: ['approve', 'reject', 'requestChanges'] }] },
  });
  expect(theirs.data).toMatchObject({ changeRequests: { nodes: [] } });
  expect(decided.code).toBe('NOT_FOUND');
});
