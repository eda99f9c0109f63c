import { beforeAll, describe, expect, test } from 'vitest';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { decide, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { demandsOfAlias } from './demands.js';
import { policyDocument, type PolicyDocument } from './policy-document.js';
import { initialPolicy } from './policy-in-force.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const PROPOSE = `mutation ($input: PolicyProposeInput!) { proposePolicy(input: $input) { id } }`;
const POLICY = `{ approvalPolicy { revision sha256 source document changeRequestId }
                  approvalPolicies { nodes { revision source } } }`;

const changed = (change: (document: PolicyDocument) => object): object => {
  const document = structuredClone(initialPolicy('enforced').document);
  return { ...document, ...change(document) };
};

/** As the default, and an owner besides. */
const stricter = changed(({ rules }) => ({
  rules: rules.map((rule) => ({ ...rule, approvals: [...rule.approvals, { role: 'owner', quorum: 1 }] })),
}));

test('a policy changes by a change request that the rules in force decide, and the next request follows it', async () => {
  const engineer = await app.actor('engineer');
  const asked = await app.graphql<{ proposePolicy: { id: string } }>(engineer, PROPOSE, {
    input: { document: stricter, source: 'commit 1a2b3c', reason: 'Owners answer for it' },
  });
  const id = asked.data?.proposePolicy.id ?? '';
  const given = await givenPromotable(app);
  const earlier = await givenRequest(app, given);
  await decide(app, given.validator, earlier);

  const own = decide(app, engineer, id);
  await expect(own).rejects.toMatchObject({ code: 'FORBIDDEN', details: { rule: 'requester' } });
  await decide(app, given.validator, id);
  expect(await decide(app, given.compliance, id)).toMatchObject({ state: 'EXECUTED' });
  await app.drainJobs();

  const { data } = await app.graphql(engineer, POLICY);
  expect(data).toMatchObject({
    approvalPolicy: { revision: 1, source: 'commit 1a2b3c', changeRequestId: id },
    approvalPolicies: { nodes: [{ revision: 1, source: 'commit 1a2b3c' }] },
  });
  const { data: voided } = await app.graphql<{
    changeRequest: { approvals: { valid: boolean; voidReason: string }[] };
  }>(engineer, `query ($id: ID!) { changeRequest(id: $id) { approvals { valid voidReason } } }`, {
    id: earlier,
  });
  expect(voided?.changeRequest.approvals[0]?.valid).toBe(false);
  expect(voided?.changeRequest.approvals[0]?.voidReason).toContain('policy changed from');
  await decide(app, given.validator, earlier);
  expect(await decide(app, given.compliance, earlier)).toMatchObject({ state: 'OPEN' });
  expect(await decide(app, given.owner, earlier)).toMatchObject({ state: 'EXECUTED' });
});

describe('a policy is refused', () => {
  const rule = {
    name: 'x',
    mode: 'ENFORCE',
    alias: 'other',
    riskTiers: ['LOW'],
    evidence: [],
    approvals: [{ role: 'validator', quorum: 1 }],
    cardFields: [],
  };
  test.each([
    ['that is no policy', { hello: 'world' }, 'document.schema'],
    [
      'that asks for no approval of its changes',
      changed(() => ({ policyChange: { approvals: [] } })),
      'document.policyChange.approvals',
    ],
    [
      'that asks for a check that is not there',
      changed(({ rules }) => ({ rules: rules.map((one) => ({ ...one, checks: ['luck'] })) })),
      'document.rules.0.checks.0',
    ],
    [
      'that protects an alias and says not how it moves',
      changed(() => ({ rules: [rule] })),
      'document.protectedAliases.0',
    ],
    [
      'that lets machines approve',
      changed(({ rules }) => ({
        rules: rules.map((one) => ({ ...one, approvals: [{ role: 'service', quorum: 1 }] })),
      })),
      'document.rules.0.approvals.0.role',
    ],
    [
      'that requires a field no card has',
      changed(({ rules }) => ({ rules: rules.map((one) => ({ ...one, cardFields: ['shoeSize'] })) })),
      'document.rules.0.cardFields',
    ],
  ])('%s, and the field is named', async (_, document, path) => {
    const answer = await app.graphql(await app.actor('owner'), PROPOSE, { input: { document, reason: 'r' } });

    expect(answer.code).toBe('INVALID_INPUT');
    expect(answer.errors[0]?.extensions?.['details']).toMatchObject({
      fields: expect.arrayContaining([expect.objectContaining({ path })]) as unknown,
    });
  });

  test('when it is the one in force', async () => {
    const other = await testApp();
    const document = initialPolicy('enforced').document;

    const answer = await other.graphql(await other.actor('owner'), PROPOSE, {
      input: { document, reason: 'r' },
    });

    expect(answer.code).toBe('CONFLICT');
  });

  test('when a reviewer proposes it', async () => {
    const answer = await app.graphql(await app.actor('reviewer'), PROPOSE, {
      input: { document: stricter, reason: 'r' },
    });

    expect(answer.code).toBe('FORBIDDEN');
  });
});

test('where two rules ask for the same role, the stricter holds', () => {
  const [first] = initialPolicy('enforced').document.rules;
  const document = policyDocument.parse(
    changed(({ rules }) => ({
      rules: [
        ...rules,
        { ...first, name: 'all', alias: '*', approvals: [{ role: 'validator', quorum: 2 }], evidence: [] },
      ],
    })),
  );

  const move = { alias: 'champion', tier: 'LOW', useCase: 'any' } as const;
  expect(demandsOfAlias(document, move)).toMatchObject({
    rules: [{ name: 'champion' }, { name: 'all' }],
    evidence: [{ item: 'PERFORMANCE' }, { item: 'FAIRNESS' }, { item: 'ATTRIBUTION' }],
    slots: [
      { roles: ['validator'], quorum: 2 },
      { roles: ['compliance'], quorum: 1 },
    ],
  });
  expect(demandsOfAlias(initialPolicy('enforced').document, { ...move, alias: 'shadow' })).toBeNull();
});
