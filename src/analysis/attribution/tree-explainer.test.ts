import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { ColumnGroup } from '../ensemble/ensemble.js';
import { AdditivityError, AnalysisInputError } from '../errors.js';
import { asVector, type Forest, type VectorForest } from '../trees/forest.js';
import { randomForest, randomMatrix, seededUniform } from '../trees/random-forest.fixture.js';
import { vectorMargins } from '../trees/margins.js';
import { kernelMargins } from './kernels/kernel-margins.js';
import {
  interactionOf,
  interventionalWorth,
  pathDependentWorth,
  shapleyOf,
  type Worth,
} from './margin-oracle.fixture.js';
import { coverOf } from './tables/reference.js';
import { createTreeExplainer, type TreeExplainerRequest } from './tree-explainer.js';

const WIDTH = 8;
const GROUPS: readonly ColumnGroup[] = [
  { name: 'a', columns: [0, 1] },
  { name: 'b', columns: [1, 1] },
  { name: 'c', columns: [2, 3] },
  { name: 'd', columns: [5, 1] },
  { name: 'e', columns: [6, 1] },
  { name: 'f', columns: [7, 1] },
];
const PLAYERS = GROUPS.length;
const single = (width: number): ColumnGroup[] =>
  Array.from({ length: width }, (_, column) => ({ name: String(column), columns: [column, 1] as const }));

/** Trees of every kind of split, with one output or two. */
function forestOf(seed: number, outputs = 1): VectorForest {
  const shape = { trees: 5, depth: 6, width: WIDTH, seed, equality: 0.25, membership: 0.5, leafChance: 0.15 };
  const forest = asVector(randomForest(shape));
  if (outputs === 1) return forest;
  const uniform = seededUniform(seed + 9);
  const values = new Float64Array(forest.feature.length * outputs);
  forest.feature.forEach((feature, node) => {
    if (feature < 0) for (let o = 0; o < outputs; o += 1) values[node * outputs + o] = uniform() - 0.5;
  });
  return { ...forest, outputs, values, bases: Float64Array.from({ length: outputs }, () => uniform()) };
}

/** One tree whose every split has a leaf on its left: the deepest path meets every column. */
function caterpillar(depth: number): Forest {
  const nodes = Array.from({ length: 2 * depth + 1 }, (_, node) => node);
  const isSplit = (node: number): boolean => node % 2 === 0 && node < 2 * depth;
  return {
    kind: 'trees',
    width: depth,
    roots: Int32Array.of(0),
    feature: Int32Array.from(nodes, (node) => (isSplit(node) ? node / 2 : -1)),
    threshold: Float32Array.from(nodes, (node) => (node % 3) / 2),
    isEquality: new Uint8Array(nodes.length),
    nanLeft: new Uint8Array(nodes.length),
    left: Int32Array.from(nodes, (node) => (isSplit(node) ? node + 1 : -1)),
    right: Int32Array.from(nodes, (node) => (isSplit(node) ? node + 2 : -1)),
    value: Float64Array.from(nodes, (node) => (isSplit(node) ? 0 : Math.sin(node))),
    base: 0.5,
  };
}

interface Case extends TreeExplainerRequest {
  readonly row: Float32Array;
  readonly worth: Worth;
}

function caseOf(seed: number, kind: TreeExplainerRequest['kind'], outputs = 1): Case {
  const forest = forestOf(seed, outputs);
  const background = randomMatrix(kind === 'interventional' ? 6 : 40, WIDTH, seed + 2);
  const row = randomMatrix(1, WIDTH, seed + 3);
  const worth =
    kind === 'interventional'
      ? interventionalWorth(forest, GROUPS, row, background)
      : pathDependentWorth(forest, GROUPS, row, coverOf(forest, { rows: 40, matrix: background }));
  return { forest, groups: GROUPS, kind, background, row, worth };
}

function expectClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, digits = 12): void {
  expect(actual.length).toBe(wanted.length);
  for (let at = 0; at < wanted.length; at += 1)
    expect(actual[at]).toBeCloseTo(wanted[at] ?? Number.NaN, digits);
}

const METHODS = [
  ['interventional', 'tables', 'wasm'],
  ['interventional', 'tables', 'plain'],
  ['interventional', 'pairwise', 'plain'],
  ['path-dependent', 'tables', 'wasm'],
  ['path-dependent', 'tables', 'plain'],
  ['path-dependent', 'quadrature', 'plain'],
] as const;

