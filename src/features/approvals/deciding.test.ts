import { beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../kernel/actor.js';
import { runStatement } from '../../testing/databases.js';
import {
  champion,
  decide,
  givenChampion,
  givenEvidence,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { givenCard } from '../../testing/given-change.js';
import { affectedRequests } from './approvals.queries/affected.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const DECIDE = `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { id state } }`;
const WITHDRAW = `mutation ($input: ChangeRequestWithdrawInput!) { withdrawChange(input: $input) { id } }`;
const WITHDRAW_DECISION = `mutation ($input: ChangeRequestWithdrawDecisionInput!) { withdrawDecision(input: $input) { id } }`;
const CAN = `query ($id: ID!) { changeRequest(id: $id) { state closeReason viewerCan } }`;

interface Can {
  changeRequest: { state: string; closeReason: string | null; viewerCan: string[] };
}

const look = async (actor: Actor, id: string): Promise<Can['changeRequest'] | undefined> =>
  (await app.graphql<Can>(actor, CAN, { id })).data?.changeRequest;

const approval = (changeRequestId: string, extra: object = {}) => ({
  input: { changeRequestId, verdict: 'APPROVE', reason: 'I looked at it', ...extra },
});

describe('an approval is refused, nothing changes, and the trail keeps the attempt', () => {
  const cases: [string, (given: Given) => Promise<Actor>, string, string][] = [
    ['of who asked', (given) => Promise.resolve(given.engineer), 'FORBIDDEN', 'requester'],
    [
      'of who asked, with every role there is',
      (given) =>
        Promise.resolve({
          ...given.engineer,
          roles: ['engineer', 'validator', 'compliance', 'administrator'],
        }),
      'FORBIDDEN',
      'requester',
    ],
    ['of an administrator', () => app.actor('administrator'), 'FORBIDDEN', 'role-not-asked'],
    ['of an owner', (given) => Promise.resolve(given.owner), 'FORBIDDEN', 'role-not-asked'],
    ['of an auditor', () => app.actor('auditor'), 'FORBIDDEN', 'permission'],
    ['of a service account', () => Promise.resolve(app.service()), 'FORBIDDEN', 'permission'],
    [
      'of a service account with the roles of a validator and an administrator',
      () => Promise.resolve({ ...app.service(), roles: ['validator', 'compliance', 'administrator'] }),
      'FORBIDDEN',
      'service-account',
    ],
    [
      'of a job',
      () => Promise.resolve(app.system('job:approvals.refreshRequests')),
      'FORBIDDEN',
      'permission',
    ],
  ];
  test.each(cases)('%s', async (_, who, code, rule) => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    const actor = await who(given);

    const answer = await app.graphql(actor, DECIDE, approval(id));

    expect(answer.code).toBe(code);
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule });
    expect((await app.trail(id)).at(-1)).toEqual({
      command: 'changeRequest.decide',
      outcome: 'refused',
      actorId: actor.id,
    });
    expect(await champion(app, given.modelId)).toBeUndefined();
  });

  test('of a validator who made the version together with the requester, administrator or not', async () => {
    const given = await givenPromotable(app);
    const maker = await app.actor('engineer', {
      name: 'maker',
      roles: ['engineer', 'validator', 'administrator'],
    });
    const versionId = await givenNextVersion(app, maker, given.modelId);
    const id = await givenRequest(app, given, versionId);

    const answer = await app.graphql(maker, DECIDE, approval(id));

    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'separation-of-duties' });
    expect((await look(maker, id))?.viewerCan).toEqual([]);
  });

  test.each([
    ['an unknown verdict', { verdict: 'MAYBE' }, 'INVALID_INPUT'],
    ['no reason', { reason: ' ' }, 'INVALID_INPUT'],
    ['a manifest that is no digest', { manifestSha256: 'abc' }, 'INVALID_INPUT'],
    [
      'a condition that is due in the past',
      { conditions: [{ title: 't', dueAt: '2020-01-01T00:00:00Z' }] },
      'INVALID_INPUT',
    ],
    [
      'a condition on a rejection',
      { verdict: 'REJECT', conditions: [{ title: 't', dueAt: '2100-01-01T00:00:00Z' }] },
      'INVALID_INPUT',
    ],
    ['a request of nowhere', { changeRequestId: crypto.randomUUID() }, 'NOT_FOUND'],
  ])('with %s', async (_, extra, code) => {
    const given = await givenPromotable(app, { bare: true });
    const id = await givenRequest(app, given);

    expect((await app.graphql(given.validator, DECIDE, approval(id, extra))).code).toBe(code);
    expect((await look(given.validator, id))?.viewerCan).toContain('approve');
  });
});

