import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError, OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { type AttributeValue, type NodeParts, onnxFile, scorerFile } from '../onnx/onnx-writer.fixture.js';
import { randomForest, randomMatrix } from '../trees/random-forest.fixture.js';
import { createEnsemble } from './ensemble.js';
import { loadMember } from './load-member.js';
import { createMember, sigmoid } from './member.js';
import { probeRows } from './probes.js';

const LINEAR: Record<string, AttributeValue> = {
  coefficients: { floats: [-0.5, 0.25, 0.5, -0.25] },
  intercepts: { floats: [0.1, -0.1] },
  classlabels_ints: { ints: [0, 1] },
  post_transform: 'LOGISTIC',
};
const ROWS = Float32Array.of(1, 2, -3, 0.5, 100, -100);

interface PipelineParts {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly before?: readonly NodeParts[];
  readonly after?: readonly NodeParts[];
  readonly output?: string;
  readonly inputType?: number;
}

/** x -> before -> LinearClassifier -> after. The scorer reads the last output of `before`. */
function pipeline({
  attributes = LINEAR,
  before = [],
  after = [],
  output = 'p',
  inputType = 1,
}: PipelineParts): Uint8Array {
  const source = before.at(-1)?.outputs[0] ?? 'x';
  return onnxFile({
    nodes: [
      ...before,
      { operator: 'LinearClassifier', inputs: [source], outputs: ['label', 'p'], attributes },
      ...after,
    ],
    inputs: [{ name: 'x', type: inputType, shape: ['rows', 2] }],
    outputs: [
      { name: 'label', type: 7, shape: ['rows'] },
      { name: output, type: 1, shape: ['rows', 2] },
    ],
  });
}

const NORMALIZER = (norm: string): NodeParts => ({
  operator: 'Normalizer',
  inputs: ['p'],
  outputs: ['q'],
  attributes: { norm },
});
const SCALER: NodeParts = {
  operator: 'Scaler',
  inputs: ['x'],
  outputs: ['scaled'],
  attributes: { offset: { floats: [0.5, 1] }, scale: { floats: [2, 0.3] } },
};

