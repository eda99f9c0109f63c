import { beforeAll, expect, test } from 'vitest';
import { givenEvidence } from '../../testing/given-change.js';
import { givenEndpoint, rich, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { invalidateEvidence } from '../evaluations/index.js';

const day = 86_400_000;
const REQUEST = `mutation ($input: DecisionRequestInput!) { requestDecision(input: $input) { id } }`;
const READ = `query ($id: ID!) { decision(id: $id) { state action decidedBy rules failure } }`;

let keys = 0;

const ask = (app: TestApp, endpoint: GivenEndpoint) => {
  keys += 1;
  const input = {
    endpoint: endpoint.slug,
    idempotencyKey: `case-${String(keys)}`,
    application: rich,
    statedIncome: 80_000,
    consent: true,
  };
  return app.graphql<{ requestDecision: { id: string } }>(app.service(), REQUEST, { input });
};

const decided = async (app: TestApp, endpoint: GivenEndpoint): Promise<unknown> => {
  const { data } = await ask(app, endpoint);
  await app.drainJobs();
  const answer = await app.graphql<{ decision: unknown }>(await app.actor('reviewer'), READ, {
    id: data?.requestDecision.id ?? '',
  });
  return answer.data?.decision;
};

const given = async (whenStale: 'CONTINUE' | 'REFER_ALL' | 'STOP') => {
  const app = await testApp();
  if (whenStale !== 'CONTINUE') await givenPolicy(app, policyWith({ whenStale }));
  return { app, endpoint: await givenEndpoint(app) };
};

let stop: Awaited<ReturnType<typeof given>>;
beforeAll(async () => {
  stop = await given('STOP');
});

test('an endpoint stops when its evidence is past its date, since that was approved, and goes on with new evidence', async () => {
  const { app, endpoint } = stop;
  const before = await ask(app, endpoint);
  await app.drainJobs();
  app.clock.advance(91 * day);
  const stale = await ask(app, endpoint);
  await givenEvidence(app, endpoint, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  const after = await ask(app, endpoint);

  expect(before.code).toBeUndefined();
  expect(stale.code).toBe('PRECONDITION_FAILED');
  expect(stale.errors[0]?.extensions?.['details']).toMatchObject({ rule: 'evidence-stale' });
  expect(after.code).toBeUndefined();
});

test('what was accepted before and not begun is refused by the same rule', async () => {
  const { app, endpoint } = stop;
  await app.drainJobs();
  const { data } = await ask(app, endpoint);
  const { versionId, useCaseId, validator } = endpoint;
  const about = { versionId, useCaseId, cause: 'ADVISORY', reason: 'A flaw in the runtime' } as const;
  await app.run(invalidateEvidence, validator, about);
  await app.drainJobs();

  const answer = await app.graphql<{ decision: unknown }>(await app.actor('reviewer'), READ, {
    id: data?.requestDecision.id ?? '',
  });
  expect(answer.data?.decision).toMatchObject({ state: 'REFUSED', failure: { rule: 'evidence-stale' } });
});

test('a person looks at every case where that was approved for stale evidence', async () => {
  const { app, endpoint } = await given('REFER_ALL');
  const before = await decided(app, endpoint);
  app.clock.advance(91 * day);
  const stale = await decided(app, endpoint);

  expect(before).toMatchObject({ state: 'DONE', decidedBy: 'score' });
  expect(stale).toMatchObject({ state: 'WAITING', action: 'REFER', decidedBy: 'rule' });
  expect(JSON.stringify(stale)).toContain('evidence-stale');
});

test('nothing changes for a running endpoint where going on was approved', async () => {
  const { app, endpoint } = await given('CONTINUE');
  app.clock.advance(91 * day);

  expect(await decided(app, endpoint)).toMatchObject({ state: 'DONE', decidedBy: 'score' });
});