test('a rejection closes the request with its reason', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);

  const answer = await app.graphql(
    given.compliance,
    DECIDE,
    approval(id, { verdict: 'REJECT', reason: 'not fair enough' }),
  );
  const late = await app.graphql(given.compliance, DECIDE, approval(id));

  expect(answer.data).toMatchObject({ decideChange: { state: 'REJECTED' } });
  expect(await look(given.validator, id)).toEqual({
    state: 'REJECTED',
    closeReason: 'not fair enough',
    viewerCan: [],
  });
  expect(late.code).toBe('CONFLICT');
  expect(await champion(app, given.modelId)).toBeUndefined();
});

test('who asks for changes holds the request up until they take it back', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const second = await app.actor('validator', { name: 'second' });
  await decide(app, second, id, 'REQUEST_CHANGES');
  await decide(app, given.validator, id);
  const held = await decide(app, given.compliance, id);
  const others = await app.graphql(given.owner, WITHDRAW_DECISION, {
    input: { changeRequestId: id, reason: 'r' },
  });

  await app.graphql(second, WITHDRAW_DECISION, { input: { changeRequestId: id, reason: 'it is settled' } });
  const EXECUTE = `mutation ($input: ChangeRequestExecuteInput!) { executeChange(input: $input) { id } }`;
  expect((await look(given.engineer, id))?.viewerCan).toEqual(['withdraw', 'execute']);
  await app.graphql(given.engineer, EXECUTE, { input: { changeRequestId: id } });

  expect(held.state).toBe('OPEN');
  expect(others.code).toBe('CONFLICT');
  expect((await look(given.engineer, id))?.state).toBe('EXECUTED');
});

test('a request for changes is dismissed when what it was about changes', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id, 'REQUEST_CHANGES');

  await givenCard(app, given, 'as the validator wished');
  await app.drainJobs();

  expect((await look(given.validator, id))?.viewerCan).toContain('approve');
});

test('only who asked takes a request back', async () => {
  const given = await givenPromotable(app, { bare: true });
  const id = await givenRequest(app, given);

  const other = await app.graphql(given.validator, WITHDRAW, { input: { changeRequestId: id, reason: 'r' } });
  const own = await app.graphql(given.engineer, WITHDRAW, {
    input: { changeRequestId: id, reason: 'a better one comes' },
  });

  expect(other.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'not-requester' });
  expect(own.code).toBeUndefined();
  expect((await look(given.engineer, id))?.state).toBe('WITHDRAWN');
});

test('an approver who lost the role before the last approval does not count', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  const leaving = await app.actor('validator', { name: 'leaving' });
  await decide(app, leaving, id);
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test takes a role away');
     update member set roles = '{}', roles_by_rule = '{}' where user_id = '${leaving.id}'`,
  );

  expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
  expect((await decide(app, given.validator, id)).state).toBe('EXECUTED');
});

test('a champion gives way to the next one, and its request says what it replaced', async () => {
  const given = await givenPromotable(app);
  await givenChampion(app, given);
  const versionId = await givenNextVersion(app, given.engineer, given.modelId);
  const next = { ...given, versionId };
  await givenCard(app, next);
  await givenEvidence(app, next, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });

  const id = await givenChampion(app, next);

  const { data } = await app.graphql(
    given.validator,
    `query ($id: ID!) { changeRequest(id: $id) { state fromVersion version } }`,
    { id },
  );
  expect(data).toEqual({ changeRequest: { state: 'EXECUTED', fromVersion: 1, version: 2 } });
  expect(await champion(app, given.modelId)).toBe(versionId);
});

test('new evidence of a version touches the open requests about that version, and no others', async () => {
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  await givenRequest(app, await givenPromotable(app));
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const [evidence] = await app.db.transact('app_reader', session, (db) =>
    db.sql<{ id: string }>('select id from evidence where version_id = $1 limit 1', [given.versionId]),
  );
  const subjects = [{ kind: 'evidence', id: evidence?.id ?? '' }];

  const ids = await app.ask(affectedRequests, app.system('job:approvals.refreshRequests'), {
    subjects,
    after: null,
    first: 50,
  });

  expect(ids).toEqual([id]);
});

test('a check of a promotion says when the alias is free to set', async () => {
  const given = await givenPromotable(app, { bare: true });

  const answer = await app.graphql(
    given.engineer,
    `query ($versionId: ID!, $useCaseId: ID!) { promotionCheck(versionId: $versionId, alias: "shadow", useCaseId: $useCaseId) { allowed } }`,
    { versionId: given.versionId, useCaseId: given.useCaseId },
  );

  expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
    rule: 'not-protected',
    next: 'setAlias',
  });
});
