import { beforeAll, describe, expect, test } from 'vitest';
import {
  decide,
  givenChampion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { policyWith, type RulePart } from '../../testing/given-policy.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { policyDocument } from './policy-document.js';
import { replay, type PastRequest } from './replay.js';

const at = (minutes: number): Date => new Date(Date.UTC(2026, 10, 23, 12, minutes));

const passed = { id: '1', verdict: 'PASS', resultSha256: '1', required: true };

const past = (part: Partial<PastRequest> = {}): PastRequest => ({
  id: '1',
  number: 1,
  title: 'Move champion',
  alias: 'champion',
  useCase: 'income',
  state: 'EXECUTED',
  requestedByName: 'Emma',
  createdAt: at(0),
  endedAt: at(10),
  overdueFindings: false,
  entries: {
    'useCase.riskTier': 'HIGH',
    'useCase.owner': 'olga',
    'evidence.PERFORMANCE': passed,
    'evidence.FAIRNESS': passed,
    'evidence.ATTRIBUTION': { ...passed, provenance: 'COMPUTED' },
    'card.intendedUse': { value: 'x', source: 'ATTESTED' },
    'card.limitations': { value: 'x', source: 'ATTESTED' },
    'card.humanOversight': { value: 'x', source: 'ATTESTED' },
    'check.drift': { verdict: 'FAIL', required: false },
  },
  decisions: [
    { verdict: 'APPROVE', role: 'validator', by: 'vera', at: at(5) },
    { verdict: 'APPROVE', role: 'compliance', by: 'carl', at: at(10) },
  ],
  ...part,
});

const turned = [...past().decisions].reverse();

describe('a request of the past under other rules', () => {
  const steps = [
    { role: 'validator', quorum: 1, step: 1 },
    { role: 'compliance', quorum: 1, step: 2 },
  ];
  const cases: [string, RulePart, Partial<PastRequest>, string, string[]][] = [
    ['holds under the same', {}, {}, 'ALLOWED', []],
    ['lacks an approval', { approvals: [{ role: 'owner', quorum: 1 }] }, {}, 'REFUSED', ['approvals.owner']],
    [
      'lacks a second voice',
      { approvals: [{ role: 'validator', quorum: 2 }] },
      {},
      'REFUSED',
      ['approvals.validator'],
    ],
    ['fails a check', { checks: ['drift'] }, {}, 'REFUSED', ['check.drift']],
    [
      'is not refused by a rule that warns',
      { checks: ['drift'], mode: 'WARN', approvals: [{ role: 'owner', quorum: 1 }] },
      {},
      'ALLOWED',
      [],
    ],
    [
      'was decided before a check was known',
      { checks: ['card-complete'] },
      {},
      'UNKNOWN',
      ['check.card-complete'],
    ],
    [
      'stood on evidence whose origin was not written down',
      { provenance: 'COMPUTED' },
      {},
      'UNKNOWN',
      ['provenance.PERFORMANCE', 'provenance.FAIRNESS'],
    ],
    ['kept the order', { approvals: steps }, {}, 'ALLOWED', []],
    [
      'did not keep the order',
      { approvals: steps },
      { decisions: turned },
      'REFUSED',
      ['approvals.compliance'],
    ],
    [
      'came too fast',
      { waits: { afterRequestMinutes: 30, afterApprovalMinutes: 0 } },
      {},
      'REFUSED',
      ['wait.request'],
    ],
    ['had an overdue finding', {}, { overdueFindings: true }, 'REFUSED', ['findings-overdue']],
    ['which nobody asked about', { overdueFindings: 'IGNORE' }, { overdueFindings: true }, 'ALLOWED', []],
    [
      'was approved by the owner of the use',
      { excluded: ['use-case-owner'] },
      { entries: { ...past().entries, 'useCase.owner': 'carl' } },
      'REFUSED',
      ['approvals.compliance'],
    ],
    ['is spoken of by no rule', { useCases: ['*'] }, { alias: 'shadow' }, 'REFUSED', ['rule']],
    ['does not tell its tier', {}, { entries: {} }, 'UNKNOWN', ['useCase.riskTier']],
  ];
  test.each(cases)('%s', (_, rule, part, outcome, failing) => {
    expect(replay(policyDocument.parse(policyWith(rule)), past(part))).toEqual({ outcome, failing });
  });
});

describe('over the history of a workspace', () => {
  let app: TestApp;
  let executed: string;
  let open: string;
  let given: Given;
  beforeAll(async () => {
    app = await testApp();
    given = await givenPromotable(app);
    executed = await givenChampion(app, given);
    const bare = await givenPromotable(app, { bare: true });
    open = await givenRequest(app, bare);
    await decide(app, bare.validator, open);
  });

  const REPLAY = `query ($document: JSON!) { replayPolicy(document: $document) {
    requests wouldBeRefused wouldBeAllowed unknown
    otherwise { changeRequestId number was outcome failing requestedByName } } }`;

  test('stricter rules name whom they would have refused, and looser ones what they would have let through', async () => {
    const stricter = policyWith({ approvals: [{ role: 'owner', quorum: 1 }] });
    const looser = policyWith({
      evidence: [],
      cardFields: [],
      approvals: [{ role: 'validator', quorum: 1 }],
    });

    const refused = await app.graphql(given.engineer, REPLAY, { document: stricter });
    const allowed = await app.graphql(given.engineer, REPLAY, { document: looser });

    expect(refused.data).toEqual({
      replayPolicy: {
        requests: 2,
        wouldBeRefused: 1,
        wouldBeAllowed: 0,
        unknown: 0,
        otherwise: [
          {
            changeRequestId: executed,
            number: 1,
            was: 'EXECUTED',
            outcome: 'REFUSED',
            failing: ['approvals.owner'],
            requestedByName: 'engineer',
          },
        ],
      },
    });
    expect(allowed.data).toMatchObject({
      replayPolicy: {
        wouldBeAllowed: 1,
        otherwise: [{ changeRequestId: open, was: 'OPEN', outcome: 'ALLOWED' }],
      },
    });
  });

  test('a proposal answers with whom it would have refused, and its request keeps saying so', async () => {
    const document = policyWith({ approvals: [{ role: 'owner', quorum: 1 }] });
    const PROPOSE = `mutation ($input: PolicyProposeInput!) { proposePolicy(input: $input) {
      id impact { wouldBeRefused otherwise { number requestedByName } } } }`;
    const { data } = await app.graphql<{ proposePolicy: { id: string } }>(given.owner, PROPOSE, {
      input: { document, reason: 'Owners answer' },
    });
    const impact = await app.graphql(
      given.engineer,
      `query ($id: ID!) { policyImpact(changeRequestId: $id) { wouldBeRefused } }`,
      { id: data?.proposePolicy.id },
    );

    expect(data).toMatchObject({
      proposePolicy: {
        impact: { wouldBeRefused: 1, otherwise: [{ number: 1, requestedByName: 'engineer' }] },
      },
    });
    expect(impact.data).toEqual({ policyImpact: { wouldBeRefused: 1 } });
  });

  test.each([
    ['of what is no policy', { document: { hello: 'world' } }, 'INVALID_INPUT'],
    ['of too many at once', { document: policyWith({}), first: 1000 }, 'INVALID_INPUT'],
  ])('is refused %s', async (_, variables, code) => {
    const query = `query ($document: JSON!, $first: Int) { replayPolicy(document: $document, first: $first) { requests } }`;

    expect((await app.graphql(given.engineer, query, variables)).code).toBe(code);
  });
});
