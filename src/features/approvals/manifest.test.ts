import { expect, test } from 'vitest';
import { differencesOf, digestOf, sentenceOf, voids, type EvidenceEntry, type Manifest } from './manifest.js';

const manifest = (entries: Record<string, unknown>): Manifest => ({
  schema: 'countersign.change-manifest/1',
  kind: 'ALIAS',
  entries,
});

const evidence = (verdict: EvidenceEntry['verdict'], required = true, id = '1'): EvidenceEntry => ({
  id,
  verdict,
  resultSha256: id,
  required,
});

test('a digest does not depend on the order in which entries were written', () => {
  expect(digestOf(manifest({ a: { x: 1, y: 2 }, b: 3 }))).toBe(
    digestOf(manifest({ b: 3, a: { y: 2, x: 1 } })),
  );
  expect(digestOf(manifest({ a: 1 }))).not.toBe(digestOf(manifest({ a: 2 })));
});

test('a difference names the entry, what it was and what it is', () => {
  const differences = differencesOf(
    manifest({ alias: 'champion', 'card.use': 'a' }),
    manifest({ alias: 'champion', 'card.use': 'b', policy: 1 }),
  );

  expect(differences).toEqual([
    { entry: 'card.use', from: 'a', to: 'b' },
    { entry: 'policy', from: null, to: 1 },
  ]);
  expect(sentenceOf(differences)).toBe('card.use changed from a to b; policy changed from null to 1');
  const attested = (value: string) => ({ value, source: 'ATTESTED' });
  const card = [{ entry: 'card.limitations', from: attested('x'.repeat(200)), to: attested('None known.') }];
  expect(sentenceOf(card)).toBe(
    `card.limitations changed from “${'x'.repeat(157)}…” (attested) to “None known.” (attested)`,
  );
});

test.each([
  ['newer evidence that passes as before', evidence('PASS'), evidence('PASS', true, '2'), false],
  ['evidence that has come', evidence('MISSING'), evidence('PASS'), false],
  ['evidence that failed before and still does', evidence('FAIL'), evidence('FAIL', true, '2'), false],
  ['evidence that failed before and is gone', evidence('FAIL'), evidence('MISSING'), false],
  ['evidence that nobody requires', evidence('PASS', false), evidence('FAIL', false), false],
  ['evidence that fails now', evidence('PASS'), evidence('FAIL', true, '2'), true],
  ['evidence that is out of date now', evidence('PASS'), evidence('STALE'), true],
  ['evidence that is gone', evidence('PASS'), null, true],
])('%s voids approvals: %#', (_, from, to, expected) => {
  expect(voids({ entry: 'evidence.FAIRNESS', from, to })).toBe(expected);
});

test('every other entry voids approvals when it changes', () => {
  expect(voids({ entry: 'useCase.riskTier', from: 'LOW', to: 'HIGH' })).toBe(true);
});
