import fc from 'fast-check';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

import { compareReadings } from '../ensemble/compare-readings.js';
import { loadMember, loadTrees } from '../ensemble/load-member.js';
import { createMember } from '../ensemble/member.js';
import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { above32 } from '../numeric/float32.js';
import {
  type AttributeValue,
  type NodeParts,
  onnxFile,
  scorerFile,
  type TensorParts,
  type TreeSketch,
  treeAttributes,
} from '../onnx/onnx-writer.fixture.js';
import { vectorMargins } from './margins.js';

const bytesOf = (values: Float32Array | Float64Array | BigInt64Array): number[] => [
  ...new Uint8Array(values.buffer),
];
const floats = (values: readonly number[]): AttributeValue & { tensor: readonly number[] } => ({
  tensor: tensorBytes(1, values.length, bytesOf(Float32Array.from(values))),
});
/** A TensorProto: dims, type, raw bytes. */
const tensorBytes = (type: number, length: number, raw: readonly number[]): number[] => {
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
  return [8, ...varint(length), 16, type, 74, ...varint(raw.length), ...raw];
};

interface Five {
  readonly [name: string]: AttributeValue;
}

/** Node 0 splits on x0 <= 1.5, node 1 asks whether x1 is 2, 3 or 5; leaves 0.1, 0.2, 0.4. */
const five = (changes: Five = {}): Five => ({
  tree_roots: { ints: [0] },
  nodes_featureids: { ints: [0, 1] },
  nodes_modes: { tensor: tensorBytes(2, 2, [0, 6]) },
  nodes_splits: floats([1.5, 0]),
  nodes_truenodeids: { ints: [1, 0] },
  nodes_trueleafs: { ints: [0, 1] },
  nodes_falsenodeids: { ints: [1, 2] },
  nodes_falseleafs: { ints: [1, 1] },
  nodes_missing_value_tracks_true: { ints: [1, 0] },
  membership_values: floats([2, 3, 5, Number.NaN]),
  leaf_targetids: { ints: [0, 0, 0] },
  leaf_weights: floats([0.1, 0.2, 0.4]),
  n_targets: { int: 1 },
  aggregate_function: { int: 1 },
  post_transform: { int: 0 },
  ...changes,
});

function fiveFile(attributes: Five): Uint8Array {
  const nodes = [{ operator: 'TreeEnsemble', inputs: ['x'], outputs: ['p'], attributes }];
  const inputs = [{ name: 'x', type: 1, shape: ['rows', 2] }];
  return onnxFile({ nodes, inputs, outputs: [{ name: 'p', type: 1, shape: ['rows', 1] }] }, [], 5);
}

async function runtime(
  bytes: Uint8Array,
  matrix: Float32Array,
  rows: number,
  output = 'p',
): Promise<number[]> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const given = await session.run({ x: new Tensor('float32', matrix, [rows, matrix.length / rows]) }, [
    output,
  ]);
  return Array.from(given[output]?.data ?? [], Number);
}

