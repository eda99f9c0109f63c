import { beforeAll, expect, test } from 'vitest';
import { champion, decide, givenPromotable, type Given } from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { openTestDoor } from '../../testing/http-door.js';
import { protocolAt, type Protocol } from '../../testing/mlflow-door.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
let api: Protocol;
let given: Given;
beforeAll(async () => {
  app = await testApp();
  await givenPolicy(app, policyWith({ execution: 'BY_CALLER' }));
  given = await givenPromotable(app);
  const door = await openTestDoor(app, { environment: { RATE_LIMIT_PER_MINUTE: '1000000' } });
  api = protocolAt(`${door.url}/mlflow`, await door.tokenOf('engineer'));
});

test('where the policy leaves it to the caller, the call that was refused carries it out once people approved', async () => {
  const { data } = await app.graphql<{ model: { name: string }; useCase: { slug: string } }>(
    given.owner,
    `query ($model: ID!, $use: ID!) { model(id: $model) { name } useCase(id: $use) { slug } }`,
    { model: given.modelId, use: given.useCaseId },
  );
  const name = data?.model.name ?? '';
  const tag = { key: 'countersign.use_case', value: data?.useCase.slug ?? '' };
  await api.post('model-versions/set-tag', { name, version: '1', ...tag });
  const call = () => api.post('registered-models/alias', { name, alias: 'champion', version: '1' });

  const refused = await call();
  const { id } = refused.details?.['changeRequest'] as { id: string };
  await decide(app, given.validator, id);
  const halfway = await call();
  await decide(app, given.compliance, id);
  const before = await champion(app, given.modelId);
  const done = await call();

  expect([refused.status, halfway.status]).toEqual([403, 403]);
  expect(before).toBeUndefined();
  expect(done.status).toBe(200);
  expect(await champion(app, given.modelId)).toBe(given.versionId);
  expect((await call()).status).toBe(200);
});
