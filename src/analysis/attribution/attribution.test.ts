import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type ColumnGroup, createEnsemble, type Ensemble } from '../ensemble/ensemble.js';
import { createMember } from '../ensemble/member.js';
import { AdditivityError, AnalysisInputError } from '../errors.js';
import type { LinearModel } from '../linear/linear.js';
import { randomForest, randomMatrix, seededUniform } from '../trees/random-forest.fixture.js';
import { enumerateShapley } from './enumeration.fixture.js';
import { expDown, steadySigmoid } from './exp.js';
import { createExplainer, explainRows } from './explain.js';
import { globalAttribution } from './global.js';

const WIDTH = 8;
const GROUPS: readonly ColumnGroup[] = [
  { name: 'a', columns: [0, 1] },
  { name: 'b', columns: [1, 1] },
  { name: 'c', columns: [2, 3] },
  { name: 'd', columns: [5, 1] },
  { name: 'e', columns: [6, 2] },
];

function randomLinear(seed: number): LinearModel {
  const uniform = seededUniform(seed);
  return {
    kind: 'linear',
    width: WIDTH,
    weights: Float64Array.from({ length: WIDTH }, () => uniform() - 0.5),
    bias: 0.1,
  };
}

function scaled(): { offset: Float32Array; scale: Float32Array } {
  return { offset: new Float32Array(WIDTH).fill(0.5), scale: new Float32Array(WIDTH).fill(0.7) };
}

function mixedEnsemble(seed: number, withLinear: boolean): Ensemble {
  const boosted = randomForest({ trees: 7, depth: 5, width: WIDTH, seed });
  const bagged = randomForest({ trees: 5, depth: 4, width: WIDTH, seed: seed + 1, scale: 0.1 });
  const members = [
    { member: createMember({ link: 'logistic', model: boosted }), weight: 2 },
    {
      member: createMember({ link: 'identity', model: { ...bagged, base: 0.5 }, scaling: scaled() }),
      weight: 1,
    },
  ];
  if (withLinear)
    members.push({ member: createMember({ link: 'logistic', model: randomLinear(seed) }), weight: 1.5 });
  return createEnsemble({ members, calibration: { method: 'platt-logit', a: 1.3, b: -0.2 }, groups: GROUPS });
}

