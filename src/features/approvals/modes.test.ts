import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { decide, champion, givenPromotable, givenRequest, type Given } from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { quorumMet, type Counted } from './decide-rules.js';
import { demandsOfAlias, type Demands } from './demands.js';
import { approvingRole, policyDocument, type PolicyDocument } from './policy-document.js';
import { initialPolicy } from './policy-in-force.js';
import { startingPolicies } from './starting-policies.js';

interface Checked {
  promotionCheck: {
    allowed: boolean;
    environment: string;
    policyRules: { name: string; mode: string }[];
    requirements: { rule: string; mode: string; state: string; policyRules: string[]; people: object[] }[];
  };
}

const CHECK = `query ($versionId: ID!, $useCaseId: ID!) {
  promotionCheck(versionId: $versionId, alias: "champion", useCaseId: $useCaseId) {
    allowed environment policyRules { name mode } execution whenStale
    requirements { rule mode state policyRules people { name } } } }`;

const checked = async (app: TestApp, given: Given): Promise<Checked['promotionCheck']> => {
  const { versionId, useCaseId } = given;
  const { data, errors } = await app.graphql<Checked>(given.engineer, CHECK, { versionId, useCaseId });
  expect(errors).toEqual([]);
  if (!data) throw new Error('no answer');
  return data.promotionCheck;
};

test('the policies that come with the installation are read, and the default one warns', () => {
  expect([...startingPolicies().keys()].sort()).toEqual(['default', 'enforced']);
  const modes = initialPolicy('default').document.rules.map((rule) => rule.mode);
  expect(modes).toEqual(['ENFORCE', 'WARN']);
});

test('a new workspace warns of everything and asks one independent person', async () => {
  const app = await testApp({ startingPolicy: 'default' });
  const given = await givenPromotable(app, { bare: true });
  const before = await checked(app, given);
  const id = await givenRequest(app, given);

  await expect(decide(app, given.engineer, id)).rejects.toMatchObject({ details: { rule: 'requester' } });
  const done = await decide(app, given.owner, id);

  expect(before).toMatchObject({ allowed: false, environment: 'production' });
  expect(before.requirements).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ rule: 'version-ready', mode: 'ENFORCE', state: 'PASS' }),
      expect.objectContaining({
        rule: 'evidence.FAIRNESS',
        mode: 'WARN',
        state: 'MISSING',
        policyRules: ['evidence-and-card'],
      }),
      expect.objectContaining({ rule: 'check.card-complete', mode: 'WARN', state: 'MISSING' }),
      expect.objectContaining({
        rule: 'approvals.engineer|validator|compliance|owner',
        mode: 'ENFORCE',
        state: 'WAITING',
        policyRules: ['one-independent-person'],
      }),
    ]),
  );
  expect(done.state).toBe('EXECUTED');
  expect(await champion(app, given.modelId)).toBe(given.versionId);
});

describe('a rule', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await testApp();
    await givenPolicy(
      app,
      policyWith({}, [
        { name: 'rehearsed', mode: 'OBSERVE', approvals: [{ role: 'owner', quorum: 1 }], checks: ['drift'] },
        {
          name: 'elsewhere',
          mode: 'ENFORCE',
          useCases: ['credit-*'],
          approvals: [{ role: 'owner', quorum: 2 }],
        },
        { name: 'staging', mode: 'ENFORCE', environments: ['staging'], checks: ['drift'] },
      ]),
    );
  });

  test('that only observes is shown with what it would ask, and stands in nobody’s way', async () => {
    const given = await givenPromotable(app);
    const { requirements, policyRules } = await checked(app, given);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);

    expect(policyRules).toEqual([
      { name: 'champion', mode: 'ENFORCE' },
      { name: 'rehearsed', mode: 'OBSERVE' },
    ]);
    expect(requirements).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ rule: 'approvals.owner', mode: 'OBSERVE', state: 'WAITING' }),
        expect.objectContaining({ rule: 'check.drift', mode: 'OBSERVE', state: 'MISSING' }),
      ]),
    );
    expect((await decide(app, given.compliance, id)).state).toBe('EXECUTED');
  });

  test('for other use cases or another environment says nothing here', async () => {
    const given = await givenPromotable(app, { bare: true });

    expect((await checked(app, given)).policyRules.map((rule) => rule.name)).not.toContain('elsewhere');
    expect((await checked(app, given)).policyRules.map((rule) => rule.name)).not.toContain('staging');
  });

  test('may demand that evidence was computed here; what was sent from elsewhere does not do', async () => {
    const other = await testApp();
    await givenPolicy(other, policyWith({ provenance: 'COMPUTED' }));
    const given = await givenPromotable(other);

    expect((await checked(other, given)).requirements).toContainEqual(
      expect.objectContaining({ rule: 'provenance.FAIRNESS', mode: 'ENFORCE', state: 'FAIL' }),
    );
  });
});

