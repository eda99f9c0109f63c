import { expect, test } from 'vitest';
import { draftsOf, type Deed } from './drafts.js';

const deed = (kind: string, more: Partial<Deed> = {}): Deed => ({
  subject: { kind, id: '0197aaaa-0000-7000-8000-000000000001' },
  changes: {},
  facts: {},
  ...more,
});
const person = '0197aaaa-0000-7000-8000-00000000000a';
const opened = { state: { from: null, to: 'OPEN' } };

test.each<[string, Deed, object[]]>([
  ['a change nobody follows', deed('model', { changes: opened }), []],
  [
    'an incident',
    deed('incident', { changes: opened, facts: { title: 'Glass', reviewDueAt: '2026-12-01T00:00:00.000Z' } }),
    [{ event: 'INCIDENT', title: 'Incident: Glass', lines: ['Review due: 2026-12-01'], outside: true }],
  ],
  [
    'an incident that was reviewed',
    deed('incident', { changes: { state: { from: 'OPEN', to: 'REVIEWED' } } }),
    [],
  ],
  [
    'evidence that ages',
    deed('evidence', { facts: { daysAhead: 7 } }),
    [{ event: 'EVIDENCE_AGEING', title: '{name} expires in 7 days', concerned: ['evidence'] }],
  ],
  [
    'evidence of which a day is left',
    deed('evidence', { facts: { daysAhead: 1 } }),
    [{ title: '{name} expires in 1 day' }],
  ],
  ['evidence that is over', deed('evidence', { facts: { daysAhead: 0 } }), [{ title: '{name} has expired' }]],
  [
    'evidence that no longer holds',
    deed('evidence', { changes: { stale: { from: false, to: true } }, facts: { reason: 'Ages have moved' } }),
    [{ event: 'EVIDENCE_AGEING', title: '{name} no longer holds', lines: ['Because: Ages have moved'] }],
  ],
  ['evidence that was recorded', deed('evidence', { facts: { kind: 'FAIRNESS' } }), []],
  [
    'a finding of a condition',
    deed('finding', { changes: opened, facts: { ownerId: person, dueAt: '2026-12-24T10:00:00.000Z' } }),
    [{ event: 'FINDING_ASSIGNED', users: [person], lines: ['Due: 2026-12-24'] }],
  ],
  [
    'a finding whose owner is a machine',
    deed('finding', { changes: opened, facts: { ownerId: 'x' } }),
    [{ users: [] }],
  ],
  [
    'an edit that calls somebody',
    deed('comment', { changes: { revision: { from: 1, to: 2 } }, facts: { mentions: [person] } }),
    [{ event: 'MENTION', users: [person], outside: false }],
  ],
  ['a deleted comment', deed('comment', { changes: { state: { from: 'WRITTEN', to: 'DELETED' } } }), []],
  [
    'a request that ends',
    deed('changeRequest', { changes: { state: { from: 'OPEN', to: 'EXPIRED' } } }),
    [{ event: 'CHANGE_DECIDED', title: '{name} expired without a decision' }],
  ],
  [
    'a request without reason that anything is void',
    deed('changeRequest', { facts: { voided: [], differences: [] } }),
    [],
  ],
])('%s tells the right people the right thing', (_, one, expected) => {
  expect(draftsOf([one])).toMatchObject(expected);
  expect(draftsOf([one])).toHaveLength(expected.length);
});

test('a batch of reviews is one piece of news', () => {
  const reviews = Array.from({ length: 12 }, () => deed('review', { changes: opened }));

  expect(draftsOf(reviews)).toMatchObject([
    { event: 'REVIEW_WAITING', title: '12 decisions wait for a review', holders: 'review:decide' },
  ]);
});
