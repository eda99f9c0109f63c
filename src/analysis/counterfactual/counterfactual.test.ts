import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type ColumnGroup, createEnsemble, type Ensemble } from '../ensemble/ensemble.js';
import { createMember } from '../ensemble/member.js';
import { readReferenceEnsemble } from '../ensemble/reference-ensemble.fixture.js';
import { AnalysisInputError } from '../errors.js';
import { randomForest } from '../trees/random-forest.fixture.js';
import { candidatesOf, type FeatureRule } from './candidates.js';
import { pairProbabilities } from './pair-grid.js';
import { type CounterfactualResult, findCounterfactuals } from './search.js';

const GROUPS: readonly ColumnGroup[] = [
  { name: 'a', columns: [0, 1] },
  { name: 'b', columns: [1, 1] },
  { name: 'kind', columns: [2, 3] },
];
const GRID: FeatureRule = { change: 'any', range: [0, 4], step: 0.25, scale: 2 };
const RULES: readonly FeatureRule[] = [GRID, GRID, { change: 'any', scale: 1 }];

function smallEnsemble(seed: number, scaled = false): Ensemble {
  const scaling = scaled
    ? { offset: new Float32Array(5).fill(0.25), scale: new Float32Array(5).fill(1.5) }
    : null;
  const model = randomForest({ trees: 6, depth: 4, width: 5, seed, scale: 2 });
  const linear = {
    kind: 'linear' as const,
    width: 5,
    weights: Float64Array.of(0.3, 0, -0.2, 0.1, 0.4),
    bias: -0.4,
  };
  return createEnsemble({
    members: [
      { member: createMember({ link: 'logistic', model, scaling }), weight: 2 },
      { member: createMember({ link: 'logistic', model: linear }), weight: 1 },
    ],
    calibration: null,
    groups: GROUPS,
  });
}

function rowOf(a: number, b: number, kind: number): Float32Array {
  const row = Float32Array.of(a, b, 0, 0, 0);
  row[2 + kind] = 1;
  return row;
}

/** All rows that differ in one or two features, on the full grid of quarters, by brute force. */
function bruteForce(
  ensemble: Ensemble,
  a: number,
  b: number,
  kind: number,
  threshold: number,
): { changes: number; distance: number }[] {
  const found: { changes: number; distance: number }[] = [];
  for (let i = 0; i <= 16; i += 1) {
    for (let j = 0; j <= 16; j += 1) {
      for (let k = 0; k < 3; k += 1) {
        const moved = [i / 4 !== a, j / 4 !== b, k !== kind];
        const changes = moved.filter(Boolean).length;
        if (changes === 0 || changes > 2) continue;
        if ((ensemble.predict(rowOf(i / 4, j / 4, k), 1).probability[0] ?? 0) < threshold) continue;
        found.push({
          changes,
          distance: Math.abs(i / 4 - a) / 2 + Math.abs(j / 4 - b) / 2 + (k === kind ? 0 : 1),
        });
      }
    }
  }
  return found.sort((x, y) => x.changes - y.changes || x.distance - y.distance);
}