test('documents of the first version are read as what they said: everything enforced', () => {
  const first = {
    schema: 'countersign.approval-policy/1',
    protectedAliases: ['champion'],
    expireAfterDays: 30,
    rules: [
      {
        name: 'champion',
        alias: 'champion',
        riskTiers: ['LOW', 'MEDIUM', 'HIGH'],
        evidence: ['FAIRNESS'],
        approvals: [{ role: 'validator', quorum: 1 }],
        cardFields: [],
      },
    ],
    policyChange: { approvals: [{ role: 'validator', quorum: 1 }] },
    endpointResume: { approvals: [{ anyOf: ['compliance', 'owner'], quorum: 1 }] },
  };

  const read = policyDocument.parse(first);

  expect(read).toMatchObject({
    schema: 'countersign.approval-policy/2',
    rules: [{ mode: 'ENFORCE', approvals: [{ anyOf: ['validator'], quorum: 1, step: 1 }] }],
    breakGlass: { reviewWithinHours: 72 },
  });
  expect(policyDocument.parse(read)).toEqual(read);
});

const role = fc.constantFrom(...approvingRole.options);
const mode = fc.constantFrom('OBSERVE', 'WARN', 'ENFORCE');
const ask = fc.record({
  anyOf: fc.uniqueArray(role, { minLength: 1, maxLength: 3 }),
  quorum: fc.integer({ min: 1, max: 3 }),
  step: fc.integer({ min: 1, max: 3 }),
});
const rule = fc.record({
  mode,
  evidence: fc.uniqueArray(fc.constantFrom('PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION')),
  checks: fc.uniqueArray(fc.constantFrom('drift', 'card-complete')),
  cardFields: fc.uniqueArray(fc.constantFrom('intendedUse', 'limitations')),
  approvals: fc.uniqueArray(ask, { maxLength: 2, selector: (one) => [...one.anyOf].sort().join('|') }),
  overdueFindings: fc.constantFrom('BLOCK', 'IGNORE'),
  freshSignInMinutes: fc.option(fc.integer({ min: 1, max: 60 })),
  whenStale: fc.constantFrom('CONTINUE', 'REFER_ALL', 'STOP'),
  execution: fc.constantFrom('ON_APPROVAL', 'BY_CALLER'),
  expireAfterDays: fc.option(fc.integer({ min: 1, max: 60 })),
  waits: fc.record({
    afterRequestMinutes: fc.integer({ min: 0, max: 100 }),
    afterApprovalMinutes: fc.integer({ min: 0, max: 100 }),
  }),
});

const documentOf = (rules: readonly object[]): PolicyDocument => {
  const base = initialPolicy('enforced').document;
  const [first] = base.rules;
  const named = rules.map((one, index) => ({ ...first, ...one, name: `rule-${String(index)}` }));
  return policyDocument.parse({ ...base, rules: named });
};

const demandsOf = (rules: readonly object[]): Demands => {
  const move = { alias: 'champion', tier: 'HIGH', useCase: 'any' } as const;
  const demands = demandsOfAlias(documentOf(rules), move);
  if (!demands) throw new Error('no rule');
  return demands;
};

const strength = { OBSERVE: 0, WARN: 1, ENFORCE: 2 };
const effects = ['CONTINUE', 'REFER_ALL', 'STOP'];

test('where several rules apply the stricter wins: another rule never asks for less', () => {
  const decision = fc.record({ by: fc.uuid(), role, verdict: fc.constant('APPROVE' as const) });
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 4 }),
      rule,
      fc.array(decision, { maxLength: 10 }),
      (rules, more, decisions: Counted[]) => {
        const less = demandsOf(rules);
        const all = demandsOf([...rules, more]);
        // The one independent person that is always asked is part of any approval that rules ask for.
        const floor = less.slots.every((slot) => slot.roles.length === approvingRole.options.length);
        if (quorumMet(all.slots, decisions) && !floor) expect(quorumMet(less.slots, decisions)).toBe(true);
        for (const list of ['evidence', 'checks', 'cardFields'] as const) {
          for (const asked of less[list]) {
            const now = (all[list] as typeof less.cardFields).find((one) => one.item === asked.item);
            expect(strength[now?.mode ?? 'OBSERVE']).toBeGreaterThanOrEqual(strength[asked.mode]);
          }
        }
        const blocks = (one: Demands): number => strength[one.overdueFindings?.mode ?? 'OBSERVE'];
        expect(blocks(all)).toBeGreaterThanOrEqual(blocks(less));
        expect(all.waits.afterRequestMinutes).toBeGreaterThanOrEqual(less.waits.afterRequestMinutes);
        expect(all.waits.afterApprovalMinutes).toBeGreaterThanOrEqual(less.waits.afterApprovalMinutes);
        expect(all.freshSignInMinutes ?? 9999).toBeLessThanOrEqual(less.freshSignInMinutes ?? 9999);
        expect(all.expireAfterDays).toBeLessThanOrEqual(less.expireAfterDays);
        expect(effects.indexOf(all.whenStale)).toBeGreaterThanOrEqual(effects.indexOf(less.whenStale));
        if (less.execution === 'BY_CALLER') expect(all.execution).toBe('BY_CALLER');
        expect(all.slots.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 300 },
  );
});