describe('exact attribution', () => {
  test('equals the enumeration of all coalitions, with repeated features, NaN, equality splits and groups', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
        const ensemble = mixedEnsemble(seed, false);
        const background = randomMatrix(5, WIDTH, seed + 2);
        const row = randomMatrix(1, WIDTH, seed + 3);
        const { values } = explainRows(ensemble, row, background);
        const wanted = enumerateShapley(ensemble, row, background);
        for (const [player, value] of wanted.entries()) expect(values[player]).toBeCloseTo(value, 12);
      }),
      { numRuns: 60 },
    );
  });

  test('equals the enumeration when a linear member votes with trees', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
        const ensemble = mixedEnsemble(seed, true);
        const background = randomMatrix(4, WIDTH, seed + 2, 0);
        const row = randomMatrix(1, WIDTH, seed + 3, 0);
        const { values } = explainRows(ensemble, row, background);
        const wanted = enumerateShapley(ensemble, row, background);
        for (const [player, value] of wanted.entries()) expect(values[player]).toBeCloseTo(value, 12);
      }),
      { numRuns: 40 },
    );
  });

  test('the WebAssembly kernel and plain TypeScript give the same bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.boolean(), (seed, withLinear) => {
        const ensemble = mixedEnsemble(seed, withLinear);
        const missing = withLinear ? 0 : 0.1;
        const background = randomMatrix(5, WIDTH, seed + 2, missing);
        const matrix = randomMatrix(4, WIDTH, seed + 3, missing);
        const [fast = [], plain = []] = (['wasm', 'plain'] as const).map((kernel) => [
          ...createExplainer(ensemble, background, kernel).explain(matrix).values,
        ]);
        expect(fast).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });

  test('its own exponential is that of the language to the last places', () => {
    fc.assert(
      fc.property(fc.double({ min: -708, max: 0, noNaN: true }), (x) => {
        expect(Math.abs(expDown(x) / Math.exp(x) - 1)).toBeLessThan(5e-16);
      }),
    );
    expect([expDown(0), expDown(-709), expDown(Number.NEGATIVE_INFINITY)]).toEqual([1, 0, 0]);
    expect(steadySigmoid(0)).toBe(0.5);
  });

  test('adds up to the prediction for every row (efficiency)', () => {
    const ensemble = mixedEnsemble(11, false);
    const { base, values, probability, players } = explainRows(
      ensemble,
      randomMatrix(40, WIDTH, 5),
      randomMatrix(9, WIDTH, 6),
    );
    probability.forEach((value, row) => {
      const sum = values
        .subarray(row * players.length, (row + 1) * players.length)
        .reduce((a, b) => a + b, base);
      expect(Math.abs(sum - value)).toBeLessThan(1e-12);
    });
  });

  test('gives nothing to a feature that no member reads (dummy)', () => {
    const forest = randomForest({ trees: 9, depth: 5, width: WIDTH - 1, seed: 4 });
    const ensemble = createEnsemble({
      members: [
        { member: createMember({ link: 'logistic', model: { ...forest, width: WIDTH } }), weight: 1 },
      ],
      calibration: null,
      groups: Array.from({ length: WIDTH }, (_, column) => ({
        name: String(column),
        columns: [column, 1] as const,
      })),
    });
    const { values } = explainRows(ensemble, randomMatrix(1, WIDTH, 7), randomMatrix(6, WIDTH, 8));
    expect(values[WIDTH - 1]).toBe(0);
    expect(values.some((value) => value !== 0)).toBe(true);
  });

  test('gives the same to two features that play the same part (symmetry)', () => {
    const forest = randomForest({ trees: 6, depth: 4, width: 2, seed: 9 });
    const mirrored = {
      ...forest,
      feature: forest.feature.map((feature) => (feature < 0 ? -1 : 1 - feature)),
    };
    const ensemble = createEnsemble({
      members: [forest, mirrored].map((model) => ({
        member: createMember({ link: 'logistic', model }),
        weight: 1,
      })),
      calibration: { method: 'platt-logit', a: 0.9, b: 0.1 },
      groups: [
        { name: 'left', columns: [0, 1] },
        { name: 'right', columns: [1, 1] },
      ],
    });
    const { values } = explainRows(ensemble, Float32Array.of(3, 3), Float32Array.of(0.5, 0.5, 1, 1, 2, 2));
    expect(values[0]).not.toBe(0);
    expect(values[0]).toBeCloseTo(values[1] ?? Number.NaN, 14);
  });

  test('of an uncalibrated vote is the weighted sum of the members explained alone (linearity)', () => {
    const background = randomMatrix(6, WIDTH, 21);
    const row = randomMatrix(1, WIDTH, 22);
    const members = [31, 32, 33].map((seed) =>
      createMember({ link: 'logistic', model: randomForest({ trees: 4, depth: 4, width: WIDTH, seed }) }),
    );
    const weights = [0.5, 0.3, 0.2];
    const alone = members.map((member) =>
      explainRows(
        createEnsemble({ members: [{ member, weight: 1 }], calibration: null, groups: GROUPS }),
        row,
        background,
      ),
    );
    const together = explainRows(
      createEnsemble({
        members: members.map((member, index) => ({ member, weight: weights[index] ?? 0 })),
        calibration: null,
        groups: GROUPS,
      }),
      row,
      background,
    );
    GROUPS.forEach((_, player) => {
      const sum = alone.reduce(
        (total, { values }, index) => total + (weights[index] ?? 0) * (values[player] ?? Number.NaN),
        0,
      );
      expect(together.values[player]).toBeCloseTo(sum, 13);
    });
  });

  test('is zero when the background is the row itself', () => {
    const row = randomMatrix(1, WIDTH, 3);
    expect([...explainRows(mixedEnsemble(5, false), row, row).values]).toEqual([0, 0, 0, 0, 0]);
  });

  test('does not change when rows are explained together or apart', () => {
    const explainer = createExplainer(mixedEnsemble(5, false), randomMatrix(5, WIDTH, 4));
    const matrix = randomMatrix(6, WIDTH, 5);
    const together = explainer.explain(matrix).values;
    const last = explainer.explain(matrix.subarray(5 * WIDTH)).values;
    expect([...together.subarray(5 * GROUPS.length)]).toEqual([...last]);
  });

  test('is refused when a missing value meets a linear member, which has no answer to it', () => {
    const row = new Float32Array(WIDTH).fill(Number.NaN);
    const complete = randomMatrix(3, WIDTH, 4, 0);
    const needs = 'misses a value that a linear member needs';
    expect(() => explainRows(mixedEnsemble(5, true), row, complete)).toThrow(`Row 0 of the matrix ${needs}`);
    expect(() => explainRows(mixedEnsemble(5, true), complete, row)).toThrow(
      `Row 0 of the background ${needs}`,
    );
  });

  test('is withheld when its own sum contradicts the prediction', () => {
    const ensemble = mixedEnsemble(5, false);
    const shifted = (matrix: Float32Array, rows: number): ReturnType<Ensemble['predict']> => {
      const prediction = ensemble.predict(matrix, rows);
      return { ...prediction, probability: prediction.probability.map((value) => value + rows * 1e-8) };
    };
    const explain = (): unknown =>
      explainRows({ ...ensemble, predict: shifted }, randomMatrix(1, WIDTH, 4), randomMatrix(3, WIDTH, 5));
    expect(explain).toThrow(AdditivityError);
    expect(explain).toThrow('The explanation is withheld.');
  });

  test('is refused without a background, and when the matrix does not fit the columns', () => {
    const ensemble = mixedEnsemble(5, false);
    expect(() => createExplainer(ensemble, new Float32Array(0))).toThrow(AnalysisInputError);
    expect(() => createExplainer(ensemble, new Float32Array(WIDTH + 1))).toThrow('no multiple of 8 columns');
    expect(() => createExplainer(ensemble, randomMatrix(2, WIDTH, 1)).explain(new Float32Array(3))).toThrow(
      AnalysisInputError,
    );
  });

  test('stops with a sentence when more than twenty features differ', () => {
    const width = 24;
    const model: LinearModel = { kind: 'linear', width, weights: new Float64Array(width).fill(1), bias: 0 };
    const ensemble = createEnsemble({
      members: [{ member: createMember({ link: 'logistic', model }), weight: 1 }],
      calibration: null,
      groups: Array.from({ length: width }, (_, column) => ({
        name: String(column),
        columns: [column, 1] as const,
      })),
    });
    const explainer = createExplainer(ensemble, new Float32Array(width));
    expect(() => explainer.explain(new Float32Array(width).fill(1))).toThrow('More than 20 features differ');
    expect(
      explainer.explain(Float32Array.from({ length: width }, (_, column) => (column < 4 ? 1 : 0))).values[3],
    ).toBeGreaterThan(0);
  });
});

