import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { referenceFiles } from '../../testing/given-version.js';
import {
  ensembleManifest,
  manifestFaults,
  manifestPath,
  type EnsembleManifest,
  type ManifestFacts,
} from './manifest.js';

let manifest: EnsembleManifest;
let facts: ManifestFacts;

beforeAll(async () => {
  const contents = await referenceFiles('1.0.0', { data: true });
  manifest = ensembleManifest.parse(JSON.parse(contents.get('manifest.json')?.toString() ?? ''));
  const stored = [...contents].map(([path, content]) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return [path, { path, sha256, bytes: content.length }] as const;
  });
  const shape = { inputs: [{ name: 'features', shape: [null, 29] }], outputs: [{ name: 'probabilities' }] };
  facts = {
    files: new Map(stored),
    shapes: new Map(
      [...contents.keys()].filter((path) => path.endsWith('.onnx')).map((path) => [path, shape]),
    ),
    refused: new Set(),
    backgroundHeader: contents.get('background.csv')?.toString().split('\n')[0]?.split(',') ?? null,
  };
});

const without = <Value>(map: ReadonlyMap<string, Value>, path: string): Map<string, Value> =>
  new Map([...map].filter(([key]) => key !== path));

const having = <Value>(map: ReadonlyMap<string, Value>, path: string, value: Value): Map<string, Value> =>
  new Map([...map, [path, value]]);

const other = { path: 'x', sha256: 'f'.repeat(64), bytes: 1 };

test('the reference ensemble keeps to its manifest, with its data and without', () => {
  expect(manifestFaults(manifest, facts)).toEqual([]);
  let files = facts.files;
  for (const { file } of manifest.data) files = without(files, manifestPath(file));

  expect(manifestFaults(manifest, { ...facts, files: without(files, 'golden.json') })).toEqual([]);
});

describe('a version differs from its manifest in', () => {
  type Change = (m: EnsembleManifest, f: ManifestFacts) => { m?: EnsembleManifest; f?: ManifestFacts };
  const firstInput = (m: EnsembleManifest, name: string): EnsembleManifest => ({
    ...m,
    inputs: m.inputs.map((input, index) => (index === 0 ? { ...input, name } : input)),
  });
  const withMembers = (m: EnsembleManifest, change: object): EnsembleManifest => ({
    ...m,
    members: m.members.map((member) => ({ ...member, ...change })),
  });
  const oddShape = (input: string, width: number, output: string) => ({
    inputs: [{ name: input, shape: [null, width] }],
    outputs: [{ name: output }],
  });
  const cases: readonly (readonly [string, Change, RegExp])[] = [
    [
      'a missing member',
      (_m, f) => ({ f: { ...f, files: without(f.files, 'xgboost.onnx') } }),
      /the member xgboost is missing: upload xgboost\.onnx/,
    ],
    [
      'another member',
      (_m, f) => ({ f: { ...f, files: having(f.files, 'xgboost.onnx', other) } }),
      /^xgboost\.onnx: the member xgboost has the digest f+, the manifest says/,
    ],
    [
      'a missing background',
      (_m, f) => ({ f: { ...f, files: without(f.files, 'background.csv') } }),
      /the background is missing/,
    ],
    [
      'other data',
      (_m, f) => ({ f: { ...f, files: having(f.files, 'data/adult-heldout.csv.gz', other) } }),
      /^data\/adult-heldout\.csv\.gz: the heldout data has the digest/,
    ],
    [
      'other worked examples',
      (_m, f) => ({ f: { ...f, files: having(f.files, 'golden.json', other) } }),
      /^golden\.json: the worked examples/,
    ],
    [
      'a model that is not named',
      (_m, f) => ({
        f: { ...f, shapes: having(f.shapes, 'stowaway.onnx', oddShape('features', 29, 'probabilities')) },
      }),
      /stowaway\.onnx is not a member/,
    ],
    [
      'an excluded input',
      (m) => ({ m: firstInput(m, 'sex') }),
      /^sex is excluded by the manifest and yet an input of the manifest/,
    ],
    ['an excluded input in capitals', (m) => ({ m: firstInput(m, 'RACE') }), /^RACE is excluded/],
    ['an excluded input in look-alike letters', (m) => ({ m: firstInput(m, 'sеx') }), /^sеx is excluded/],
    [
      'an excluded input of a member',
      (_m, f) => ({
        f: { ...f, shapes: having(f.shapes, 'xgboost.onnx', oddShape('race', 29, 'probabilities')) },
      }),
      /^race is excluded by the manifest and yet an input of xgboost\.onnx/,
    ],
    [
      'an excluded column of the background',
      (_m, f) => ({ f: { ...f, backgroundHeader: ['sex', 'age'] } }),
      /sex is excluded by the manifest and yet a column of background\.csv/,
    ],
    [
      'the order of the background',
      (_m, f) => ({ f: { ...f, backgroundHeader: f.backgroundHeader?.toReversed() ?? null } }),
      /columns of background\.csv are not the inputs/,
    ],
    [
      'two inputs of one name',
      (m) => ({ m: firstInput(m, m.inputs[1]?.name ?? '') }),
      /two inputs of the manifest have the same name/,
    ],
    ['weights', (m) => ({ m: withMembers(m, { weight: 0.2 }) }), /weights of the members sum to 0\.8/],
    [
      'its width',
      (m) => ({ m: { ...m, encodedWidth: 30 } }),
      /the inputs fill 29 columns, encodedWidth says 30/,
    ],
    [
      'the width of a member',
      (_m, f) => ({
        f: { ...f, shapes: having(f.shapes, 'xgboost.onnx', oddShape('features', 28, 'probabilities')) },
      }),
      /^xgboost\.onnx: its input must be features with 29 columns/,
    ],
    [
      'the output of a member',
      (_m, f) => ({
        f: { ...f, shapes: having(f.shapes, 'xgboost.onnx', oddShape('features', 29, 'label')) },
      }),
      /^xgboost\.onnx: it has no output probabilities/,
    ],
    [
      'a member that is no model',
      (_m, f) => ({ f: { ...f, shapes: without(f.shapes, 'xgboost.onnx') } }),
      /^xgboost\.onnx: a member must be an \.onnx file/,
    ],
    [
      'a path that leads out',
      (m) => ({ m: withMembers(m, { file: '../../../../etc/passwd' }) }),
      /is missing: upload etc\/passwd/,
    ],
  ];

  test.each(cases)('%s', (_, change, reason) => {
    const { m = manifest, f = facts } = change(manifest, facts);

    expect(manifestFaults(m, f)).toContainEqual(expect.stringMatching(reason));
  });
});

test('a file that was refused already is not spoken of twice', () => {
  const shapes = without(facts.shapes, 'xgboost.onnx');

  expect(manifestFaults(manifest, { ...facts, shapes, refused: new Set(['xgboost.onnx']) })).toEqual([]);
});

test.each([
  ['../../data/x.csv', 'data/x.csv'],
  ['./a.onnx', 'a.onnx'],
  ['a/../b', 'b'],
  ['a//b', 'a/b'],
])('the path %s of a manifest stands at %s in a version', (path, place) => {
  expect(manifestPath(path)).toBe(place);
});