describe('linear scorers and their chains', () => {
  test.each<readonly [string, PipelineParts]>([
    ['logistic', {}],
    ['logistic, then normalised as scikit-learn exports it', { after: [NORMALIZER('L1')], output: 'q' }],
    ['softmax', { attributes: { ...LINEAR, post_transform: 'SOFTMAX' } }],
    ['no transform', { attributes: { ...LINEAR, post_transform: 'NONE' } }],
    [
      'logistic with rows that do not mirror',
      { attributes: { ...LINEAR, intercepts: { floats: [0.4, 0.2] } } },
    ],
    ['scaled inputs', { before: [SCALER] }],
    [
      'one scale for all columns',
      { before: [{ ...SCALER, attributes: { offset: { floats: [0.5] }, scale: { floats: [3] } } }] },
    ],
    [
      'identity and cast around it',
      {
        before: [
          { operator: 'Identity', domain: '', inputs: ['x'], outputs: ['i'] },
          { operator: 'Cast', domain: '', inputs: ['i'], outputs: ['c'], attributes: { to: { int: 1 } } },
        ],
        after: [{ operator: 'Identity', domain: '', inputs: ['p'], outputs: ['q'] }],
        output: 'q',
      },
    ],
  ])('%s agrees with onnxruntime', async (_name, parts) => {
    const bytes = pipeline(parts);
    const session = await InferenceSession.create(bytes);
    const name = parts.output ?? 'p';
    const result = (await session.run({ x: new Tensor('float32', ROWS, [3, 2]) }, [name]))[name];
    const ours = loadMember(bytes).predict(ROWS, 3);
    ours.forEach((value, row) => {
      expect(value).toBeCloseTo(Number(result?.data[2 * row + 1]), 5);
    });
  });

  test('a ZipMap after the scorer changes nothing', () => {
    const after: NodeParts[] = [
      {
        operator: 'ZipMap',
        inputs: ['p'],
        outputs: ['z'],
        attributes: { classlabels_int64s: { ints: [0, 1] } },
      },
    ];
    const member = loadMember(pipeline({ after, output: 'z' }));
    expect(member).toMatchObject({
      link: 'logistic',
      width: 2,
      classes: ['0', '1'],
      operator: 'LinearClassifier',
    });
    expect(member.predict(Float32Array.of(0, 0), 1)[0]).toBeCloseTo(sigmoid(-0.1), 7);
  });

  test('a regressor with one target is a scorer without a link', () => {
    const attributes: Record<string, AttributeValue> = {
      coefficients: { floats: [2, 1] },
      intercepts: { floats: [0.5] },
      targets: { int: 1 },
    };
    expect([
      ...loadMember(scorerFile('LinearRegressor', attributes, 2)).margins(Float32Array.of(1, 3), 1),
    ]).toEqual([5.5]);
    expect(() =>
      loadMember(scorerFile('LinearRegressor', { ...attributes, targets: { int: 2 } }, 2)),
    ).toThrow('several targets');
    expect(() =>
      loadMember(scorerFile('LinearRegressor', { ...attributes, post_transform: 'LOGISTIC' }, 2)),
    ).toThrow('post transform LOGISTIC');
  });

  test.each<readonly [string, PipelineParts, RegExp]>([
    [
      'an operator before',
      { before: [{ operator: 'OneHotEncoder', inputs: ['x'], outputs: ['o'] }] },
      /^OneHotEncoder: between/,
    ],
    [
      'a cast to integers before',
      {
        before: [
          { operator: 'Cast', domain: '', inputs: ['x'], outputs: ['c'], attributes: { to: { int: 7 } } },
        ],
      },
      /^Cast/,
    ],
    [
      'an operator after',
      { after: [{ operator: 'Mul', domain: '', inputs: ['p'], outputs: ['q'] }], output: 'q' },
      /Mul/,
    ],
    ['another norm', { after: [NORMALIZER('MAX')], output: 'q' }, /^Normalizer: norm MAX/],
    [
      'a norm that changes probabilities',
      {
        attributes: { ...LINEAR, intercepts: { floats: [0.4, 0.2] } },
        after: [NORMALIZER('L1')],
        output: 'q',
      },
      /^Normalizer/,
    ],
    [
      'two scalers',
      { before: [SCALER, { ...SCALER, inputs: ['scaled'], outputs: ['again'] }] },
      /^Scaler: several/,
    ],
    ['inputs of another type', { inputType: 7 }, /type int64/],
    ['three classes', { attributes: { ...LINEAR, classlabels_ints: { ints: [0, 1, 2] } } }, /3 classes/],
    [
      'one intercept for two classes',
      { attributes: { ...LINEAR, intercepts: { floats: [1] } } },
      /one row of coefficients/,
    ],
    ['another transform', { attributes: { ...LINEAR, post_transform: 'PROBIT' } }, /PROBIT/],
  ])('%s is refused by name', (_name, parts, message) => {
    const load = (): unknown => loadMember(pipeline(parts));
    expect(load).toThrow(UnsupportedModelError);
    expect(load).toThrow(message);
  });

  test.each<readonly [string, PipelineParts, RegExp]>([
    ['no coefficients', { attributes: { ...LINEAR, coefficients: { floats: [] } } }, /no coefficients/],
    [
      'another width',
      { attributes: { ...LINEAR, coefficients: { floats: [1, 2, 3, 4, 5, 6] } } },
      /2 columns, LinearClassifier reads 3/,
    ],
    [
      'too many intercepts',
      { attributes: { ...LINEAR, intercepts: { floats: [1, 2, 3] } } },
      /more intercepts/,
    ],
    [
      'a coefficient that is no number',
      { attributes: { ...LINEAR, intercepts: { floats: [1, Number.NaN] } } },
      /finite/,
    ],
    [
      'a scaler of another width',
      { before: [{ ...SCALER, attributes: { offset: { floats: [1, 2, 3] } } }] },
      /Scaler lists 3/,
    ],
    ['an input that does not exist', { before: [{ ...SCALER, inputs: ['y'] }] }, /reads 'y'/],
  ])('%s is malformed', (_name, parts, message) => {
    const load = (): unknown => loadMember(pipeline(parts));
    expect(load).toThrow(OnnxFormatError);
    expect(load).toThrow(message);
  });

  test('graphs without a scorer, with endless chains, or with data outside are refused', () => {
    const base = {
      inputs: [{ name: 'x', type: 1, shape: ['rows', 2] }],
      outputs: [{ name: 'y', type: 1, shape: ['rows', 2] }],
    };
    expect(() => loadMember(onnxFile({ ...base, nodes: [] }))).toThrow("output 'y'");
    expect(() => loadMember(onnxFile({ ...base, outputs: [], nodes: [] }))).toThrow('graph: no output');
    const loop: NodeParts[] = [{ operator: 'Identity', domain: '', inputs: ['y'], outputs: ['y'] }];
    expect(() => loadMember(onnxFile({ ...base, nodes: loop }))).toThrow('more than 32 operators');
    const before: NodeParts[] = [{ operator: 'Identity', domain: '', inputs: ['i'], outputs: ['i'] }];
    expect(() => loadMember(pipeline({ before }))).toThrow('stand before it');
    const initializers = [{ name: 'w', type: 1, dims: [1], location: '../w.bin' }];
    expect(() => loadMember(onnxFile({ ...base, nodes: [], initializers }))).toThrow('outside the file');
  });
});

