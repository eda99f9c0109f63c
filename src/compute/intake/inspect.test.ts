import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installationRoot } from '../../kernel/root.js';
import { addModel, bombModel, externalDataModel, unknownOperatorModel } from '../../testing/onnx-bytes.js';
import { InspectionInterrupted } from '../stranger.js';
import { defaultLimits, inspectOnnx } from './index.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-inspect-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const fileOf = async (content: Uint8Array | string): Promise<string> => {
  const path = join(folder, 'model.onnx');
  await writeFile(path, content);
  return path;
};

const reference = join(installationRoot, 'models', 'income-routing', '1.0.0', 'xgboost.onnx');

test('a model is described as it is: inputs, outputs, operators, and it runs', async () => {
  const answer = await inspectOnnx(reference);

  expect(answer).toMatchObject({
    accepted: true,
    report: {
      inputs: [{ name: 'features', elementType: 'float', shape: [null, 29] }],
      outputs: [{ name: 'probabilities', elementType: 'float', shape: [null, 2] }],
      operators: { 'ai.onnx.ml:TreeEnsembleClassifier': 1 },
      zeroRow: true,
    },
  });
});

test('a model put together by hand passes as well', async () => {
  const answer = await inspectOnnx(await fileOf(addModel()));

  expect(answer).toMatchObject({
    accepted: true,
    report: { inputs: [{ name: 'x', shape: ['batch', 4] }], initializers: 1 },
  });
});

describe('a file is refused', () => {
  test.each([
    ['empty', (): string => '', /empty/],
    ['text', (): string => 'not a model', /not a readable ONNX model/],
    ['a zip', () => Buffer.from('504b030414000000', 'hex'), /not a readable ONNX model/],
    ['truncated', async () => (await readFile(reference)).subarray(0, 40_000), /not a readable ONNX model/],
    [
      'with one byte less',
      async () => (await readFile(reference)).subarray(0, -1),
      /not a readable ONNX model|does not load/,
    ],
    [
      'with data in another file',
      () => externalDataModel('weights.bin'),
      /data outside of itself.*weights\.bin/,
    ],
    ['with data in a file of the machine', () => externalDataModel('/etc/passwd'), /data outside of itself/],
    ['with an operator that nobody knows', () => unknownOperatorModel(), /does not load/],
  ] as const)('%s', async (_, content, reason) => {
    const answer = await inspectOnnx(await fileOf(await content()));

    expect(answer).toMatchObject({ accepted: false });
    expect(answer.accepted ? '' : answer.reason).toMatch(reason);
  });

  test('larger than what is opened', async () => {
    const answer = await inspectOnnx(reference, { limits: { ...defaultLimits, fileBytes: 1024 } });

    expect(answer).toEqual({ accepted: false, reason: 'it has 55.3 KiB; at most 1.0 KiB are opened' });
  });

  test('that takes too long', async () => {
    const answer = await inspectOnnx(reference, { limits: { ...defaultLimits, wallMs: 50 } });

    expect(answer.accepted ? '' : answer.reason).toMatch(/takes longer than/);
  });

  test('that takes more memory than it may, and the process is gone', async () => {
    const path = await fileOf(bombModel(18));

    const answer = await inspectOnnx(path, { limits: { ...defaultLimits, memoryBytes: 400 * 1_048_576 } });

    expect(answer.accepted ? '' : answer.reason).toMatch(/memory|does not run on a row of zeros/);
  });
});

test('an aborted inspection ends its process', async () => {
  const stop = new AbortController();
  const inspection = inspectOnnx(reference, { signal: stop.signal });
  setTimeout(() => {
    stop.abort(new Error('stopped'));
  }, 60);

  await expect(inspection).rejects.toThrow('stopped');
});

interface Seen {
  readonly pid: number;
  readonly environment: string;
  readonly descriptors: readonly string[];
}

/** What the processes that open model files hold at this moment, as the kernel tells it. */
const look = (): Seen[] => {
  const own = `/proc/${String(process.pid)}/task/${String(process.pid)}/children`;
  const children = readFileSync(own, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '');
  return children.flatMap((pid) => {
    try {
      const place = `/proc/${pid}`;
      if (!readFileSync(`${place}/cmdline`, 'utf8').includes('intake/child')) return [];
      const descriptors = readdirSync(`${place}/fd`).map((fd) => readlinkSync(`${place}/fd/${fd}`));
      return [{ pid: Number(pid), environment: readFileSync(`${place}/environ`, 'utf8'), descriptors }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
};

test.runIf(process.platform === 'linux')(
  'the process has nothing of our environment and no connection of ours',
  async () => {
    const seen: Seen[] = [];
    const looking = setInterval(() => {
      seen.push(...look());
    }, 10);
    await inspectOnnx(reference);
    clearInterval(looking);

    expect(seen.length).toBeGreaterThan(0);
    for (const { environment, descriptors } of seen) {
      expect(environment).toMatch(/^(PATH=[^\0=]*\0?)?$/);
      // The one on which it answers.
      expect(descriptors.filter((target) => target.startsWith('socket:')).length).toBeLessThanOrEqual(1);
    }
  },
);

test.runIf(process.platform === 'linux')(
  'a process that somebody else ends says nothing about the file',
  async () => {
    const inspection = inspectOnnx(reference);
    const killing = setInterval(() => {
      for (const { pid } of look()) process.kill(pid, 'SIGKILL');
    }, 10);

    await expect(inspection).rejects.toThrow(InspectionInterrupted);
    clearInterval(killing);
  },
);
