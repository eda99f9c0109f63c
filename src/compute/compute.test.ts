import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { EnsembleManifest } from '../kernel/ensemble-manifest.js';
import type { ExplainResult } from './ensemble/explain.js';
import type { EnsembleSource } from './ensemble/open-ensemble.js';
import type { ScoreResult } from './ensemble/score.js';
import { openCompute } from './index.js';

const folder = 'models/income-routing/1.0.0';
const bytesOf = (file: string): Uint8Array => {
  const bytes = readFileSync(`${folder}/${file}`);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
};
const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')) as EnsembleManifest;
const paths = ['manifest.json', manifest.background.file, ...manifest.members.map(({ file }) => file)];
const source: EnsembleSource = {
  digest: 'a'.repeat(64),
  files: Object.fromEntries(paths.map((path) => [path, bytesOf(path)])),
};

interface Application {
  readonly inputs: Readonly<Record<string, number | string>>;
}
const applications = readFileSync('models/data/applications.jsonl', 'utf8')
  .trim()
  .split('\n')
  .slice(0, 40)
  .map((line) => JSON.parse(line) as Application);
const values = Float32Array.from(
  applications.flatMap(({ inputs }) =>
    manifest.inputs.map((input) => {
      const value = inputs[input.name];
      return input.kind === 'numeric' ? Number(value) : input.categories.indexOf(String(value));
    }),
  ),
);
const input = { rows: applications.length, values };
const timeoutMs = 20_000;

const compute = openCompute({ threads: 2 });
afterAll(() => compute.close());

describe('an ensemble in worker threads', () => {
  test('scores like the worked examples that ship with the model', async () => {
    const golden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8')) as {
      examples: { features: number[]; probability: number }[];
    };
    const rows = golden.examples.flatMap(({ features }) =>
      manifest.inputs.map(({ columns: [start, length] }) =>
        length === 1 ? (features[start] ?? 0) : features.slice(start, start + length).indexOf(1),
      ),
    );
    const result = await compute.run<ScoreResult>(
      'ensemble.score',
      { source, input: { rows: golden.examples.length, values: Float32Array.from(rows) } },
      { timeoutMs },
    );
    golden.examples.forEach(({ probability }, row) => {
      expect(result.probability[row]).toBeCloseTo(probability, 6);
    });
    expect(Math.max(...result.runtimeGap)).toBeLessThan(1e-5);
  });

  test('explains each probability to the last digit and finds what would have to be different', async () => {
    const rules = manifest.inputs.map((one) =>
      one.kind === 'numeric'
        ? { change: 'any', range: [one.min, one.max], step: 1, scale: 10 }
        : { change: 'fixed', scale: 1 },
    );
    const question = { rules, threshold: 0.5, limit: 1, budget: 4000 };
    const request = { source, input, backgroundRows: 25, counterfactuals: question };
    const scores = await compute.run<ScoreResult>('ensemble.score', { source, input }, { timeoutMs });
    const result = await compute.run<ExplainResult>('ensemble.explain', request, { timeoutMs });

    const width = result.inputs.length;
    for (let row = 0; row < input.rows; row += 1) {
      const sum = result.contributions
        .subarray(row * width, (row + 1) * width)
        .reduce((a, b) => a + b, result.base);
      expect(sum).toBeCloseTo(scores.probability[row] ?? Number.NaN, 9);
      for (const { probability } of result.counterfactuals[row]?.found ?? []) {
        expect(probability >= 0.5).not.toBe((scores.probability[row] ?? 0) >= 0.5);
      }
    }
    expect(result.counterfactuals.some(({ found }) => found.length > 0)).toBe(true);
  });

  test('is refused when a file is not the one that the manifest pins', async () => {
    const [first] = manifest.members;
    const broken = {
      digest: 'b'.repeat(64),
      files: { ...source.files, [first?.file ?? '']: bytesOf('background.csv') },
    };
    await expect(
      compute.run('ensemble.score', { source: broken, input }, { timeoutMs }),
    ).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
      details: { rule: 'artifact-digest' },
    });
  });

  test('is refused when a row names a category that does not exist', async () => {
    const bad = { rows: 1, values: values.slice(0, manifest.inputs.length).fill(99) };
    await expect(compute.run('ensemble.score', { source, input: bad }, { timeoutMs })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});

describe('the pool', () => {
  test('ends a task whose time is over and goes on with a fresh thread', async () => {
    const small = openCompute({ threads: 1 });
    const many = {
      rows: 2000,
      values: Float32Array.from(
        { length: 2000 * manifest.inputs.length },
        (_, i) => values[i % values.length] ?? 0,
      ),
    };
    const request = { source, input: many, backgroundRows: 100, counterfactuals: null };
    await expect(small.run('ensemble.explain', request, { timeoutMs: 300 })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await expect(
      small.run<ScoreResult>('ensemble.score', { source, input }, { timeoutMs }),
    ).resolves.toBeDefined();
    await small.close();
  });

  test('ends a task that is aborted, running or waiting', async () => {
    const small = openCompute({ threads: 1 });
    const abort = new AbortController();
    const request = { source, input, backgroundRows: 100, counterfactuals: null };
    const both = [1, 2].map(() =>
      small.run('ensemble.explain', request, { timeoutMs, signal: abort.signal }),
    );
    abort.abort(new Error('No longer needed'));
    for (const one of await Promise.allSettled(both)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { message: 'No longer needed' } });
    }
    await small.close();
  });

  test('says that there is no such task', async () => {
    await expect(compute.run('ensemble.guess', {}, { timeoutMs })).rejects.toThrow(
      'There is no task ensemble.guess',
    );
  });
});