describe('Shapley values of tree margins', () => {
  test.each(METHODS)(
    '%s by %s (%s) are those of the enumeration: repeated features, missing values, sets, groups, two outputs',
    (kind, method, kernel) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 1_000_000 }),
          fc.integer({ min: 1, max: 2 }),
          (seed, outputs) => {
            const one = caseOf(seed, kind, outputs);
            const { base, explain } = createTreeExplainer({ ...one, method, kernel });
            expectClose(base, one.worth(0));
            expectClose(explain(one.row).values, shapleyOf(one.worth, PLAYERS));
          },
        ),
        { numRuns: 25 },
      );
    },
  );

  test.each(METHODS.filter(([, method]) => method !== 'quadrature'))(
    'interactions, %s by %s (%s), are those of the enumeration, and rows of the matrix sum to contributions',
    (kind, method, kernel) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
          const one = caseOf(seed, kind);
          const { values, interactions } = createTreeExplainer({
            ...one,
            method,
            kernel,
            interactions: true,
          }).explain(one.row);
          if (interactions === null) throw new Error('no interactions');
          for (let i = 0; i < PLAYERS; i += 1) {
            const cells = interactions.subarray(i * PLAYERS, (i + 1) * PLAYERS);
            expect(cells.reduce((sum, cell) => sum + cell, 0)).toBeCloseTo(values[i] ?? Number.NaN, 12);
            for (let j = 0; j < i; j += 1)
              expect(cells[j]).toBeCloseTo(interactionOf(one.worth, PLAYERS, i, j) / 2, 12);
          }
        }),
        { numRuns: 10 },
      );
    },
  );

  test.each(['interventional', 'path-dependent'] as const)(
    'the WebAssembly kernel and plain TypeScript give the same bits (%s)',
    (kind) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: 1_000_000 }),
          fc.integer({ min: 1, max: 1300 }),
          (seed, rows) => {
            const one = caseOf(seed, kind, 1 + (seed % 2));
            const matrix = randomMatrix(rows, WIDTH, seed);
            const of = (kernel: 'wasm' | 'plain'): Float64Array =>
              createTreeExplainer({ ...one, method: 'tables', kernel }).explain(matrix).values;
            expect(Buffer.compare(bytes(of('wasm')), bytes(of('plain')))).toBe(0);
          },
        ),
        { numRuns: 12 },
      );
    },
  );

  test('margins by the compiled kernel are those of the trees, to the last bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 64, max: 2500 }),
        (seed, rows) => {
          const plain = randomForest({ trees: 6, depth: 7, width: WIDTH, seed, equality: 0 });
          const matrix = randomMatrix(rows, WIDTH, seed);
          const [fast, slow] = [kernelMargins, vectorMargins].map((of) => of(asVector(plain), matrix, rows));
          expect(fast).toEqual(slow);
        },
      ),
      { numRuns: 10 },
    );
  });

  test('tables, pairs and both kernels agree on deep trees with many features', () => {
    const forest = asVector(randomForest({ trees: 4, depth: 11, width: 12, seed: 5, leafChance: 0.25 }));
    const request = {
      forest,
      groups: single(12),
      kind: 'interventional',
      background: randomMatrix(20, 12, 6),
    } as const;
    const matrix = randomMatrix(30, 12, 7);
    const wanted = createTreeExplainer({ ...request, method: 'pairwise' }).explain(matrix).values;
    expectClose(createTreeExplainer({ ...request, method: 'tables' }).explain(matrix).values, wanted);
  });

  test('paths of more than fourteen features are explained without tables', () => {
    const forest = asVector(caterpillar(40));
    const request = { forest, groups: single(40), background: randomMatrix(15, 40, 4) };
    for (const kind of ['interventional', 'path-dependent'] as const) {
      const explainer = createTreeExplainer({ ...request, kind });
      expect(explainer.method).toBe(kind === 'interventional' ? 'pairwise' : 'quadrature');
      explainer.explain(randomMatrix(5, 40, 5));
      expect(() => createTreeExplainer({ ...request, kind, method: 'tables' })).toThrow('too many features');
    }
  });

  test('few rows are walked, many looked up', () => {
    const request = { ...caseOf(4, 'interventional'), background: randomMatrix(100, WIDTH, 3) };
    expect(createTreeExplainer({ ...request, expectedRows: 1 }).method).toBe('pairwise');
    expect(createTreeExplainer({ ...request, expectedRows: 10_000 }).method).toBe('tables');
  });

  test('a feature that no tree reads gets nothing (dummy), and twins get the same (symmetry)', () => {
    const forest = randomForest({ trees: 6, depth: 4, width: 2, seed: 9 });
    const mirrored = forest.feature.map((feature) => (feature < 0 ? -1 : 1 - feature));
    const twin = asVector({ ...forest, width: 3 });
    const both = [twin, { ...twin, feature: mirrored }];
    const request = { groups: single(3), background: Float32Array.of(0.5, 0.5, 1, 2, 2, 7) };
    for (const kind of ['interventional', 'path-dependent'] as const) {
      const [first = [], second = []] = both.map((trees) => [
        ...createTreeExplainer({ ...request, forest: trees, kind }).explain(Float32Array.of(3, 3, 3)).values,
      ]);
      const sum = first.map((value, player) => value + (second[player] ?? 0));
      expect(sum[0]).not.toBe(0);
      expect(sum[0]).toBeCloseTo(sum[1] ?? Number.NaN, 14);
      expect(sum[2]).toBe(0);
    }
  });

  test('of an ensemble are the sums over its trees (linearity)', () => {
    const one = caseOf(31, 'interventional');
    const whole = createTreeExplainer(one).explain(one.row).values;
    const sum = new Float64Array(PLAYERS);
    for (const root of one.forest.roots) {
      const alone = { ...one.forest, roots: Int32Array.of(root), bases: Float64Array.of(0) };
      createTreeExplainer({ ...one, forest: alone })
        .explain(one.row)
        .values.forEach((value, player) => (sum[player] = (sum[player] ?? 0) + value));
    }
    expectClose(whole, sum, 13);
  });

  test('do not change when rows are explained together, apart or in another order', () => {
    const one = caseOf(17, 'interventional');
    const matrix = randomMatrix(700, WIDTH, 5);
    const explainer = createTreeExplainer({ ...one, method: 'tables' });
    const together = explainer.explain(matrix).values;
    for (const row of [0, 511, 512, 699]) {
      const alone = explainer.explain(matrix.subarray(row * WIDTH, (row + 1) * WIDTH)).values;
      expect([...alone]).toEqual([...together.subarray(row * PLAYERS, (row + 1) * PLAYERS)]);
    }
  });

  test('a tree of one leaf and no rows at all are no special cases', () => {
    const forest = asVector(randomForest({ trees: 2, depth: 0, width: 2, seed: 1 }));
    const explainer = createTreeExplainer({
      forest,
      groups: single(2),
      kind: 'interventional',
      background: Float32Array.of(1, 2),
      method: 'tables',
    });
    expect([...explainer.explain(Float32Array.of(3, 4)).values]).toEqual([0, 0]);
    expect(explainer.explain(new Float32Array(0)).values).toHaveLength(0);
  });

  test('rows beyond the reference are said to be', () => {
    const one = caseOf(8, 'path-dependent');
    const background = new Float32Array(WIDTH).fill(4);
    const { outsideSupport } = createTreeExplainer({ ...one, background }).explain(
      Float32Array.from([...background, ...background.map(() => -1)]),
    );
    expect([...(outsideSupport ?? [])]).toEqual([0, 1]);
  });

  test('are refused for columns without a player, empty backgrounds, broken rows and the wrong method', () => {
    const one = caseOf(2, 'interventional');
    expect(() => createTreeExplainer({ ...one, groups: GROUPS.slice(1) })).toThrow(
      'Column 0 belongs to no group',
    );
    expect(() => createTreeExplainer({ ...one, background: new Float32Array(0) })).toThrow(
      AnalysisInputError,
    );
    expect(() => createTreeExplainer(one).explain(new Float32Array(3))).toThrow('no multiple of 8');
    expect(() => createTreeExplainer({ ...one, method: 'quadrature' })).toThrow('does not compute');
  });

  test('are withheld when they do not add up to the margin', () => {
    const one = caseOf(2, 'interventional');
    const values = Float64Array.from(one.forest.values);
    const explainer = createTreeExplainer({ ...one, forest: { ...one.forest, values }, method: 'tables' });
    explainer.explain(one.row);
    values.forEach((value, at) => (values[at] = value * 1.001));
    expect(() => explainer.explain(one.row)).toThrow(AdditivityError);
  });
});

const bytes = (values: Float64Array): Buffer =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);