describe('TreeEnsemble of version 5', () => {
  test('is read as onnxruntime reads it: splits, sets, leaves apart, missing values', async () => {
    const cells = [1.5, above32(1.5), 2, 3, 5, 4, Number.NaN, -1];
    const matrix = Float32Array.from(cells.flatMap((a) => cells.flatMap((b) => [a, b])));
    const rows = matrix.length / 2;
    const member = loadMember(fiveFile(five()));
    const theirs = await runtime(fiveFile(five()), matrix, rows);
    member.predict(matrix, rows).forEach((value, row) => {
      expect(value).toBeCloseTo(theirs[row] ?? Number.NaN, 6);
    });
  });

  test.each<readonly [string, Five, RegExp]>([
    ['without trees', { tree_roots: { ints: [] } }, /no trees/],
    ['with a root out of range', { tree_roots: { ints: [7] } }, /root at node 7/],
    ['with a circle', { nodes_truenodeids: { ints: [0, 0] } }, /leads back/],
    ['with a child out of range', { nodes_truenodeids: { ints: [9, 0] } }, /names node 9/],
    ['with a negative child', { nodes_truenodeids: { ints: [-1, 0] } }, /out of range/],
    ['with a leaf out of range', { nodes_falsenodeids: { ints: [1, 99] } }, /does not have/],
    ['with a threshold that is no number', { nodes_splits: floats([Number.NaN, 0]) }, /split at NaN/],
    ['with too few sets', { membership_values: floats([]) }, /no set/],
    ['with an unknown mode', { nodes_modes: { tensor: tensorBytes(2, 2, [0, 17]) } }, /unknown code 17/],
    ['with too few leaf weights', { leaf_weights: floats([1]) }, /vote weights/],
    ['with a leaf weight that is no number', { leaf_weights: floats([1, Number.NaN, 2]) }, /finite/],
    ['with a transform that runtimes leave out', { post_transform: { int: 2 } }, /left out/],
    ['with a maximum', { aggregate_function: { int: 3 } }, /aggregate MAX/],
    ['with a column of the far end', { nodes_featureids: { ints: [0, 2 ** 30] } }, /cannot exist/],
  ])('%s is refused', (_name, changes, message) => {
    const load = (): unknown => loadMember(fiveFile(five(changes)));
    expect(load).toThrow(message);
    expect(load).toThrow(
      expect.toSatisfy((error) => error instanceof OnnxFormatError || error instanceof UnsupportedModelError),
    );
  });

  test('cut off anywhere, it ends in a refusal or in the same trees, never otherwise', () => {
    const whole = fiveFile(five());
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        (at, byte) => {
          for (const bytes of [whole.slice(0, at), whole.with(at, byte)]) {
            try {
              loadTrees(bytes);
            } catch (error) {
              expect(error instanceof OnnxFormatError || error instanceof UnsupportedModelError).toBe(true);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe('chains of equality', () => {
  test('with one common child become a set: thirty values are one split, as onnxruntime reads them', async () => {
    const hit: TreeSketch = { mode: 'BRANCH_LEQ', feature: 1, threshold: 0.5, yes: 0.1, no: 0.3 };
    let chain: TreeSketch = 0.6;
    for (let value = 0; value < 30; value += 1)
      chain = {
        mode: 'BRANCH_EQ',
        feature: 0,
        threshold: 2 * value,
        nanTrue: true,
        yes: hit,
        no: chain,
      };
    const attributes = { ...treeAttributes([chain], 'target'), n_targets: { int: 1 } };
    const bytes = scorerFile('TreeEnsembleRegressor', attributes, 2);
    const { forest } = loadTrees(bytes);
    expect(forest.feature).toHaveLength(5);
    const matrix = Float32Array.from({ length: 140 }, (_, at) =>
      at % 2 === 0 ? (at === 138 ? Number.NaN : at / 2) : Number(at % 4 === 1),
    );
    const theirs = await runtime(bytes, matrix, 70);
    vectorMargins(forest, matrix, 70).forEach((value, row) => {
      expect(value).toBeCloseTo(theirs[row] ?? Number.NaN, 6);
    });
  });
});

describe('preparation', () => {
  const before = (scale: number, offset: number): NodeParts[] => [
    {
      operator: 'Imputer',
      inputs: ['x'],
      outputs: ['filled'],
      attributes: {
        imputed_value_floats: { floats: [1.25, 0] },
        replaced_value_float: { float: Number.NaN },
      },
    },
    {
      operator: 'Scaler',
      inputs: ['filled'],
      outputs: ['scaled'],
      attributes: { offset: { floats: [offset, 0.5] }, scale: { floats: [scale, 2] } },
    },
    { operator: 'ArrayFeatureExtractor', inputs: ['filled', 'second'], outputs: ['code'] },
    { operator: 'Cast', domain: '', inputs: ['code'], outputs: ['whole'], attributes: { to: { int: 7 } } },
    {
      operator: 'OneHotEncoder',
      inputs: ['whole'],
      outputs: ['cube'],
      attributes: { cats_int64s: { ints: [0, 2, 3] }, zeros: { int: 1 } },
    },
    { operator: 'Reshape', domain: '', inputs: ['cube', 'shape'], outputs: ['flags'] },
    {
      operator: 'Concat',
      domain: '',
      inputs: ['scaled', 'flags'],
      outputs: ['all'],
      attributes: { axis: { int: 1 } },
    },
  ];
  const constants: TensorParts[] = [
    { name: 'second', type: 7, dims: [1], raw: bytesOf(BigInt64Array.of(1n)) },
    { name: 'shape', type: 7, dims: [2], raw: bytesOf(BigInt64Array.of(-1n, 3n)) },
  ];

  function prepared(trees: readonly TreeSketch[], scale: number, offset: number): Uint8Array {
    const attributes = { ...treeAttributes(trees, 'target'), n_targets: { int: 1 } };
    return onnxFile({
      nodes: [
        ...before(scale, offset),
        { operator: 'TreeEnsembleRegressor', inputs: ['all'], outputs: ['p'], attributes },
      ],
      inputs: [{ name: 'x', type: 1, shape: ['rows', 2] }],
      outputs: [{ name: 'p', type: 1, shape: ['rows', 1] }],
      initializers: constants,
    });
  }

  const real = fc.float({ min: -50, max: 50, noNaN: true });
  const split = (feature: number): fc.Arbitrary<TreeSketch> =>
    fc.record({
      mode: fc.constantFrom('BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GT', 'BRANCH_GTE'),
      feature: fc.constant(feature),
      threshold: feature < 2 ? real : fc.constantFrom(0, 0.5, 1, -1),
      nanTrue: fc.boolean(),
      yes: fc.double({ min: -1, max: 1, noNaN: true }),
      no: fc.double({ min: -1, max: 1, noNaN: true }),
    });

  test('is moved into the splits: the same as onnxruntime on and beside every threshold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(split(0), split(1), split(2), split(3), split(4)),
        fc.constantFrom(0.3, -0.7, 4),
        real,
        async (trees, scale, offset) => {
          const bytes = prepared(trees, scale, offset);
          const reading = loadTrees(bytes);
          expect(reading).toMatchObject({ wholeNumbers: [1], inputs: [{ name: 'x', columns: [0, 2] }] });
          expect(reading.forest.width).toBe(2);
          const { feature, threshold } = reading.forest;
          const edges = [...threshold].filter((value, node) => feature[node] === 0 && Number.isFinite(value));
          const firsts = [...edges, ...edges.map(above32), Number.NaN, 0, -3.5, 1e6];
          const matrix = Float32Array.from(firsts.flatMap((a) => [0, 1, 2, 3, 7].flatMap((b) => [a, b])));
          const rows = matrix.length / 2;
          const theirs = await runtime(bytes, matrix, rows);
          vectorMargins(reading.forest, matrix, rows).forEach((value, row) => {
            expect(value).toBeCloseTo(theirs[row] ?? Number.NaN, 5);
          });
        },
      ),
      { numRuns: 25 },
    );
  });

  test.each<readonly [string, readonly NodeParts[], RegExp]>([
    ['a circle', [{ operator: 'Identity', domain: '', inputs: ['all'], outputs: ['all'] }], /circle/],
    [
      'an operator nobody knows',
      [{ operator: 'Softplus', domain: '', inputs: ['x'], outputs: ['all'] }],
      /Softplus/,
    ],
    [
      'a tensor nobody makes',
      [{ operator: 'Identity', domain: '', inputs: ['y'], outputs: ['all'] }],
      /neither an input/,
    ],
    [
      'columns beyond the last',
      [{ operator: 'ArrayFeatureExtractor', inputs: ['x', 'far'], outputs: ['all'] }],
      /column 9/,
    ],
  ])('with %s is refused', (_name, nodes, message) => {
    const attributes = { ...treeAttributes([0.5], 'target'), n_targets: { int: 1 } };
    const bytes = onnxFile({
      nodes: [...nodes, { operator: 'TreeEnsembleRegressor', inputs: ['all'], outputs: ['p'], attributes }],
      inputs: [{ name: 'x', type: 1, shape: ['rows', 2] }],
      outputs: [{ name: 'p', type: 1, shape: ['rows', 1] }],
      initializers: [{ name: 'far', type: 7, dims: [1], raw: bytesOf(BigInt64Array.of(9n)) }],
    });
    expect(() => loadTrees(bytes)).toThrow(message);
  });
});

describe('several classes', () => {
  test('have one margin each, and sum to what onnxruntime says', async () => {
    const tree: TreeSketch = { mode: 'BRANCH_LEQ', feature: 0, threshold: 1, yes: 0.2, no: 0.7 };
    const lists = [0, 1, 2].map((target) => treeAttributes([tree], 'class', target));
    const joined = (name: string): number[] =>
      lists.flatMap((list) => (list[name] as { ints: number[] }).ints);
    const renumbered = (name: string): { ints: number[] } => ({
      ints: lists.flatMap((list, index) => (list[name] as { ints: number[] }).ints.map(() => index)),
    });
    const attributes: Record<string, AttributeValue> = {
      ...Object.fromEntries(
        Object.keys(lists[0] ?? {}).map((name) => [
          name,
          {
            ints: joined(
              name.endsWith('modes') ? 'nodes_nodeids' : name.replace(/values|weights/, 'nodeids'),
            ),
          },
        ]),
      ),
      nodes_treeids: renumbered('nodes_treeids'),
      class_treeids: renumbered('class_treeids'),
      nodes_modes: lists.flatMap(() => ['BRANCH_LEQ', 'LEAF', 'LEAF']),
      nodes_values: { floats: [1, 0, 0, 2, 0, 0, 3, 0, 0] },
      class_weights: { floats: [0.2, 0.7, 0.1, 0.6, 0.3, 0.5] },
      classlabels_int64s: { ints: [0, 1, 2] },
      base_values: { floats: [0.1, 0.2, 0.3] },
    };
    const bytes = scorerFile('TreeEnsembleClassifier', attributes, 1);
    const { forest, link, classes } = loadTrees(bytes);
    expect({ link, classes, outputs: forest.outputs }).toEqual({
      link: 'identity',
      classes: ['0', '1', '2'],
      outputs: 3,
    });
    const matrix = Float32Array.of(0.5, 1.5, 2.5, 3.5);
    const theirs = await runtime(bytes, matrix, 4);
    vectorMargins(forest, matrix, 4).forEach((value, at) => {
      expect(value).toBeCloseTo(theirs[at] ?? Number.NaN, 6);
    });
    expect(() => loadMember(bytes)).toThrow('a binary scorer is read here');
  });
});

describe('two readings of one file', () => {
  const trees = treeAttributes(
    [{ mode: 'BRANCH_LEQ', feature: 0, threshold: 1, yes: 0.2, no: 0.7 }],
    'target',
  );
  const member = loadMember(scorerFile('TreeEnsembleRegressor', { ...trees, n_targets: { int: 1 } }, 1));
  const probes = Float32Array.of(0, 5, 1, above32(1), Number.NaN);
  const same = member.predict(probes, 5);

  test('that agree are not told apart', () => {
    expect(compareReadings(member, probes, same, 2)).toBeNull();
  });

  test('that differ are told by what differs', () => {
    const changed = (row: number, value: number): Float64Array => same.with(row, value);
    const semantic = (theirs: Float64Array): unknown => compareReadings(member, probes, theirs, 2)?.semantic;
    expect(semantic(changed(4, 0.2))).toBe('missing values');
    expect(semantic(changed(2, 0.7))).toBe('thresholds');
    expect(semantic(changed(0, 0.25))).toBe('leaf values');
    expect(semantic(same.map((value) => 1 / (1 + Math.exp(-value))))).toBe('post transform');
    expect(compareReadings(member, probes, changed(1, Number.NaN), 2)).toMatchObject({ row: 1, rows: 1 });
    expect(createMember({ link: 'logistic', model: member.model }).link).toBe('logistic');
  });
});
