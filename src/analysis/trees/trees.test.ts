import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

import { loadMember } from '../ensemble/load-member.js';
import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { above32, below32, floor32 } from '../numeric/float32.js';
import {
  type AttributeValue,
  scorerFile,
  type TreeSketch,
  treeAttributes,
} from '../onnx/onnx-writer.fixture.js';

const MODES = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GT', 'BRANCH_GTE', 'BRANCH_EQ', 'BRANCH_NEQ'];
const LABELS: Record<string, AttributeValue> = { classlabels_int64s: { ints: [0, 1] } };

async function runtimeProbabilities(
  bytes: Uint8Array,
  matrix: Float32Array,
  rows: number,
): Promise<number[]> {
  const session = await InferenceSession.create(bytes);
  const output = (
    await session.run({ x: new Tensor('float32', matrix, [rows, matrix.length / rows]) }, ['p'])
  )['p'];
  const columns = Number(output?.dims[1]);
  return Array.from({ length: rows }, (_, row) => Number(output?.data[row * columns + columns - 1]));
}

async function expectSameAsRuntime(bytes: Uint8Array, matrix: Float32Array, rows: number): Promise<void> {
  const ours = loadMember(bytes).predict(matrix, rows);
  const theirs = await runtimeProbabilities(bytes, matrix, rows);
  theirs.forEach((value, row) => {
    expect(Math.abs((ours[row] ?? Number.NaN) - value), `row ${String(row)}`).toBeLessThan(1e-6);
  });
}

function split(mode: string, nanTrue: boolean, threshold = 1.5): TreeSketch {
  return { mode, feature: 0, threshold, nanTrue, yes: 0.8, no: 0.3 };
}

/** Values on, just below and just above the threshold, far away, and missing. */
const EDGE = Float32Array.of(
  1.5,
  below32(1.5),
  above32(1.5),
  -7,
  900,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  0,
);

const sketch = fc.letrec<{ tree: TreeSketch }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.double({ min: 0, max: 0.2, noNaN: true }),
    fc.record({
      mode: fc.constantFrom(...MODES),
      feature: fc.nat(2),
      threshold: fc.constantFrom(0, 0.5, 1, 2.25, -1),
      nanTrue: fc.boolean(),
      yes: tie('tree'),
      no: tie('tree'),
    }),
  ),
})).tree;

