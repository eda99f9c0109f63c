import { beforeAll, expect, test } from 'vitest';
import { champion, decide, givenCard, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createDataset, createDatasetVersion, documentDatasetVersion } from '../datasets/index.js';
import { createModelVersion, submitModelVersion } from '../registry/index.js';
import { executeChange } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

test('a rule that wants computed evidence wants it of its checks too', async () => {
  const checks = ['fairness-thresholds', 'card-complete'];
  await givenPolicy(app, policyWith({ evidence: [], checks, cardFields: [], provenance: 'COMPUTED' }));
  const given = await givenPromotable(app);
  const CHECK = `query ($v: ID!, $u: ID!) { promotionCheck(versionId: $v, alias: "champion", useCaseId: $u) {
    requirements { rule state } } }`;

  const { data } = await app.graphql<{ promotionCheck: { requirements: { rule: string; state: string }[] } }>(
    given.engineer,
    CHECK,
    { v: given.versionId, u: given.useCaseId },
  );
  const id = await givenRequest(app, given);
  await decide(app, given.validator, id);
  await decide(app, given.compliance, id);

  const asked = data?.promotionCheck.requirements ?? [];
  expect(asked).toContainEqual({ rule: 'check.fairness-thresholds', state: 'PASS' });
  expect(asked).toContainEqual({ rule: 'provenance.fairness-thresholds', state: 'FAIL' });
  expect(asked.map(({ rule }) => rule)).not.toContain('provenance.card-complete');
  expect(await champion(app, given.modelId)).toBeUndefined();
  await expect(app.run(executeChange, given.engineer, { changeRequestId: id })).rejects.toMatchObject({
    code: 'PRECONDITION_FAILED',
  });
});

test('whoever registered or described the data has a hand in what was made from it', async () => {
  const bare = await givenPromotable(app, { bare: true });
  const maker = await app.actor('validator', { name: 'maker', roles: ['validator', 'engineer'] });
  const writer = await app.actor('validator', { name: 'writer', roles: ['validator', 'engineer'] });
  const sha256 = 'c'.repeat(64);
  const { id: datasetId } = await app.run(createDataset, bare.engineer, { name: 'loans' });
  const reference = { uri: 's3://data/loans.csv', sha256 };
  const version = await app.run(createDatasetVersion, maker, { datasetId, reference });
  await app.run(documentDatasetVersion, writer, { datasetVersionId: version.id, licence: 'CC0-1.0' });
  const datasets = [{ name: 'loans', sha256, role: 'train' }];
  const { id: versionId } = await app.run(createModelVersion, bare.engineer, {
    modelId: bare.modelId,
    datasets,
  });
  await app.run(submitModelVersion, bare.engineer, { versionId });
  const given = { ...bare, versionId };
  await givenCard(app, given);
  const id = await givenRequest(app, given);

  for (const person of [maker, writer]) {
    await expect(decide(app, person, id)).rejects.toMatchObject({
      details: { rule: 'separation-of-duties' },
    });
  }
  expect((await decide(app, bare.validator, id)).state).toBe('OPEN');
});
