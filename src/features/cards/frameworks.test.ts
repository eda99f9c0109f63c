import { describe, expect, test } from 'vitest';
import { cardWith, fullCard } from '../../testing/given-card.js';
import { resultOf } from '../../testing/given-evidence.js';
import { cardFields } from './card-fields.js';
import { assessFramework, frameworkPacks, readPack } from './frameworks.js';

const packOf = (id: string) => {
  const found = frameworkPacks().find((one) => one.id === id);
  if (!found) throw new Error(`no pack ${id}`);
  return found;
};

const everything = Object.fromEntries(cardFields().map(({ name }) => [name, fullCard[name] ?? 'known']));
const known = {
  ...everything,
  fairness: { verdict: 'PASS', ...resultOf('FAIRNESS') },
  attribution: { verdict: 'FAIL', ...resultOf('ATTRIBUTION') },
  impactRatios: { rows: ['sex', 'race', 'sex & race'].map((attribute) => ({ attribute })) },
};

test('the seven frameworks are there, each with a pack of its own', () => {
  expect(frameworkPacks().map(({ id }) => id)).toEqual([
    'eu-ai-act-annex-iv',
    'google-mct',
    'hugging-face',
    'iso-42001',
    'nist-ai-rmf',
    'nyc-ll144',
    'sr-26-2',
  ]);
  expect(new Set(frameworkPacks().map(({ sha256 }) => sha256)).size).toBe(7);
});

describe.each(frameworkPacks().map((pack) => [pack.id, pack] as const))('%s', (_, pack) => {
  test('is incomplete while nothing is known, and says of everything how it comes', () => {
    const { status, score, missingMandatory, requirements } = assessFramework(pack, cardWith({}));

    expect([status, score]).toEqual(['INCOMPLETE', 0]);
    expect(requirements.every(({ state }) => state === 'MISSING')).toBe(true);
    expect(missingMandatory.every(({ howToFill }) => howToFill.length > 5)).toBe(true);
    expect(new Set(missingMandatory.map(({ label }) => label)).size).toBe(missingMandatory.length);
  });

  test('is complete when everything is known', () => {
    expect(assessFramework(pack, cardWith(known))).toMatchObject({
      status: 'COMPLETE',
      score: 1,
      missingMandatory: [],
    });
  });

  test('is incomplete as soon as one mandatory field is not known any more', () => {
    const [first] = pack.requirements.filter((one) => one.mandatory && one.fields.length > 0);
    const without = { ...known, [first?.fields[0] ?? '']: undefined };

    const { status, score } = assessFramework(pack, cardWith(without));

    expect(status).toBe('INCOMPLETE');
    expect(score).toBeLessThan(1);
  });
});

test('evidence that is out of date does not count, and the way to new evidence is said', () => {
  const old = { ...known, performance: { verdict: 'STALE', ...resultOf('PERFORMANCE') } };

  const { requirements } = assessFramework(packOf('eu-ai-act-annex-iv'), cardWith(old));

  expect(requirements.find(({ id }) => id === '2.g')).toMatchObject({
    state: 'PARTLY',
    missing: [
      {
        name: 'PERFORMANCE',
        howToFill: 'Evidence of performance is out of date: start an evaluation with `startEvaluation`.',
      },
    ],
  });
});

test('impact ratios must cover both characteristics and both together', () => {
  const some = { ...known, impactRatios: { rows: [{ attribute: 'sex' }] } };

  const { requirements } = assessFramework(packOf('nyc-ll144'), cardWith(some));

  expect(requirements.find(({ id }) => id === 'RATE-1')?.missing.map(({ label }) => label)).toEqual([
    'Impact ratios by race',
    'Impact ratios by sex & race',
  ]);
});

describe('a pack is not taken', () => {
  const pack = (requirement: object): string =>
    JSON.stringify({
      ...{ schema: 'countersign.framework/1', id: 'x', edition: 1, title: 't', source: 's' },
      requirements: [requirement],
    });

  test.each([
    ['that asks for a field that no card has', { id: 'a', text: 't', fields: ['shoeSize'] }, /shoeSize/],
    ['that asks for nothing', { id: 'a', text: 't' }, /asks for nothing/],
    ['that says what packs do not say', { id: 'a', text: 't', fields: ['users'], weight: 2 }, /weight/],
  ])('%s', (_, requirement, reason) => {
    expect(() => readPack(pack(requirement))).toThrow(reason);
  });
});