describe('ensembles', () => {
  const forest = randomForest({ trees: 3, depth: 3, width: 2, seed: 5 });
  const member = createMember({ link: 'logistic', model: forest });
  const groups = [
    { name: 'a', columns: [0, 1] as const },
    { name: 'b', columns: [1, 1] as const },
  ];
  const constant = (bias: number): ReturnType<typeof createMember> =>
    createMember({
      link: 'identity',
      model: { kind: 'linear', width: 2, weights: new Float64Array(2), bias },
    });

  test('vote by weight, show disagreement, and calibrate the vote', () => {
    const ensemble = createEnsemble({
      members: [
        { member: constant(0.2), weight: 3 },
        { member: constant(0.6), weight: 1 },
      ],
      calibration: { method: 'platt-logit', a: 2, b: -0.5 },
      groups,
    });
    const { vote, probability, disagreement, members } = ensemble.predict(Float32Array.of(1, 1), 1);
    expect(vote[0]).toBeCloseTo(0.3, 15);
    expect(disagreement[0]).toBeCloseTo(0.4, 15);
    expect(members.map((values) => values[0])).toEqual([0.2, 0.6]);
    expect(probability[0]).toBeCloseTo(1 / (1 + Math.exp(0.5 - 2 * Math.log(0.3 / 0.7))), 14);
  });

  test('calibrate certain votes to finite probabilities, and without calibration not at all', () => {
    const parts = { members: [{ member: constant(1), weight: 1 }], groups };
    const calibrated = createEnsemble({ ...parts, calibration: { method: 'platt-logit', a: 1, b: 0 } });
    expect(calibrated.predict(new Float32Array(2), 1).probability[0]).toBeCloseTo(1 - 1e-6, 12);
    expect(
      createEnsemble({ ...parts, calibration: null }).predict(new Float32Array(2), 1).probability[0],
    ).toBe(1);
  });

  test('margins far out keep their tails', () => {
    expect(sigmoid(-745)).toBeGreaterThan(0);
    expect(sigmoid(-17.31)).toBeCloseTo(3.0364246e-8, 14);
    expect(sigmoid(800)).toBe(1);
    expect(sigmoid(0)).toBe(0.5);
  });

  test('refuse members, weights, groups and matrices that do not fit', () => {
    const parts = { members: [{ member, weight: 1 }], calibration: null, groups };
    const wide = createMember({
      link: 'identity',
      model: { kind: 'linear', width: 3, weights: new Float64Array(3), bias: 0 },
    });
    expect(() => createEnsemble({ ...parts, members: [] })).toThrow('at least one member');
    expect(() =>
      createEnsemble({
        ...parts,
        members: [
          { member, weight: 1 },
          { member: wide, weight: 1 },
        ],
      }),
    ).toThrow('reads 3 columns');
    expect(() => createEnsemble({ ...parts, members: [{ member, weight: 0 }] })).toThrow(
      'weights are positive',
    );
    expect(() =>
      createEnsemble({ ...parts, calibration: { method: 'platt-logit', a: Number.NaN, b: 0 } }),
    ).toThrow('calibration');
    expect(() => createEnsemble({ ...parts, groups: [{ name: 'a', columns: [0, 1] }] })).toThrow(
      'Column 1 belongs to no group',
    );
    expect(() => createEnsemble({ ...parts, groups: [...groups, { name: 'c', columns: [1, 1] }] })).toThrow(
      'two groups',
    );
    expect(() => createEnsemble({ ...parts, groups: [{ name: 'a', columns: [0, 3] }] })).toThrow(
      'outside the 2',
    );
    expect(() => createEnsemble(parts).predict(new Float32Array(3), 1)).toThrow(AnalysisInputError);
    expect(() => member.predict(new Float32Array(4), 1)).toThrow('1 rows of 2 columns need 2');
  });

  test('are probed on every threshold and one step above it, within the limit', () => {
    const background = randomMatrix(4, 2, 3);
    const probes = probeRows(member, background, 1000);
    const thresholds = new Set([...forest.threshold].filter((_, node) => (forest.feature[node] ?? -1) >= 0));
    for (const threshold of thresholds) expect(probes.includes(threshold)).toBe(true);
    expect(probeRows(member, background, 10).length).toBe(20);
    expect(probeRows(member, background, 2).length).toBe(4);
    expect(probeRows(constant(1), background, 100).length).toBe(8);
    expect(() => probeRows(member, new Float32Array(3), 5)).toThrow(AnalysisInputError);
  });
});
