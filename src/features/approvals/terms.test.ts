import { beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import {
  champion,
  decide,
  givenChampion,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { givenPolicy, policyWith, type RulePart } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createFinding, resolveFinding } from '../findings/index.js';
import { deleteAlias, deleteModel, setAlias } from '../registry/index.js';
import { executeChange, requestOrFind } from './index.js';

const appWith = async (part: RulePart): Promise<TestApp> => {
  const app = await testApp();
  await givenPolicy(app, policyWith(part));
  return app;
};

const ruleOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof AppError) return error.details['rule'];
    throw error;
  }
};

const minute = 60_000;

describe('in order', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await appWith({
      approvals: [
        { role: 'validator', quorum: 1, step: 1 },
        { role: 'compliance', quorum: 1, step: 2 },
      ],
    });
  });

  test('compliance approves only after the validator', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);

    expect(await ruleOf(decide(app, given.compliance, id))).toBe('order');
    await decide(app, given.validator, id);
    expect((await decide(app, given.compliance, id)).state).toBe('EXECUTED');
    expect((await app.trail(id)).map(({ command, outcome }) => [command, outcome])).toContainEqual([
      'changeRequest.decide',
      'refused',
    ]);
  });

  test('but may reject before', async () => {
    const given = await givenPromotable(app, { bare: true });
    const id = await givenRequest(app, given);

    expect((await decide(app, given.compliance, id, 'REJECT')).state).toBe('REJECTED');
  });
});

describe('with a wait', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await appWith({ waits: { afterRequestMinutes: 0, afterApprovalMinutes: 60 } });
  });

  test('the last approval moves nothing; after the time somebody carries it out, and time alone does not', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    const done = await decide(app, given.compliance, id);
    const early = await ruleOf(app.run(executeChange, given.engineer, { changeRequestId: id }));
    app.clock.advance(61 * minute);
    await app.drainJobs();
    const before = await champion(app, given.modelId);
    await app.run(executeChange, given.engineer, { changeRequestId: id });

    expect(done.state).toBe('OPEN');
    expect(early).toBe('wait.approval');
    expect(before).toBeUndefined();
    expect(await champion(app, given.modelId)).toBe(given.versionId);
  });
});

describe('with a fresh sign-in', () => {
  let app: TestApp;
  let given: Given;
  let id: string;
  beforeAll(async () => {
    app = await appWith({ freshSignInMinutes: 5 });
    given = await givenPromotable(app);
    id = await givenRequest(app, given);
  });
  const at = (minutesAgo: number): Date => new Date(app.clock.now().getTime() - minutesAgo * minute);

  test('who signed in long ago is sent to sign in again, and told where', async () => {
    const late = { ...given.validator, authenticatedAt: at(6) };

    const answer = await app.graphql(
      late,
      `mutation ($input: ChangeRequestDecideInput!) { decideChange(input: $input) { state } }`,
      { input: { changeRequestId: id, verdict: 'APPROVE', reason: 'ok' } },
    );

    expect(answer.code).toBe('PRECONDITION_FAILED');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      rule: 'fresh-sign-in',
      signIn: expect.stringMatching(/^\/auth\/login\?fresh=1&returnTo=%2Fchanges%2F\d+$/) as unknown,
    });
  });

  test('a token is never fresh, a new sign-in is, and a rejection asks for none', async () => {
    const token = { ...given.validator, authenticatedAt: at(1), tokenId: crypto.randomUUID() };
    expect(await ruleOf(decide(app, token, id))).toBe('fresh-sign-in');

    const fresh = { ...given.validator, authenticatedAt: at(4) };
    expect(await ruleOf(decide(app, fresh, id))).toBe('done');
    const old = { ...given.compliance, authenticatedAt: at(60) };
    expect((await decide(app, old, id, 'REJECT')).state).toBe('REJECTED');
  });
});

test('where the caller carries it out, the approvals move nothing and the caller does', async () => {
  const app = await appWith({ execution: 'BY_CALLER' });
  const given = await givenPromotable(app);
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);

  expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
  expect(await champion(app, given.modelId)).toBeUndefined();
  const move = { versionId: given.versionId, alias: 'champion', useCaseId: given.useCaseId };
  expect(await app.run(requestOrFind, given.engineer, move)).toMatchObject({ id, ready: true, failing: [] });
  await app.run(executeChange, given.engineer, { changeRequestId: id });
  expect(await champion(app, given.modelId)).toBe(given.versionId);
});

describe('an overdue finding', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp();
  });

  test.each(['modelVersion', 'model', 'useCase'] as const)(
    'about the %s blocks until it is resolved',
    async (kind) => {
      const given = await givenPromotable(app);
      const subjects = { modelVersion: given.versionId, model: given.modelId, useCase: given.useCaseId };
      const finding = await app.run(createFinding, given.validator, {
        title: 'Recall of the youngest',
        detail: 'Look at it',
        severity: 'HIGH',
        ownerId: given.owner.id,
        dueAt: new Date(app.clock.now().getTime() + minute),
        subjectKind: kind,
        subjectId: subjects[kind],
      });
      app.clock.advance(2 * minute);
      const id = await givenRequest(app, given);
      await decide(app, given.validator, id);
      const blocked = await decide(app, given.compliance, id);
      const refused = await ruleOf(app.run(executeChange, given.engineer, { changeRequestId: id }));
      await app.run(resolveFinding, given.owner, { findingId: finding.id, resolution: 'Measured again' });
      await app.run(executeChange, given.engineer, { changeRequestId: id });

      expect(blocked.state).toBe('OPEN');
      expect(refused).toBe('findings-overdue');
      expect(await champion(app, given.modelId)).toBe(given.versionId);
    },
  );
});

