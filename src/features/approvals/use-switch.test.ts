import { beforeAll, expect, test } from 'vitest';
import {
  champion,
  decide,
  givenChampion,
  givenNextVersion,
  givenPromotable,
} from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createUseCase } from '../usecases/index.js';
import { executeChange, requestPromotion } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
  const lenient = {
    name: 'low',
    riskTiers: ['LOW' as const],
    evidence: [],
    cardFields: [],
    approvals: [{ role: 'validator', quorum: 1 }],
  };
  await givenPolicy(app, policyWith({ riskTiers: ['MEDIUM', 'HIGH'] }, [lenient]));
});

let uses = 0;

/** Whoever may register versions may also declare a use case, and its tier. */
const givenLowUse = async (): Promise<string> => {
  uses += 1;
  const slug = `harmless-${String(uses)}`;
  const about = { slug, name: slug, purpose: 'Sorting', peopleAffected: 'Nobody', riskTier: 'LOW' } as const;
  return (await app.run(createUseCase, await app.actor('engineer'), about)).id;
};

test('a name does not leave a use of a high tier by the rules of a lower one', async () => {
  const given = await givenPromotable(app);
  await givenChampion(app, given);
  const versionId = await givenNextVersion(app, given.engineer, given.modelId);
  const move = {
    versionId,
    alias: 'champion',
    useCaseId: await givenLowUse(),
    reason: 'For something small',
  };
  const { id } = await app.run(requestPromotion, given.engineer, move);

  const { state } = await decide(app, given.validator, id);

  expect(state).toBe('OPEN');
  await expect(app.run(executeChange, given.engineer, { changeRequestId: id })).rejects.toMatchObject({
    details: {
      blockers: expect.arrayContaining([
        expect.objectContaining({ rule: 'evidence.FAIRNESS' }),
        expect.objectContaining({ rule: 'approvals.compliance' }),
      ]) as unknown,
    },
  });
  await decide(app, given.compliance, id);
  expect(await champion(app, given.modelId)).toBe(given.versionId);
});

test('a name that stands for no use yet needs what its own use asks for', async () => {
  const given = await givenPromotable(app, { bare: true });
  const { versionId } = given;
  const move = {
    versionId,
    alias: 'champion',
    useCaseId: await givenLowUse(),
    reason: 'Small from the start',
  };
  const { id } = await app.run(requestPromotion, given.engineer, move);

  expect((await decide(app, given.validator, id)).state).toBe('EXECUTED');
  expect(await champion(app, given.modelId)).toBe(versionId);
});
