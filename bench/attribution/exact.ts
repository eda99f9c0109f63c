import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { installationRoot } from '../../src/kernel/root.js';
import type { ExactWork } from './exact-worker.js';
import type { Prepared } from './peer.js';
import { readFloats } from './tables.js';

/** Rows per second on two threads, against 100 background rows. */
export interface ExactRate {
  readonly name: 'gbdt-6' | 'reference';
  readonly rowsPerSecond: number;
}

/** Exact attribution in probability, rows shared out between two threads; best of three after one to warm up. */
export const exactRates = async (
  out: string,
  { inputs }: Prepared,
  rows: number,
): Promise<readonly ExactRate[]> => {
  const boosted: ExactWork = {
    kind: 'boosted',
    onnx: readFileSync(join(out, 'gbdt-6.onnx')),
    inputs,
    background: readFloats(join(out, 'background.bin')),
    matrix: readFloats(join(out, 'rows.bin')),
    rows: rows / 2,
  };
  const folder = join(installationRoot, 'models', 'income-routing', '1.1.0');
  const reference: ExactWork = { kind: 'reference', folder, rows: rows / 2 };
  return [
    { name: 'gbdt-6', rowsPerSecond: await rate(boosted, rows) },
    { name: 'reference', rowsPerSecond: await rate(reference, rows) },
  ];
};

const rate = async (work: ExactWork, rows: number): Promise<number> => {
  const workers = [0, 1].map(
    (part) => new Worker(new URL('./exact-worker.js', import.meta.url), { workerData: { ...work, part } }),
  );
  try {
    await Promise.all(workers.map(once));
    const seconds: number[] = [];
    for (let run = 0; run < 4; run += 1) {
      const started = performance.now();
      await Promise.all(
        workers.map((worker) => {
          worker.postMessage('go');
          return once(worker);
        }),
      );
      seconds.push((performance.now() - started) / 1000);
    }
    return rows / Math.min(...seconds.slice(1));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
};

const once = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