describe('tree ensembles', () => {
  test.each(
    MODES.flatMap(
      (mode) =>
        [
          [mode, true],
          [mode, false],
        ] as const,
    ),
  )('%s with missing values to the true side (%s) goes where onnxruntime goes', async (mode, nanTrue) => {
    for (const post of ['NONE', 'LOGISTIC']) {
      const attributes = {
        ...treeAttributes([split(mode, nanTrue)], 'class'),
        ...LABELS,
        post_transform: post,
      };
      await expectSameAsRuntime(scorerFile('TreeEnsembleClassifier', attributes, 1), EDGE, EDGE.length);
    }
  });

  test('random ensembles of every kind of split predict what onnxruntime predicts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sketch, { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom(0, 0.5, 1, 2, 2.25, 3, -1, Number.NaN), { minLength: 9, maxLength: 9 }),
        async (trees, cells) => {
          const attributes = { ...treeAttributes(trees, 'class'), ...LABELS };
          await expectSameAsRuntime(
            scorerFile('TreeEnsembleClassifier', attributes, 3),
            Float32Array.from(cells),
            3,
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  test('base values, both classes voted, softmax, averages and doubles mean what they mean in onnxruntime', async () => {
    const trees = [split('BRANCH_LEQ', false), split('BRANCH_LT', true, 0)];
    const both = (post: string): Record<string, AttributeValue> => {
      const attributes = treeAttributes([split('BRANCH_LEQ', false)], 'class');
      return {
        ...attributes,
        ...LABELS,
        post_transform: post,
        class_treeids: { ints: [0, 0, 0, 0] },
        class_nodeids: { ints: [1, 1, 2, 2] },
        class_ids: { ints: [0, 1, 0, 1] },
        class_weights: { floats: [0.8, 0.2, 0.1, 0.9] },
      };
    };
    const files = [
      scorerFile(
        'TreeEnsembleClassifier',
        {
          ...treeAttributes(trees, 'class'),
          ...LABELS,
          post_transform: 'LOGISTIC',
          base_values: { floats: [-0.7] },
        },
        1,
      ),
      scorerFile('TreeEnsembleClassifier', { ...treeAttributes(trees, 'class', 1), ...LABELS }, 1),
      scorerFile('TreeEnsembleClassifier', both('NONE'), 1),
      scorerFile('TreeEnsembleClassifier', both('SOFTMAX'), 1),
      scorerFile('TreeEnsembleClassifier', both('LOGISTIC'), 1),
      scorerFile(
        'TreeEnsembleRegressor',
        { ...treeAttributes(trees, 'target'), n_targets: { int: 1 }, base_values: { floats: [0.25] } },
        1,
      ),
      scorerFile(
        'TreeEnsembleRegressor',
        {
          ...treeAttributes(trees, 'target'),
          n_targets: { int: 1 },
          aggregate_function: 'AVERAGE',
          base_values: { floats: [0.1] },
        },
        1,
      ),
    ];
    for (const bytes of files) await expectSameAsRuntime(bytes, EDGE, EDGE.length);
  });

  test('a branch shared by several parents is copied', async () => {
    const shared: TreeSketch = { mode: 'BRANCH_LEQ', feature: 1, threshold: 0, yes: 0.1, no: 0.6 };
    const chain: TreeSketch = {
      mode: 'BRANCH_EQ',
      feature: 0,
      threshold: 1,
      yes: shared,
      no: { mode: 'BRANCH_EQ', feature: 0, threshold: 2, yes: shared, no: 0.9 },
    };
    const bytes = scorerFile('TreeEnsembleClassifier', { ...treeAttributes([chain], 'class'), ...LABELS }, 2);
    await expectSameAsRuntime(bytes, Float32Array.of(1, 0, 1, 5, 2, -1, 2, 5, 3, 0), 5);
  });

  test('thresholds in double keep every comparison on the float32 grid', () => {
    const attributes = {
      ...treeAttributes([split('BRANCH_LEQ', false), split('BRANCH_LT', false)], 'class'),
      ...LABELS,
    };
    const third = 1 / 3;
    const { nodes_values: _, ...rest } = attributes;
    const member = loadMember(
      scorerFile(
        'TreeEnsembleClassifier',
        { ...rest, nodes_values_as_tensor: { doubles: [third, 0, 0, third, 0, 0] } },
        1,
      ),
    );
    const near = [Math.fround(third), below32(Math.fround(third)), above32(Math.fround(third))];
    const wanted = near.map((x) => (x <= third ? 0.8 : 0.3) + (x < third ? 0.8 : 0.3));
    expect([...member.predict(Float32Array.from(near), 3)].map((value) => value.toFixed(5))).toEqual(
      wanted.map((value) => value.toFixed(5)),
    );
  });

  const refused: readonly (readonly [string, Record<string, AttributeValue>, RegExp])[] = [
    ['several base values for one class', { base_values: { floats: [0.1, 0.2] } }, /two base values/],
    [
      'a post transform that is not read',
      { post_transform: 'PROBIT' },
      /TreeEnsembleClassifier: post transform PROBIT/,
    ],
    ['softmax over one class', { post_transform: 'SOFTMAX' }, /SOFTMAX/],
    ['three classes', { classlabels_int64s: { ints: [0, 1, 2] } }, /3 classes/],
    ['no labels', { classlabels_int64s: { ints: [] } }, /0 classes/],
    ['an unknown kind of split', { nodes_modes: ['BRANCH_MEMBER', 'LEAF', 'LEAF'] }, /mode 'BRANCH_MEMBER'/],
    ['a split at NaN', { nodes_values: { floats: [Number.NaN, 0, 0] } }, /split at NaN/],
    [
      'a list that is too short',
      { nodes_featureids: { ints: [0] } },
      /lists 1 entries of nodes_featureids where 3 belong/,
    ],
    ['votes that do not fit', { class_ids: { ints: [0] } }, /vote targets/],
    ['a tree that leads back into itself', { nodes_falsenodeids: { ints: [0, 0, 0] } }, /back into itself/],
    ['a child that does not exist', { nodes_truenodeids: { ints: [9, 0, 0] } }, /names child 9/],
    ['a node defined twice', { nodes_nodeids: { ints: [0, 1, 1] } }, /twice/],
    ['a negative node', { nodes_nodeids: { ints: [0, 1, -2] } }, /out of range/],
    ['a column that cannot exist', { nodes_featureids: { ints: [-1, 0, 0] } }, /column -1/],
    ['a column beyond the input', { nodes_featureids: { ints: [4, 0, 0] } }, /column 4 of 1/],
    ['a vote for a class that does not exist', { class_ids: { ints: [0, 5] } }, /votes for class 5/],
    ['a vote of a node that does not exist', { class_nodeids: { ints: [1, 7] } }, /does not exist/],
    ['a vote that is no number', { class_weights: { floats: [Number.NaN, 1] } }, /not a finite number/],
    ['no nodes', { nodes_treeids: { ints: [] } }, /has no nodes/],
    [
      'no votes',
      {
        class_treeids: { ints: [] },
        class_nodeids: { ints: [] },
        class_ids: { ints: [] },
        class_weights: { floats: [] },
      },
      /no votes/,
    ],
    [
      'a base value with two voted classes',
      { class_ids: { ints: [0, 1] }, base_values: { floats: [0.3] } },
      /both classes/,
    ],
  ];

  test.each(refused)('%s is refused', (_name, changes, message) => {
    const attributes = { ...treeAttributes([split('BRANCH_LEQ', false)], 'class'), ...LABELS, ...changes };
    const load = (): unknown => loadMember(scorerFile('TreeEnsembleClassifier', attributes, 1));
    expect(load).toThrow(message);
    expect(load).toThrow(
      expect.toSatisfy((error) => error instanceof OnnxFormatError || error instanceof UnsupportedModelError),
    );
  });

  test.each([
    [{ n_targets: { int: 2 } }, /2 targets/],
    [{ base_values: { floats: [1, 2] } }, /several base values/],
    [{ aggregate_function: 'MAX' }, /aggregate MAX/],
  ] as const)('a regressor with %j is refused', (changes, message) => {
    const attributes = { ...treeAttributes([split('BRANCH_LEQ', false)], 'target'), ...changes };
    expect(() => loadMember(scorerFile('TreeEnsembleRegressor', attributes, 1))).toThrow(message);
  });

  test('trees that are deeper than can be followed, scattered, or explode when copied are refused', () => {
    let deep: TreeSketch = 0.5;
    for (let level = 0; level < 70; level += 1)
      deep = { mode: 'BRANCH_LEQ', feature: 0, threshold: level, yes: deep, no: 0.1 };
    const file = (trees: readonly TreeSketch[], changes = {}): Uint8Array =>
      scorerFile('TreeEnsembleClassifier', { ...treeAttributes(trees, 'class'), ...LABELS, ...changes }, 1);
    expect(() => loadMember(file([deep]))).toThrow('deeper than 60');
    let doubling: TreeSketch = { mode: 'BRANCH_LEQ', feature: 0, threshold: 0, yes: 1, no: 0 };
    for (let level = 0; level < 40; level += 1)
      doubling = { mode: 'BRANCH_LEQ', feature: 0, threshold: level, yes: doubling, no: doubling };
    expect(() => loadMember(file([doubling]))).toThrow('after copying shared branches');
    const scattered = {
      nodes_treeids: { ints: [0, 1, 0] },
      nodes_modes: ['LEAF', 'LEAF', 'LEAF'],
      nodes_nodeids: { ints: [0, 0, 1] },
      class_treeids: { ints: [0, 1] },
      class_nodeids: { ints: [0, 0] },
    };
    expect(() => loadMember(file([split('BRANCH_LEQ', false)], scattered))).toThrow('in two places');
  });

  test('float32 neighbours are next to each other', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(above32(below32(value)) === value).toBe(true);
        expect(below32(value)).toBeLessThan(value);
      }),
    );
    expect(below32(Number.NEGATIVE_INFINITY)).toBeNaN();
    expect(below32(Number.POSITIVE_INFINITY)).toBe(3.4028234663852886e38);
    expect(floor32(0.1)).toBeLessThanOrEqual(0.1);
  });
});
