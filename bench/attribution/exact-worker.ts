import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import {
  createEnsemble,
  createExplainer,
  createMember,
  loadMember,
  type Explainer,
} from '../../src/analysis/index.js';
import { encodeRows, readCsvRows } from '../../src/compute/ensemble/encode.js';
import { ensembleManifest } from '../../src/kernel/ensemble-manifest.js';

/** What a thread explains: a boosted model read as log-odds, or the reference ensemble. */
export type ExactWork =
  | {
      readonly kind: 'boosted';
      readonly onnx: Uint8Array;
      readonly inputs: readonly string[];
      readonly background: Float32Array;
      readonly matrix: Float32Array;
      readonly rows: number;
    }
  | { readonly kind: 'reference'; readonly folder: string; readonly rows: number };

interface Ready {
  readonly explainer: Explainer;
  readonly matrix: Float32Array;
  readonly width: number;
}

const ready = (work: ExactWork): Ready => {
  if (work.kind === 'boosted') {
    const { model } = loadMember(work.onnx);
    const ensemble = createEnsemble({
      members: [{ member: createMember({ link: 'logistic', model }), weight: 1 }],
      calibration: null,
      groups: work.inputs.map((name, column) => ({ name, columns: [column, 1] })),
    });
    return { explainer: createExplainer(ensemble, work.background), matrix: work.matrix, width: model.width };
  }
  const text = (name: string): string => readFileSync(join(work.folder, name), 'utf8');
  const manifest = ensembleManifest.parse(JSON.parse(text('manifest.json')));
  const ensemble = createEnsemble({
    members: manifest.members.map(({ file, weight }) => ({
      member: loadMember(readFileSync(join(work.folder, file))),
      weight,
    })),
    calibration: manifest.calibration,
    groups: manifest.inputs.map(({ name, columns }) => ({ name, columns })),
  });
  const background = encodeRows(manifest, readCsvRows(manifest, text('background.csv')));
  const golden = JSON.parse(text('golden.json')) as { readonly examples: readonly { features: number[] }[] };
  const examples = golden.examples.flatMap(({ features }) => features);
  const matrix = Float32Array.from(
    { length: 2 * work.rows * ensemble.width },
    (_, at) => examples[at % examples.length] ?? Number.NaN,
  );
  return { explainer: createExplainer(ensemble, background), matrix, width: ensemble.width };
};

const { part, ...work } = workerData as ExactWork & { readonly part: number };
const { explainer, matrix, width } = ready(work);
const rows = matrix.subarray(part * work.rows * width, (part + 1) * work.rows * width);
explainer.explain(rows.subarray(0, Math.min(10, work.rows) * width));
parentPort?.on('message', () => {
  explainer.explain(rows);
  parentPort?.postMessage('done');
});
parentPort?.postMessage('ready');
