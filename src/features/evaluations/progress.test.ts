import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScoreRequest } from '../../compute/evaluation/index.js';
import { ensembleManifest } from '../../kernel/ensemble-manifest.js';
import { installationRoot } from '../../kernel/root.js';
import { Artifact } from '../registry/index.js';
import { currentEvaluationPolicy } from './evaluation-policy.js';
import { scoreDataset } from './evaluations.jobs/score-dataset.js';

const read = (...path: string[]): Buffer => readFileSync(join(installationRoot, 'models', ...path));

test('progress goes by the rows that are scored, not by the bytes that were read ahead', async () => {
  const bytes = read('data', 'adult-heldout.csv.gz');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const manifest = ensembleManifest.parse(
    JSON.parse(read('income-routing', '1.0.0', 'manifest.json').toString()),
  );
  const told: [number, string][] = [];
  // As much of the outside as scoring needs: the file in one piece, and scores of zero.
  const context = {
    outside: {
      artifacts: {
        open: () =>
          Promise.resolve(
            (async function* () {
              yield await Promise.resolve(new Uint8Array(bytes));
            })(),
          ),
      },
      compute: {
        run: (_: string, { input }: ScoreRequest) =>
          Promise.resolve({ probability: new Float64Array(input.rows), runtimeGap: [0] }),
      },
    },
    signal: new AbortController().signal,
    progress: (fraction: number, message: string) => {
      told.push([fraction, message]);
      return Promise.resolve();
    },
  };
  const artifact = Object.assign(new Artifact(), { path: 'data/h.csv.gz', sha256, bytes: bytes.length });

  await scoreDataset(
    context as never,
    { manifest, source: { digest: '', files: {} } },
    artifact,
    currentEvaluationPolicy(),
  );

  expect(told.map(([, message]) => message)).toEqual([
    '4096 of 12211 rows scored',
    '8192 of 12211 rows scored',
    '12211 of 12211 rows scored',
  ]);
  expect(told[0]?.[0]).toBeCloseTo((0.5 * 4096) / 12_211, 10);
  expect(told[1]?.[0]).toBeCloseTo((0.5 * 8192) / 12_211, 10);
});
