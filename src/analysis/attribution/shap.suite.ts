import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadTrees } from '../ensemble/load-member.js';
import { createTreeExplainer } from './tree-explainer.js';

/*
 * Agreement with the shap package, on models of scikit-learn, XGBoost, LightGBM and CatBoost. The reference works on
 * the library's own model, we on the ONNX file made of it, whose leaves are float32; two of its paths sum in float32.
 * So the bound is a few float32 roundings of the largest contribution, not our own 1e-9.
 */
const TOLERANCE = 2e-6;

interface Case {
  readonly name: string;
  readonly columns: number;
  readonly rows: number;
  readonly background: number;
  readonly outputs: number;
  readonly kinds: Readonly<Partial<Record<'interventional' | 'path-dependent', string>>>;
}

const needed = 'import shap, sklearn, xgboost, lightgbm, catboost, skl2onnx, onnxmltools, pandas';
const python = [join(process.cwd(), '.venv/bin/python3'), 'python3']
  .filter((candidate) => !candidate.includes('/') || existsSync(candidate))
  .find((candidate) => spawnSync(candidate, ['-c', needed]).status === 0);
const missing =
  'no Python here can import shap and the libraries of trees (pip install -r .ci/requirements.txt)';

const NAMES = [
  ...['adult', 'cancer', 'diabetes'].flatMap((set) =>
    ['sklearn', 'xgboost', 'lightgbm', 'catboost'].map((library) => `${set}-${library}`),
  ),
  'adult-lightgbm-categories',
  'wine-sklearn-classes',
];

describe.skipIf(python === undefined)(
  `the shap package${python === undefined ? ` (skipped: ${missing})` : ''}`,
  () => {
    const out = mkdtempSync(join(tmpdir(), 'countersign-shap-'));
    let cases: readonly Case[] = [];

    beforeAll(() => {
      const script = join(process.cwd(), 'src/testing/shap-reference.py');
      const args = [script, join(process.cwd(), 'models/data'), out];
      const { stdout, stderr, status } = spawnSync(python ?? '', args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr.slice(-2000));
      cases = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Case[];
    });

    afterAll(() => {
      rmSync(out, { recursive: true });
    });

    const bufferOf = (name: string): ArrayBuffer => {
      const bytes = readFileSync(join(out, name));
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    };

    const kinds = ['interventional', 'path-dependent'] as const;
    test.each(NAMES.flatMap((name) => kinds.map((kind) => [name, kind] as const)))(
      '%s: %s values agree',
      (name, kind) => {
        const one = cases.find((candidate) => candidate.name === name);
        if (one === undefined) throw new Error(`no case ${name}`);
        const file = one.kinds[kind];
        // The package has no interventional values for splits by category.
        if (file === undefined) return;
        const { forest } = loadTrees(readFileSync(join(out, `${name}.onnx`)));
        const all = new Float32Array(bufferOf(`${name}.x`));
        const background = kind === 'interventional' ? all.subarray(-one.background * one.columns) : all;
        const groups = Array.from({ length: one.columns }, (_, column) => ({
          name: String(column),
          columns: [column, 1] as const,
        }));
        const widened = { ...forest, width: one.columns };
        const { values } = createTreeExplainer({ forest: widened, groups, kind, background }).explain(
          all.subarray(0, one.rows * one.columns),
        );
        const wanted = new Float64Array(bufferOf(file));
        expect(values).toHaveLength(wanted.length);
        const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const gap = wanted.reduce(
          (most, value, at) => Math.max(most, Math.abs(value - (values[at] ?? Number.NaN))),
          0,
        );
        expect(gap / largest).toBeLessThan(TOLERANCE);
      },
    );
  },
);
