import { beforeAll, expect, test } from 'vitest';
import { givenEndpoint, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import type { DecisionView } from './decisions.queries/index.js';

let app: TestApp;
let endpoint: GivenEndpoint;
beforeAll(async () => {
  app = await testApp();
  endpoint = await givenEndpoint(app);
});

const RECORD = `mutation ($input: DecisionRecordInput!) { recordDecisions(input: $input) { id isRepeated } }`;
const READ = `query ($id: ID!) { decision(id: $id) {
  state action decidedBy reasons verification { isChainIntact isInTrail } } }`;

let keys = 0;
const fresh = (): string => {
  keys += 1;
  return `case-${String(keys)}`;
};

test('decisions made elsewhere stand in the same ledger', async () => {
  const one = {
    idempotencyKey: fresh(),
    subjectRef: 'vendor-7',
    action: 'APPROVE_LIMIT',
    probability: 0.4,
    decidedAt: '2026-11-01T10:00:00Z',
    platform: 'Vendor',
    inputs: { score: 3 },
    reasons: ['score above 2'],
  };
  const call = () =>
    app.graphql<{ recordDecisions: { id: string; isRepeated: boolean }[] }>(app.service(), RECORD, {
      input: { endpoint: endpoint.slug, decisions: [one] },
    });
  const [first] = (await call()).data?.recordDecisions ?? [];
  const [again] = (await call()).data?.recordDecisions ?? [];

  expect(again).toEqual({ id: first?.id, isRepeated: true });
  const answer = await app.graphql<{ decision: DecisionView }>(await app.actor('reviewer'), READ, {
    id: first?.id,
  });
  expect(answer.errors).toEqual([]);
  const decision = answer.data?.decision;
  expect(decision).toMatchObject({
    state: 'DONE',
    action: 'APPROVE_LIMIT',
    decidedBy: 'elsewhere',
    reasons: ['score above 2'],
  });
  expect(decision?.verification).toMatchObject({ isChainIntact: true, isInTrail: true });
});

test('callers who record the same decision at the same moment record it once; another one under its key is refused', async () => {
  const one = { idempotencyKey: fresh(), action: 'X', decidedAt: '2026-11-01T10:00:00Z', platform: 'Vendor' };
  const call = (given: object) =>
    app.graphql<{ recordDecisions: { id: string; isRepeated: boolean }[] }>(app.service(), RECORD, {
      input: {
        endpoint: endpoint.slug,
        decisions: [
          { ...one, ...given },
          { ...one, idempotencyKey: fresh() },
        ],
      },
    });

  const answers = await Promise.all(Array.from({ length: 6 }, () => call({})));
  const other = await call({ action: 'Y' });

  expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
  const first = answers.flatMap(({ data }) => data?.recordDecisions[0] ?? []);
  expect(new Set(first.map(({ id }) => id)).size).toBe(1);
  expect(first.filter(({ isRepeated }) => !isRepeated)).toHaveLength(1);
  expect(other.code).toBe('CONFLICT');
});

test.each([
  ['in the future', { decidedAt: new Date(Date.now() + 3_600_000).toISOString() }],
  ['before there were such decisions', { decidedAt: '1999-12-31T23:59:59Z' }],
  ['about somebody whom its key names', { idempotencyKey: 'jane@example.org' }],
  ['on a number without an end', { inputs: { scores: [Number.POSITIVE_INFINITY] } }],
])('a decision made elsewhere %s is refused', async (_, given) => {
  const one = { idempotencyKey: fresh(), action: 'X', decidedAt: '2026-11-01T10:00:00Z', platform: 'Vendor' };
  const input = { endpoint: endpoint.slug, decisions: [{ ...one, ...given }] };

  expect((await app.graphql(app.service(), RECORD, { input })).code).toBe('INVALID_INPUT');
});
