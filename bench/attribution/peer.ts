import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installationRoot } from '../../src/kernel/root.js';

/** What the peer prepared. */
export interface Prepared {
  readonly inputs: readonly string[];
  readonly background: number;
  readonly models: Readonly<Record<string, { readonly trees: number; readonly leaves: number }>>;
}

/** How long the peer took: on the clock, and of the processor. */
export interface PeerTime {
  readonly seconds: number;
  readonly processor: number;
}

const script = join(installationRoot, 'bench', 'attribution', 'peer.py');
const needed = 'import sys, shap, sklearn, skl2onnx, pandas; print(sys.executable); print(shap.__version__)';

/** A Python with the peer in it, or why there is none. */
export const findPeer = (
  wanted: string | undefined,
): { readonly python: string; readonly version: string } | { readonly missing: string } => {
  const candidates =
    wanted === undefined ? [join(installationRoot, '.venv', 'bin', 'python3'), 'python3'] : [wanted];
  for (const candidate of candidates) {
    if (candidate.includes('/') && !existsSync(candidate)) continue;
    const { status, stdout } = spawnSync(candidate, ['-c', needed], { encoding: 'utf8' });
    const [python, version] = stdout.trim().split('\n');
    if (status === 0 && python !== undefined && version !== undefined) return { python, version };
  }
  return {
    missing: `${candidates.join(' and ')} cannot import shap, sklearn, skl2onnx and pandas (pip install -r .ci/requirements.txt)`,
  };
};

const run = (python: string, args: readonly string[]): string => {
  const { status, stdout, stderr } = spawnSync(python, [script, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The peer failed: ${stderr.slice(-2000)}`);
  return stdout;
};

/** Trains the models and writes them with their rows. */
export const preparePeer = (python: string, out: string): void => {
  run(python, ['prepare', join(installationRoot, 'models', 'data'), out]);
};

/** Best of three runs of the peer. */
export const timePeer = (python: string, out: string, model: string, kind: string, rows: number): PeerTime =>
  JSON.parse(run(python, ['time', out, model, kind, String(rows)])) as PeerTime;