describe('a refused verb', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp();
  });

  const refusalOf = async (work: Promise<unknown>): Promise<AppError> => {
    const error: unknown = await work.catch((reason: unknown) => reason);
    if (error instanceof AppError) return error;
    throw new Error('It was not refused', { cause: error });
  };
  const set = (given: Given, versionId = given.versionId, name = 'champion') =>
    refusalOf(
      app.run(setAlias, given.engineer, {
        modelId: given.modelId,
        versionId,
        name,
        useCaseId: given.useCaseId,
      }),
    );

  test('opens one request and finds it again, whoever repeats it and however often', async () => {
    const given = await givenPromotable(app, { bare: true });

    const all = await Promise.all(Array.from({ length: 5 }, () => set(given)));

    const numbers = all.map((one) => (one.details['changeRequest'] as { number: number }).number);
    expect(new Set(numbers).size).toBe(1);
    expect(all[0]?.details).toMatchObject({
      rule: 'protected-alias',
      changeRequest: { sameVersion: true, ready: false, url: `/changes/${String(numbers[0])}` },
      failing: expect.arrayContaining([
        expect.objectContaining({ rule: 'evidence.FAIRNESS' }),
        expect.objectContaining({ rule: 'approvals.validator' }),
      ]) as unknown,
    });
  });

  test('says that another version is asked for already', async () => {
    const given = await givenPromotable(app, { bare: true });
    const id = await givenRequest(app, given);
    const versionId = await givenNextVersion(app, given.engineer, given.modelId);
    const move = { versionId, alias: 'Champion', useCaseId: given.useCaseId };

    expect(await app.run(requestOrFind, given.engineer, move)).toMatchObject({ id, sameVersion: false });
    const refused = await set(given, versionId, 'CHAMPION');
    expect(refused.details['changeRequest']).toMatchObject({ id, sameVersion: false });
    expect(refused.message).toContain('about another version or use');
  });

  test('finds out the use case by what is known, and says so when it cannot', async () => {
    const given = await givenPromotable(app);
    const move = { versionId: given.versionId, alias: 'champion' };
    const bare = await givenPromotable(app, { bare: true });

    const found = await app.run(requestOrFind, given.engineer, move);
    const unknown = app.run(requestOrFind, bare.engineer, { versionId: bare.versionId, alias: 'champion' });

    expect(found.sameVersion).toBe(true);
    expect(await ruleOf(unknown)).toBe('use-case');
  });

  test('asks for nothing where nothing can be asked for, and says what to do instead', async () => {
    const given = await givenPromotable(app, { bare: true });
    const { engineer, modelId } = given;
    const removed = await refusalOf(app.run(deleteAlias, engineer, { modelId, name: 'champion' }));

    expect(removed.details).toMatchObject({
      instead: expect.stringContaining('requestPromotion') as unknown,
      failing: [{ rule: 'protected-alias' }],
    });
    expect(removed.details['changeRequest']).toBeUndefined();
    const champion = await givenPromotable(app);
    await givenChampion(app, champion);
    const model = await refusalOf(app.run(deleteModel, engineer, { modelId: champion.modelId }));
    expect(model.details['instead']).toContain('suspendEndpoint');
    const { number } = (await set(given)).details['changeRequest'] as { number: number };
    const again = await refusalOf(app.run(deleteAlias, engineer, { modelId, name: 'Champion' }));
    expect(again.details['changeRequest']).toMatchObject({ number });
  });

  test('does not take a version of another model for one of this', async () => {
    const [one, other] = [await givenPromotable(app), await givenPromotable(app)];

    const refused = await set(one, other.versionId);

    expect(refused.details).toMatchObject({ rule: 'protected-alias', failing: [{ rule: 'not_found' }] });
    expect(refused.details['changeRequest']).toBeUndefined();
  });

  test('opens nothing for whoever may not ask', async () => {
    const given = await givenPromotable(app, { bare: true });
    const auditor = await app.actor('auditor');
    const move = { versionId: given.versionId, alias: 'champion', useCaseId: given.useCaseId };

    expect((await refusalOf(app.run(requestOrFind, auditor, move))).details['rule']).toBe('permission');
    const limited = { ...given.engineer, tokenId: newId(), scopes: ['alias:set' as const] };
    expect((await set({ ...given, engineer: limited })).details).toMatchObject({
      rule: 'protected-alias',
      failing: [{ rule: 'permission' }],
    });
    const wrong = { ...move, alias: 'shadow' };
    expect(await ruleOf(app.run(requestOrFind, given.engineer, wrong))).toBe('not-protected');
  });
});
