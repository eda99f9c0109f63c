import { expect, test } from 'vitest';
import { parseEvaluationPolicy, type Limit } from './evaluation-policy.js';
import { rowSample } from './evaluations.jobs/columns.js';
import type { Figure } from './evidence-result.js';
import { judge, verdictOf } from './judge.js';

const figure = (name: string, value: number | null): Figure => ({
  name,
  label: name,
  value,
  low: null,
  high: null,
  n: 1,
  reason: null,
});
const atLeast = (name: string, bound: number, mode: Limit['mode'] = 'ENFORCE'): Limit => ({
  figure: name,
  atLeast: bound,
  mode,
  why: 'because',
});
const atMost = (name: string, bound: number, mode: Limit['mode'] = 'ENFORCE'): Limit => ({
  figure: name,
  atMost: bound,
  mode,
  why: 'because',
});
const verdict = (figures: Figure[], limits: Limit[]) => verdictOf(judge(figures, limits));

test('a limit holds at its bound and breaks beyond it', () => {
  expect(verdict([figure('a', 0.84)], [atLeast('a', 0.84)])).toBe('PASS');
  expect(verdict([figure('a', 0.8399)], [atLeast('a', 0.84)])).toBe('FAIL');
  expect(verdict([figure('a', 0.03)], [atMost('a', 0.03)])).toBe('PASS');
  expect(verdict([figure('a', 0.0301)], [atMost('a', 0.03)])).toBe('FAIL');
});

test('a figure without a value is missing, and failing weighs more than missing', () => {
  expect(verdict([figure('a', null)], [atLeast('a', 0)])).toBe('MISSING');
  expect(verdict([], [atLeast('a', 0)])).toBe('MISSING');
  expect(verdict([figure('b', 0)], [atLeast('a', 0), atLeast('b', 1)])).toBe('FAIL');
});

test('a watched limit decides nothing, and without a deciding limit nothing passes', () => {
  expect(verdict([figure('a', 0), figure('b', 1)], [atLeast('a', 1, 'WARN'), atLeast('b', 1)])).toBe('PASS');
  expect(verdict([figure('a', 1)], [atLeast('a', 1, 'WARN')])).toBe('MISSING');
});

test('a policy whose checks decide nothing is refused', () => {
  const checks = '[{ figure: a, atLeast: 1, mode: WARN, why: x }]';
  const text = `schema: countersign.evaluation-policy/1
validDays: { PERFORMANCE: 1, FAIRNESS: 1, ATTRIBUTION: 1 }
seed: 1
bins: 2
attributes: [sex]
intersections: []
unknown: []
attributionSample: 2
checks: { PERFORMANCE: ${checks}, FAIRNESS: ${checks}, ATTRIBUTION: ${checks} }`;

  expect(() => parseEvaluationPolicy(text)).toThrow('needs a check that decides');
});

test('a sample has its size, keeps the order of the rows, and is the same for the same seed only', () => {
  const draw = (seed: number): number[] => {
    const sample = rowSample(50, seed);
    for (let row = 0; row < 1000; row += 1) sample.offer(Float32Array.of(row));
    return sample.rows().map((values) => values[0] ?? -1);
  };

  expect(draw(7)).toHaveLength(50);
  expect(draw(7)).toEqual(draw(7).toSorted((a, b) => a - b));
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('every row has the same chance to be drawn', () => {
  const drawn = new Array<number>(20).fill(0);
  for (let seed = 1; seed <= 4000; seed += 1) {
    const sample = rowSample(5, seed);
    for (let row = 0; row < 20; row += 1) sample.offer(Float32Array.of(row));
    for (const [row = 0] of sample.rows()) drawn[row] = (drawn[row] ?? 0) + 1;
  }
  // Expected 1000 each, standard deviation 27: five of them are not left by chance.
  for (const count of drawn) expect(Math.abs(count - 1000)).toBeLessThan(140);
});
