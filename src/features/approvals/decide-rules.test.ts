import { describe, expect, test } from 'vitest';
import type { Actor, Role, ServiceActor, UserActor } from '../../kernel/actor.js';
import { systemActor } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import type { Verdict } from './approval.entity.js';
import { judge, missingOf, quorumMet, type Case, type Counted } from './decide-rules.js';
import { noDemands, type Slot } from './demands.js';
import { initialPolicy } from './policy-in-force.js';

const scope = { organizationId: 'o', workspaceId: 'w' };

const person = (id: string, ...roles: Role[]): UserActor => ({
  ...scope,
  kind: 'user',
  id,
  name: id,
  roles,
  authenticatedAt: new Date(0),
  sessionId: null,
  tokenId: null,
  scopes: null,
});

const machine = (...roles: Role[]): ServiceActor => ({
  ...scope,
  kind: 'service',
  id: 'tool',
  name: 'tool',
  roles,
  tokenId: 't',
  scopes: null,
});

const slots: readonly Slot[] = [
  { roles: ['validator'], quorum: 1, step: 1 },
  { roles: ['compliance'], quorum: 1, step: 1 },
];

const demands = { ...noDemands(initialPolicy('enforced').document), slots };

const now = new Date('2026-11-23T12:00:00Z');
const later = new Date('2026-11-24T12:00:00Z');

const change = {
  state: 'OPEN',
  number: 12,
  requestedBy: 'rita',
  expiresAt: later,
  closeReason: null,
} as const;

const decision = (by: string, role: Role, verdict: Verdict = 'APPROVE'): Counted => ({ by, role, verdict });

const open: Case = {
  change,
  situation: { demands, lineage: new Set(['maker']), barred: new Map([['olga', 'owns the use case']]) },
  decisions: [],
  now,
};

const ruleOf = (one: Case, actor: Actor, verdict: Verdict, role?: Role): string => {
  try {
    return `as ${judge(one, actor, verdict, role).role}`;
  } catch (error) {
    if (error instanceof AppError) return String(error.details['rule']);
    throw error;
  }
};

const both = [decision('vera', 'validator'), decision('carl', 'compliance')];

describe('who decides', () => {
  const cases: [string, Partial<Case>, Actor, Verdict, Role | undefined, string][] = [
    ['a validator approves', {}, person('vera', 'validator'), 'APPROVE', undefined, 'as validator'],
    ['compliance approves', {}, person('carl', 'compliance'), 'APPROVE', undefined, 'as compliance'],
    ['a validator rejects', {}, person('vera', 'validator'), 'REJECT', undefined, 'as validator'],
    ['the requester does not', {}, person('rita', 'validator'), 'APPROVE', undefined, 'requester'],
    ['nor rejects', {}, person('rita', 'compliance'), 'REJECT', undefined, 'requester'],
    [
      'whoever had a hand in it does not',
      {},
      person('maker', 'validator'),
      'APPROVE',
      undefined,
      'separation-of-duties',
    ],
    [
      'not as an administrator either',
      {},
      person('maker', 'administrator', 'validator'),
      'APPROVE',
      undefined,
      'separation-of-duties',
    ],
    [
      'nor asks for changes',
      {},
      person('maker', 'validator'),
      'REQUEST_CHANGES',
      undefined,
      'separation-of-duties',
    ],
    [
      'whom the policy bars does not',
      {},
      person('olga', 'validator'),
      'APPROVE',
      undefined,
      'excluded-by-policy',
    ],
    [
      'a service account does not, whatever its roles',
      {},
      machine('validator', 'compliance', 'administrator'),
      'APPROVE',
      undefined,
      'service-account',
    ],
    ['nor the product itself', {}, systemActor('setup', scope), 'APPROVE', undefined, 'service-account'],
    [
      'a role that is not asked does not',
      {},
      person('anna', 'administrator', 'owner'),
      'APPROVE',
      undefined,
      'role-not-asked',
    ],
    [
      'nor a role that the person lacks',
      {},
      person('vera', 'validator'),
      'APPROVE',
      'compliance',
      'role-not-asked',
    ],
    [
      'with two roles the missing one counts',
      { decisions: [decision('vera', 'validator')] },
      person('dora', 'validator', 'compliance'),
      'APPROVE',
      undefined,
      'as compliance',
    ],
    [
      'or the one that is named',
      {},
      person('dora', 'validator', 'compliance'),
      'APPROVE',
      'compliance',
      'as compliance',
    ],
    [
      'but never both',
      { decisions: [decision('dora', 'validator')] },
      person('dora', 'validator', 'compliance'),
      'APPROVE',
      'compliance',
      'already-decided',
    ],
    [
      'nobody decides twice',
      { decisions: [decision('vera', 'validator')] },
      person('vera', 'validator'),
      'REJECT',
      undefined,
      'already-decided',
    ],
    [
      'nobody approves what has its approvals',
      { decisions: both },
      person('vic', 'validator'),
      'APPROVE',
      undefined,
      'quorum-complete',
    ],
    [
      'but it can still be rejected',
      { decisions: both },
      person('vic', 'validator'),
      'REJECT',
      undefined,
      'as validator',
    ],
    [
      'not what is carried out',
      { change: { ...change, state: 'EXECUTED' } },
      person('vera', 'validator'),
      'APPROVE',
      undefined,
      'closed',
    ],
    [
      'not what was rejected',
      { change: { ...change, state: 'REJECTED' } },
      person('vera', 'validator'),
      'APPROVE',
      undefined,
      'closed',
    ],
    [
      'not what was withdrawn',
      { change: { ...change, state: 'WITHDRAWN' } },
      person('vera', 'validator'),
      'APPROVE',
      undefined,
      'closed',
    ],
    [
      'not what is being carried out',
      { change: { ...change, state: 'APPROVED' } },
      person('vera', 'validator'),
      'REJECT',
      undefined,
      'approved',
    ],
    ['not past its time', { now: later }, person('vera', 'validator'), 'APPROVE', undefined, 'expired'],
  ];
  test.each(cases)('%s', (_, differs, actor, verdict, role, outcome) => {
    expect(ruleOf({ ...open, ...differs }, actor, verdict, role)).toBe(outcome);
  });
});

describe('approvals are complete', () => {
  test.each([
    ['with one of each', both, true],
    ['not with one of them', both.slice(0, 1), false],
    ['not with two of one role', [decision('vera', 'validator'), decision('vic', 'validator')], false],
    [
      'not while somebody asks for changes',
      [...both, decision('vic', 'validator', 'REQUEST_CHANGES')],
      false,
    ],
    ['not with none', [], false],
  ] as const)('%s', (_, decisions, complete) => {
    expect(quorumMet(slots, decisions)).toBe(complete);
  });

  test('never when nothing is asked: no rule is no permission', () => {
    expect(quorumMet([], [])).toBe(false);
  });

  test('with any of the roles where the policy says so', () => {
    const slot: Slot = { roles: ['compliance', 'owner'], quorum: 2, step: 1 };

    expect(missingOf(slot, [decision('olga', 'owner')])).toBe(1);
    expect(missingOf(slot, [decision('olga', 'owner'), decision('carl', 'compliance')])).toBe(0);
  });
});
