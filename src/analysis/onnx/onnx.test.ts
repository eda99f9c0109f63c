import { readFileSync } from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { loadMember } from '../ensemble/load-member.js';
import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import { onnxFile, protobufBlock, protobufInt, graph, type TensorParts } from './onnx-writer.fixture.js';
import { readOnnxModel } from './read-model.js';
import { openMessage, openSource, nextField, spend } from './wire.js';

const INPUT = { name: 'x', type: 1, shape: ['rows', 4] };
const OUTPUT = { name: 'y', type: 1, shape: ['rows', 2] };
const IDENTITY = { operator: 'Identity', domain: '', inputs: ['x'], outputs: ['y'] };

function withTensor(parts: TensorParts): ReturnType<typeof readOnnxModel> {
  return readOnnxModel(
    onnxFile({ nodes: [IDENTITY], inputs: [INPUT], outputs: [OUTPUT], initializers: [parts] }),
  );
}

describe('reading ONNX files', () => {
  test('tells versions, producer, inputs, outputs, nodes and operators', () => {
    const model = readOnnxModel(onnxFile({ nodes: [IDENTITY], inputs: [INPUT], outputs: [OUTPUT] }));
    expect(model).toMatchObject({
      irVersion: 8,
      producer: 'test-writer',
      producerVersion: '1.0',
      modelVersion: 7,
    });
    expect([...model.opsets]).toEqual([
      ['', 17],
      ['ai.onnx.ml', 3],
    ]);
    expect([...model.metadata]).toEqual([['origin', 'test']]);
    expect(model.graph.inputs).toEqual([{ name: 'x', elementType: 'float', shape: ['rows', 4] }]);
    expect(model.graph.outputs[0]?.shape).toEqual(['rows', 2]);
    expect([...model.operators]).toEqual([[':Identity', 1]]);
    expect(model.externalData).toEqual([]);
  });

  test('tells what the reference model says', () => {
    const model = readOnnxModel(readFileSync('models/income-routing/1.0.0/lightgbm.onnx'));
    expect(model.graph.inputs).toHaveLength(1);
    expect(model.graph.inputs[0]).toMatchObject({ name: 'features', elementType: 'float' });
    expect([...model.operators.keys()].some((key) => key.endsWith(':TreeEnsembleClassifier'))).toBe(true);
    expect(model.opsets.has('ai.onnx.ml')).toBe(true);
  });

  test('decodes tensors only when asked, in every numeric type', () => {
    const one = (type: number, raw: readonly number[], dims = [1]): number[] => [
      ...(withTensor({ type, dims, raw }).graph.initializers[0]?.values() ?? []),
    ];
    expect(one(1, [0, 0, 0x20, 0x41])).toEqual([10]);
    expect(one(11, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f])).toEqual([1.5]);
    expect(one(10, [0, 0x3c, 0, 0xc0, 1, 0, 0, 0x7c], [4])).toEqual([
      1,
      -2,
      2 ** -24,
      Number.POSITIVE_INFINITY,
    ]);
    expect(one(10, [1, 0x7c])[0]).toBeNaN();
    expect(one(2, [200])).toEqual([200]);
    expect(one(3, [200])).toEqual([-56]);
    expect(one(9, [1])).toEqual([1]);
    expect(one(4, [1, 2])).toEqual([513]);
    expect(one(5, [255, 255])).toEqual([-1]);
    expect(one(6, [254, 255, 255, 255])).toEqual([-2]);
    expect(one(12, [255, 255, 255, 255])).toEqual([4_294_967_295]);
    expect(one(7, [255, 255, 255, 255, 255, 255, 255, 255])).toEqual([-1]);
    expect(one(13, [1, 0, 0, 0, 0, 0, 0, 0])).toEqual([1]);
    expect([
      ...(withTensor({ type: 6, dims: [2], int32s: [-5, 70_000] }).graph.initializers[0]?.values() ?? []),
    ]).toEqual([-5, 70_000]);
    expect(withTensor({ type: 8, dims: [2], strings: ['a', 'b'] }).graph.initializers[0]?.strings()).toEqual([
      'a',
      'b',
    ]);
  });

  test('refuses tensors whose bytes do not fit their shape', () => {
    expect(() =>
      withTensor({ type: 1, dims: [3], raw: [0, 0, 0, 0] }).graph.initializers[0]?.values(),
    ).toThrow('has 1 values where its shape needs 3');
    expect(() => withTensor({ type: 1, dims: [-3], raw: [] })).toThrow('negative dimension');
    expect(() => withTensor({ type: 1, dims: [2 ** 30, 2 ** 30], raw: [] })).toThrow(
      'more elements than exist',
    );
    expect(() => withTensor({ type: 16, dims: [1], raw: [0, 0] }).graph.initializers[0]?.values()).toThrow(
      UnsupportedModelError,
    );
  });

  test('lists data outside the file, also inside attributes and subgraphs', () => {
    const outside = (name: string): TensorParts => ({ name, type: 1, dims: [1], location: `${name}.bin` });
    const inner = graph({ nodes: [IDENTITY], inputs: [], outputs: [], initializers: [outside('inner')] });
    const hidden = {
      operator: 'If',
      domain: '',
      inputs: ['x'],
      outputs: ['y'],
      attributes: { then_branch: { graph: inner } },
    };
    const model = readOnnxModel(
      onnxFile({ nodes: [hidden], inputs: [INPUT], outputs: [OUTPUT], initializers: [outside('weights')] }),
    );
    expect(model.externalData).toEqual([
      { tensor: 'inner', location: 'inner.bin' },
      { tensor: 'weights', location: 'weights.bin' },
    ]);
    expect([...model.operators]).toEqual([
      [':Identity', 1],
      [':If', 1],
    ]);
  });

  test('counts operators of functions, and finds data outside in training graphs', () => {
    const nodes = protobufBlock(7, [...protobufBlock(4, [...Buffer.from('Gelu')])]);
    const training = protobufBlock(
      20,
      protobufBlock(
        2,
        graph({
          nodes: [],
          inputs: [],
          outputs: [],
          initializers: [{ name: 't', type: 1, dims: [1], location: 'x' }],
        }),
      ),
    );
    const model = readOnnxModel(
      onnxFile({ nodes: [IDENTITY], inputs: [INPUT], outputs: [OUTPUT] }, [
        ...protobufBlock(25, nodes),
        ...training,
      ]),
    );
    expect(model.operators.get(':Gelu')).toBe(1);
    expect(model.externalData).toEqual([{ tensor: 't', location: 'x' }]);
  });

  test('refuses what other readers would read differently', () => {
    const empty = { nodes: [], inputs: [], outputs: [] };
    expect(() => readOnnxModel(onnxFile(empty, protobufBlock(7, graph(empty))))).toThrow('two graphs');
    const twice = protobufBlock(
      7,
      protobufBlock(1, [
        ...protobufBlock(5, protobufBlock(1, [97])),
        ...protobufBlock(5, protobufBlock(1, [97])),
      ]),
    );
    expect(() => readOnnxModel(Uint8Array.from(twice))).toThrow("attribute 'a' twice");
  });

  test.each([
    ['nothing', []],
    ['a text file', [...Buffer.from('not a model at all, only words')]],
    ['a number that never ends', [0x08, ...new Array<number>(11).fill(0xff)]],
    ['a number that is cut off', [0x08, 0x80]],
    ['a field longer than the file', [0x3a, 0x7f, 1]],
    ['field number zero', [0x02, 0x00]],
    ['an unknown wire type', [0x0b]],
    ['a number where a graph belongs', [...protobufInt(7, 1)]],
    ['graphs nested without end', nested(40)],
  ])('refuses %s with a sentence', (_name, bytes) => {
    expect(() => readOnnxModel(Uint8Array.from(bytes))).toThrow(OnnxFormatError);
  });

  test('bounds the number of parts it reads', () => {
    const source = openSource(new Uint8Array(0));
    source.budget.items = 1;
    spend(source, 'a test');
    expect(() => {
      spend(source, 'a test');
    }).toThrow('the limit was met in a test');
    expect(nextField(openMessage(source, 0, 0))).toBe(false);
  });

  test(
    'never fails otherwise than by its own errors, whatever is cut off or flipped',
    { timeout: 60_000 },
    () => {
      const original = readFileSync('models/income-routing/1.0.0/xgboost.onnx');
      const attempt = (bytes: Uint8Array): void => {
        try {
          const model = readOnnxModel(bytes);
          for (const tensor of model.graph.initializers) tensor.values();
          loadMember(bytes);
        } catch (error) {
          if (!(error instanceof OnnxFormatError) && !(error instanceof UnsupportedModelError)) throw error;
        }
      };
      fc.assert(
        fc.property(
          fc.nat(original.length),
          fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(7)), { maxLength: 12 }),
          (length, flips) => {
            const bytes = new Uint8Array(original);
            for (const [at, bit] of flips) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
            const start = performance.now();
            attempt(bytes);
            attempt(bytes.subarray(0, length));
            expect(performance.now() - start).toBeLessThan(5000);
          },
        ),
        { numRuns: 150 },
      );
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), attempt), { numRuns: 500 });
    },
  );
});

/** An attribute with a graph with a node with an attribute … */
function nested(depth: number): number[] {
  let bytes: number[] = [];
  for (let level = 0; level < depth; level += 1)
    bytes = protobufBlock(1, protobufBlock(5, protobufBlock(6, bytes)));
  return protobufBlock(7, bytes);
}