describe('global attribution', () => {
  test('is the mean of absolute contributions with its standard error, over batches', () => {
    const explainer = createExplainer(mixedEnsemble(8, false), randomMatrix(5, WIDTH, 4));
    const batches = [randomMatrix(7, WIDTH, 1), randomMatrix(12, WIDTH, 2)].map((matrix) =>
      explainer.explain(matrix),
    );
    const summary = globalAttribution(explainer.players);
    for (const batch of batches) summary.add(batch);
    const sizes = batches.flatMap(({ values }) =>
      [...values].filter((_, at) => at % GROUPS.length === 2).map(Math.abs),
    );
    const mean = sizes.reduce((sum, size) => sum + size, 0) / 19;
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / 18;
    const result = summary.result()[2];
    expect(result).toMatchObject({ player: 'c', n: 19 });
    expect(result?.mean).toBeCloseTo(mean, 14);
    expect(result?.standardError).toBeCloseTo(Math.sqrt(variance / 19), 14);
  });

  test('states no error for a single row, and refuses other players', () => {
    const explanation = explainRows(
      mixedEnsemble(8, false),
      randomMatrix(1, WIDTH, 4),
      randomMatrix(3, WIDTH, 4),
    );
    const summary = globalAttribution(explanation.players);
    summary.add(explanation);
    expect(summary.result()[0]?.standardError).toBeNull();
    expect(() => {
      globalAttribution(['x']).add(explanation);
    }).toThrow(AnalysisInputError);
  });
});