describe('counterfactuals', () => {
  test.each([false, true])(
    'the nearest one is the nearest of all rows on the grid (scaled inputs: %s)',
    (scaled) => {
      fc.assert(
        fc.property(fc.nat(100_000), fc.nat(16), fc.nat(16), fc.nat(2), (seed, i, j, kind) => {
          const ensemble = smallEnsemble(seed, scaled);
          const row = rowOf(i / 4, j / 4, kind);
          const now = ensemble.predict(row, 1).probability[0] ?? 0;
          const threshold = now + 0.08;
          const result = findCounterfactuals({
            ensemble,
            row,
            rules: RULES,
            target: { side: 'at-least', threshold },
            limit: 3,
          });
          const [wanted] = bruteForce(ensemble, i / 4, j / 4, kind, threshold);
          expect(result.isComplete).toBe(true);
          const [nearest] = result.counterfactuals;
          expect(nearest?.changes.length).toBe(wanted?.changes);
          if (nearest === undefined || wanted === undefined) return;
          expect(nearest.distance).toBeCloseTo(wanted.distance, 12);
        }),
        { numRuns: 40 },
      );
    },
  );

  test('each one reaches the target, keeps the rules, and needs all of its changes', () => {
    fc.assert(
      fc.property(fc.nat(100_000), (seed) => {
        const ensemble = smallEnsemble(seed);
        const row = rowOf(1, 2, 0);
        const rules: readonly FeatureRule[] = [
          { ...GRID, change: 'increase' },
          { ...GRID, change: 'decrease' },
          { change: 'any', scale: 1, allowed: [0, 2] },
        ];
        const threshold = (ensemble.predict(row, 1).probability[0] ?? 0) - 0.05;
        const { counterfactuals } = findCounterfactuals({
          ensemble,
          row,
          rules,
          target: { side: 'below', threshold },
          limit: 6,
        });
        for (const { changes, row: changed, probability } of counterfactuals) {
          expect(ensemble.predict(changed, 1).probability[0]).toBe(probability);
          expect(probability).toBeLessThan(threshold);
          expect(changed[0]).toBeGreaterThanOrEqual(1);
          expect(changed[1]).toBeLessThanOrEqual(2);
          expect(changed[3]).toBe(0);
          expect(changed.subarray(2).reduce((sum, cell) => sum + cell, 0)).toBe(1);
          if (changes.length < 2) continue;
          for (const { player } of changes) {
            const alone = Float32Array.from(row);
            const [start, length] = GROUPS[player]?.columns ?? [0, 0];
            alone.set(changed.subarray(start, start + length), start);
            expect(ensemble.predict(alone, 1).probability[0]).toBeGreaterThanOrEqual(threshold);
          }
        }
        const sets = counterfactuals.map(({ changes }) => changes.map(({ player }) => player).join());
        expect(new Set(sets).size).toBe(sets.length);
      }),
      { numRuns: 40 },
    );
  });

  test.each([false, true])(
    'the grid of pairs holds what the ensemble predicts for each of them (scaled inputs: %s)',
    (scaled) => {
      fc.assert(
        fc.property(fc.nat(100_000), (seed) => {
          const ensemble = smallEnsemble(seed, scaled);
          const row = rowOf(1, 2, 0);
          const [a = [], b = [], kind = []] = candidatesOf(ensemble, row, RULES);
          for (const [first, second] of [
            [a, b],
            [b, kind],
            [kind, a],
          ] as const) {
            const grid = pairProbabilities(ensemble, row, first, second);
            first.forEach((one, i) => {
              second.forEach((other, j) => {
                const changed = Float32Array.from(row);
                for (const { player, value } of [one, other]) {
                  if (player < 2) changed[player] = value;
                  else changed.fill(0, 2).fill(1, 2 + value, 3 + value);
                }
                expect(grid[i * second.length + j]).toBeCloseTo(
                  ensemble.predict(changed, 1).probability[0] ?? Number.NaN,
                  12,
                );
              });
            });
          }
        }),
        { numRuns: 15 },
      );
    },
  );

  const ensemble = smallEnsemble(17);
  const ask = (changes: Partial<Parameters<typeof findCounterfactuals>[0]>): CounterfactualResult =>
    findCounterfactuals({
      ensemble,
      row: rowOf(1, 2, 0),
      rules: RULES,
      target: { side: 'at-least', threshold: 0.999 },
      limit: 3,
      ...changes,
    });

  test('an empty list says why', () => {
    expect(ask({})).toMatchObject({
      counterfactuals: [],
      isComplete: true,
      reason: expect.stringContaining('No change of one or two'),
    });
    expect(ask({ target: { side: 'at-least', threshold: 0 } }).reason).toBe(
      'The row already is where it should be.',
    );
    expect(ask({ rules: RULES.map((rule) => ({ ...rule, change: 'fixed' as const })) }).reason).toBe(
      'No feature may change.',
    );
  });

  test('work is bounded, and a search that ended early says so', () => {
    const early = ask({ budget: 10 });
    expect(early).toMatchObject({
      isComplete: false,
      reason: expect.stringContaining('at 10 combinations'),
    });
    const later = ask({ budget: 60 });
    expect(later.isComplete).toBe(false);
    expect(later.evaluations).toBeLessThanOrEqual(60);
  });

  test('a missing value and a category set twice are left alone', () => {
    const row = Float32Array.of(Number.NaN, 2, 1, 1, 0);
    const lists = candidatesOf(smallEnsemble(3), row, RULES);
    expect(lists[0]).toEqual([]);
    expect(lists[2]).toEqual([]);
    expect(lists[1]?.length).toBeGreaterThan(0);
  });

  test('rows and rules that do not fit are refused', () => {
    expect(() => ask({ row: new Float32Array(4) })).toThrow(AnalysisInputError);
    expect(() => ask({ rules: RULES.slice(1) })).toThrow('2 rules for 3 features');
    expect(() => ask({ rules: [{ ...GRID, scale: 0 }, ...RULES.slice(1)] })).toThrow(
      "scale of 'a' must be positive",
    );
  });

  test('of the reference ensemble are found within the budget', () => {
    const reference = readReferenceEnsemble('1.0.0');
    const rules: readonly FeatureRule[] = reference.manifest.inputs.map(({ categories, name }) => ({
      change: name === 'age' ? 'fixed' : 'any',
      scale: categories === undefined ? 10 : 1,
      step: 1,
      range: name.startsWith('capital') ? [0, 99_999] : [1, 99],
    }));
    let found = 0;
    for (const { features, probability } of reference.golden.slice(0, 3)) {
      const side = probability < 0.5 ? 'at-least' : 'below';
      const result = findCounterfactuals({
        ensemble: reference.ensemble,
        row: Float32Array.from(features),
        rules,
        target: { side, threshold: 0.5 },
        limit: 3,
      });
      found += result.counterfactuals.length;
      for (const one of result.counterfactuals) expect(one.probability >= 0.5).toBe(side === 'at-least');
    }
    expect(found).toBeGreaterThan(2);
  });
});
