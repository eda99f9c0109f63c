import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scanPickles, type PickleScan } from './scan.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-pickle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const scan = async (content: Uint8Array, name = 'model.pkl'): Promise<PickleScan> => {
  const path = join(folder, 'file');
  await writeFile(path, content);
  return scanPickles({ path, name });
};

/** A pickle put together from opcodes: numbers are bytes, texts stand as they are. */
const pickle = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1'))),
  );
const text = (value: string): string => `\x8c${String.fromCharCode(value.length)}${value}`;
const frame4 = '\x80\x04';
const global4 = (module: string, name: string): string => `${text(module)}${text(name)}\x93`;

const harmless = pickle(
  frame4,
  global4('sklearn.linear_model._logistic', 'LogisticRegression'),
  ')\x81}',
  text('C'),
  'K\x01sb.',
);

test('an ordinary model is listed and let through', async () => {
  expect(await scan(harmless)).toEqual({
    streams: 1,
    imports: ['sklearn.linear_model._logistic.LogisticRegression'],
    carriesCode: false,
    faults: [],
  });
});

const attacks: [string, Buffer, RegExp][] = [
  ['protocol 0', pickle("cos\nsystem\n(S'id'\ntR."), /os\.system/],
  ['an instance', pickle("(S'id'\nios\nsystem\n."), /os\.system/],
  ['protocol 4', pickle(frame4, global4('posix', 'system'), text('id'), '\x85R.'), /posix\.system/],
  ['builtins', pickle(frame4, global4('builtins', 'eval'), text('1'), '\x85R.'), /builtins\.eval/],
  [
    'a module behind another',
    pickle(frame4, global4('logging', 'os.system'), text('id'), '\x85R.'),
    /os\.system/,
  ],
  [
    'a private name of a module',
    pickle(frame4, global4('random', '_os.system'), text('id'), '\x85R.'),
    /_os\.system/,
  ],
  [
    'memo and duplicates',
    pickle(frame4, text('os'), '\x94', text('system'), '\x940h\x00h\x01\x93', text('id'), '\x85R.'),
    /os\.system|computed/,
  ],
  [
    'an attribute by name',
    pickle(frame4, global4('builtins', 'getattr'), 'N', text('system'), '\x86R.'),
    /attribute by name: system/,
  ],
  ['a computed name', pickle(frame4, 'N', text('x'), '\x93.'), /computed/],
  ['copyreg extensions', pickle('\x80\x02\x82\x01.'), /copyreg/],
  ['another pickle inside', pickle(frame4, global4('joblib', 'load'), text('x'), '\x85R.'), /joblib\.load/],
  ['a second stream', Buffer.concat([harmless, pickle(frame4, global4('os', 'system'), '.')]), /os\.system/],
  ['a truncated stream', harmless.subarray(0, harmless.length - 1), /cannot be read/],
  ['no pickle at all', Buffer.from('hello'), /cannot be read/],
  ['a length beyond the file', pickle(frame4, '\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.'), /cannot be read/],
  ['a stack that is empty', pickle('0.'), /cannot be read/],
  ['a mark that is missing', pickle('t.'), /cannot be read/],
];

test.each(attacks)('%s is refused', async (_, content, fault) => {
  const { faults } = await scan(content);
  expect(faults.join('; ')).toMatch(fault);
});

describe('wrapped', () => {
  const attack = pickle(frame4, global4('os', 'system'), text('id'), '\x85R.');

  test.each([
    ['gzip', gzipSync(attack)],
    ['zlib', deflateSync(attack)],
  ])('in %s it is found', async (_, content) => {
    expect((await scan(content, 'model.joblib')).faults.join()).toContain('os.system');
  });

  test('in an archive it is found, whatever the file is called', async () => {
    expect((await scan(zipOf('archive/data.pkl', attack), 'model.pt')).faults.join()).toContain('os.system');
  });

  test('under another name it is found by its first bytes', async () => {
    expect((await scan(attack, 'weights.bin')).faults.join()).toContain('os.system');
  });

  test('behind an array of joblib it is found', async () => {
    const wrapper = pickle(frame4, global4('joblib.numpy_pickle', 'NumpyArrayWrapper'), ')\x81}b');
    const content = Buffer.concat([
      wrapper,
      Buffer.alloc(100, 0xff),
      attack,
      pickle(frame4, global4('posix', 'system'), '.'),
    ]);
    expect((await scan(content, 'model.joblib')).faults).not.toEqual([]);
  });
});

test('a file that is no pickle and says so is left alone', async () => {
  expect(await scan(Buffer.from('{"a": 1}'), 'input_example.json')).toMatchObject({ streams: 0, faults: [] });
});

test('code of its own is told, not refused', async () => {
  const content = pickle(frame4, global4('cloudpickle.cloudpickle', '_make_function'), ')R.');
  expect(await scan(content)).toMatchObject({ carriesCode: true, faults: [] });
});

test('a damaged archive is refused', async () => {
  expect((await scan(Buffer.from('PK\x03\x04 and nothing more'), 'model.pt')).faults).toEqual([
    'it cannot be looked into: its archive is damaged',
  ]);
});

/** An archive with one packed file. */
const zipOf = (name: string, content: Buffer): Buffer => {
  const packed = deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
};
