import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createServiceAccount } from '../identity/index.js';
import { createModelVersion, submitModelVersion } from '../registry/index.js';
import { createDelegation, revokeDelegation } from './approvals.commands/delegation.js';
import { requestOrFind } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const day = 86_400_000;
const inDays = (days: number): Date => new Date(app.clock.now().getTime() + days * day);

let names = 0;
const stranger = async (): Promise<UserActor> => {
  names += 1;
  return app.actor('owner', { name: `stand-in-${String(names)}` });
};

const lend = async (from: UserActor, to: UserActor, role: 'validator' | 'compliance'): Promise<string> => {
  const input = { toUserId: to.id, role, endsAt: inDays(3), reason: 'On holiday' };
  return (await app.run(createDelegation, from, input)).id;
};

test('a lent role decides until its end, and the approval says by whose delegation', async () => {
  const given = await givenPromotable(app);
  const other = await stranger();
  const CREATE = `mutation ($input: DelegationCreateInput!) { createDelegation(input: $input) { id } }`;
  const input = { toUserId: other.id, role: 'validator', endsAt: inDays(3).toISOString(), reason: 'Holiday' };
  const lent = await app.graphql<{ createDelegation: { id: string } }>(given.validator, CREATE, { input });
  const id = await givenRequest(app, given);

  await decide(app, other, id);
  const { data } = await app.graphql(
    given.engineer,
    `query ($id: ID!) { changeRequest(id: $id) { approvals { role by delegatedBy valid } }
       delegations(active: true) { nodes { fromName toUserId role active } } }`,
    { id },
  );

  expect(data).toMatchObject({
    changeRequest: {
      approvals: [{ role: 'validator', by: other.id, delegatedBy: given.validator.id, valid: true }],
    },
    delegations: { nodes: [{ fromName: 'validator', toUserId: other.id, role: 'validator', active: true }] },
  });
  expect(await app.trail(lent.data?.createDelegation.id ?? '')).toMatchObject([
    { command: 'delegation.create', outcome: 'done', actorId: given.validator.id },
  ]);
  app.clock.advance(4 * day);
  // Given while it counted, it still counts; a date alone voids nothing.
  expect((await decide(app, given.compliance, id)).state).toBe('EXECUTED');
  const next = await givenPromotable(app);
  const late = decide(app, other, await givenRequest(app, next));
  await expect(late).rejects.toMatchObject({ details: { rule: 'role-not-asked' } });
});

test('one voice stays one voice: who lent the role does not decide beside it', async () => {
  const given = await givenPromotable(app);
  const other = await stranger();
  await lend(given.validator, other, 'validator');
  const id = await givenRequest(app, given);
  await decide(app, other, id);

  await expect(decide(app, given.validator, id)).rejects.toMatchObject({
    details: { rule: 'already-decided' },
  });
});

test('a role that is taken back voids what was decided under it', async () => {
  const given = await givenPromotable(app);
  const other = await stranger();
  const lent = await lend(given.validator, other, 'validator');
  const id = await givenRequest(app, given);
  await decide(app, other, id);

  await app.run(revokeDelegation, given.validator, { delegationId: lent, reason: 'Back again' });

  expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
  expect((await decide(app, given.validator, id)).state).toBe('EXECUTED');
});

describe('a lent role is no way around', () => {
  test('for whoever had a hand in the version', async () => {
    const given = await givenPromotable(app);
    await lend(given.validator, given.engineer, 'validator');
    const maker = await app.actor('engineer', { name: 'other-engineer' });
    const id = await givenRequest(app, { ...given, engineer: maker });

    await expect(decide(app, given.engineer, id)).rejects.toMatchObject({
      details: { rule: 'separation-of-duties' },
    });
  });

  test('from whoever asked for the change', async () => {
    const given = await givenPromotable(app);
    const other = await stranger();
    await lend(given.validator, other, 'validator');
    const id = await givenRequest(app, { ...given, engineer: given.validator });

    await expect(decide(app, other, id)).rejects.toMatchObject({ details: { rule: 'role-not-asked' } });
  });
});

describe('a delegation is refused', () => {
  test.each([
    ['of a role that one does not hold', { role: 'compliance' }, 'FORBIDDEN'],
    ['that ends in the past', { endsAt: new Date(0) }, 'INVALID_INPUT'],
    [
      'that lasts longer than the policy allows',
      { endsAt: new Date(Date.now() + 400 * day) },
      'INVALID_INPUT',
    ],
    ['to a stranger', { toUserId: crypto.randomUUID() }, 'INVALID_INPUT'],
    ['without a reason', { reason: '' }, 'INVALID_INPUT'],
  ] as const)('%s', async (_, part, code) => {
    const validator = await app.actor('validator');
    const owner = await app.actor('owner');
    const input = { toUserId: owner.id, role: 'validator', endsAt: inDays(2), reason: 'r', ...part } as const;

    await expect(app.run(createDelegation, validator, input)).rejects.toMatchObject({ code });
  });

  test('to oneself, and by an auditor, and taking back by somebody else', async () => {
    const validator = await app.actor('validator');
    const auditor = await app.actor('auditor');
    const base = { role: 'validator', endsAt: inDays(2), reason: 'r' } as const;

    await expect(
      app.run(createDelegation, validator, { ...base, toUserId: validator.id }),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(
      app.run(createDelegation, auditor, { ...base, toUserId: validator.id }),
    ).rejects.toMatchObject({ details: { rule: 'permission' } });
    const lent = await lend(validator, await stranger(), 'validator');
    await expect(
      app.run(revokeDelegation, await app.actor('compliance'), { delegationId: lent, reason: 'r' }),
    ).rejects.toMatchObject({ details: { rule: 'not-concerned' } });
    await app.run(revokeDelegation, await app.actor('owner'), { delegationId: lent, reason: 'r' });
    await expect(
      app.run(revokeDelegation, validator, { delegationId: lent, reason: 'r' }),
    ).rejects.toMatchObject({ details: { rule: 'delegation-over' } });
  });
});

test('whoever made the machine that acted has a hand in the version, and in what the machine asks for', async () => {
  const given = await givenPromotable(app, { bare: true });
  const maker = await app.actor('owner', { name: 'maker', roles: ['owner', 'validator'] });
  const account = await app.run(createServiceAccount, maker, { name: 'ci', roles: ['engineer'] });
  const machine = { ...app.service(), id: account.id, roles: ['engineer'] as const };
  const { id: versionId } = await app.run(createModelVersion, machine, { modelId: given.modelId });
  await app.run(submitModelVersion, machine, { versionId });
  const asked = { alias: 'champion', useCaseId: given.useCaseId };

  const byPerson = await app.run(requestOrFind, given.engineer, { ...asked, versionId });
  await expect(decide(app, maker, byPerson.id)).rejects.toMatchObject({
    details: { rule: 'separation-of-duties' },
  });

  const other = await givenPromotable(app, { bare: true });
  const move = { versionId: other.versionId, alias: 'champion', useCaseId: other.useCaseId };
  const byMachine = await app.run(requestOrFind, machine, move);
  await expect(decide(app, maker, byMachine.id)).rejects.toMatchObject({
    details: { rule: 'excluded-by-policy' },
  });
});
