import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStricter, judgeRisk, prohibitionsOf, type Answered } from './judge-risk.js';
import { questionnaire, readQuestionnaire, unknownAnswer } from './questionnaire.js';

const { document } = questionnaire();

/** The mildest answer to every question, but for those that are given. */
const answered = (given: Readonly<Record<string, readonly string[]>> = {}): Answered[] =>
  document.questions.map(({ id, answers }) => ({
    question: id,
    answers: given[id] ?? [answers[0]?.id ?? ''],
  }));

test('the mildest answers give nothing, and the reasons say so', () => {
  const { inherentScore, residualScore, tier, reasons } = judgeRisk(document, answered(), []);

  expect([inherentScore, residualScore, tier]).toEqual([0, 0, 'LOW']);
  expect(reasons[0]?.text).toBe('Inherent 0 of 100 (LOW), residual 0: the tier is LOW.');
});

test('a category of high risk makes the tier HIGH, whatever else is answered and done', () => {
  const everything = document.mitigations.map(({ id }) => ({ id, how: 'so' }));

  const { tier, residualScore, reasons } = judgeRisk(
    document,
    answered({ legal: ['annex-iii-5'] }),
    everything,
  );

  expect(residualScore).toBeLessThan(document.tiers.MEDIUM);
  expect(tier).toBe('HIGH');
  expect(reasons.map((one) => one.text)).toContain(
    'At least HIGH: Essential private and public services, creditworthiness, insurance (Annex III, 5).',
  );
});

test('what nobody knows counts like the worst answer, and its demands too', () => {
  const { tier, inherentScore, reasons } = judgeRisk(document, answered({ harm: [unknownAnswer] }), []);

  expect(inherentScore).toBe(judgeRisk(document, answered({ harm: ['severe'] }), []).inherentScore);
  expect(tier).toBe('HIGH');
  expect(reasons.find((one) => one.kind === 'ANSWER' && one.question === 'harm')?.text).toMatch(
    /^Nobody knows/,
  );
});

test('of several answers the worst counts once, and the reasons together make the score', () => {
  const given = answered({ legal: ['annex-iii-4', 'annex-iii-5', 'art-50'], autonomy: ['decides-alone'] });

  const { inherentScore, reasons } = judgeRisk(document, given, []);

  const points = reasons.filter((one) => one.kind === 'ANSWER').reduce((sum, one) => sum + one.points, 0);
  expect(points).toBeCloseTo(inherentScore, 0);
  expect(reasons.filter((one) => one.question === 'legal' && one.kind === 'ANSWER')).toHaveLength(3);
});

test('a prohibited answer is found with its article', () => {
  expect(prohibitionsOf(document, answered({ legal: ['art-5-1-c', 'annex-iii-5'] }))).toEqual([
    { question: 'legal', answer: 'art-5-1-c', label: 'Social scoring', article: 'Art. 5(1)(c)' },
  ]);
});

const anyAnswers = fc.tuple(
  ...document.questions.map(({ id, answers }) =>
    fc
      .constantFrom(...answers.map((one) => one.id), unknownAnswer)
      .map((answer): Answered => ({ question: id, answers: [answer] })),
  ),
);
const anyMitigations = fc
  .subarray(document.mitigations.map((one) => one.id))
  .map((ids) => ids.map((id) => ({ id, how: 'so' })));

test('mitigations never raise the risk, never lower a tier by more than a step, and never pass a demand', () => {
  fc.assert(
    fc.property(anyAnswers, anyMitigations, (given, done) => {
      const { inherentScore, inherentTier, residualScore, tier } = judgeRisk(document, given, done);
      expect(residualScore).toBeLessThanOrEqual(inherentScore);
      expect(residualScore).toBeGreaterThanOrEqual(0);
      expect(inherentScore).toBeLessThanOrEqual(100);
      expect(isStricter(tier, inherentTier)).toBe(false);
      if (inherentTier === 'HIGH') expect(tier).not.toBe('LOW');
      expect(judgeRisk(document, given, []).tier).toBe(inherentTier);
    }),
  );
});

describe('a questionnaire is not taken', () => {
  const base = {
    schema: 'countersign.risk-questionnaire/1',
    version: 1,
    title: 'x',
    tiers: { MEDIUM: 30, HIGH: 60 },
    questions: [
      {
        id: 'a',
        section: 's',
        text: 't',
        weight: 1,
        answers: [
          { id: 'one', label: 'l', score: 0, reason: 'r' },
          { id: 'two', label: 'l', score: 4, reason: 'r' },
        ],
      },
    ],
    mitigations: [],
  };
  const [first] = base.questions;

  test.each([
    ['whose tiers are the wrong way round', { tiers: { MEDIUM: 60, HIGH: 30 } }],
    ['that names a question twice', { questions: [first, first] }],
    ['that lowers what it does not ask', { mitigations: [{ id: 'm', label: 'l', lowers: { b: 1 } }] }],
    [
      'that defines the answer of those who do not know',
      { questions: [{ ...first, answers: [{ id: unknownAnswer, label: 'l', score: 0, reason: 'r' }] }] },
    ],
  ])('%s', (_, change) => {
    expect(() => readQuestionnaire(JSON.stringify({ ...base, ...change }))).toThrow();
  });
});
