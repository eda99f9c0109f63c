import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTreeExplainer, loadTrees, type TreeExplainerRequest } from '../../src/analysis/index.js';
import { explainTrees, openCompute } from '../../src/compute/index.js';
import type { Prepared } from './peer.js';

/** How fast we are; the building of tables, the margins and the check of additivity are part of it. */
export interface TableRate {
  readonly method: string;
  readonly rowsPerSecond: number;
  /** Rows per second of the processor: what one thread does on a machine that does nothing else. */
  readonly processorRate: number;
  readonly twoThreads: number;
  /** Greatest difference to what the peer said of its rows; null when it said nothing. */
  readonly greatestGap: number | null;
}

interface Question {
  readonly model: string;
  readonly kind: TreeExplainerRequest['kind'];
  readonly rows: number;
}

/** Reads a file of float32 numbers. */
export const readFloats = (path: string): Float32Array => new Float32Array(arrayBufferOf(path));

const arrayBufferOf = (path: string): ArrayBuffer => {
  const bytes = readFileSync(path);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
};

interface Best {
  readonly seconds: number;
  readonly processor: number;
}

const bestOf = async (runs: number, work: () => unknown): Promise<Best> => {
  const best = { seconds: Number.POSITIVE_INFINITY, processor: Number.POSITIVE_INFINITY };
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    const before = process.cpuUsage();
    await work();
    best.seconds = Math.min(best.seconds, (performance.now() - started) / 1000);
    const { user, system } = process.cpuUsage(before);
    best.processor = Math.min(best.processor, (user + system) / 1e6);
  }
  return best;
};

/** Explains the rows with one thread and with two, from nothing each time: best of five after one to warm up. */
export const measureTables = async (
  out: string,
  { inputs, background }: Prepared,
  { model, kind, rows }: Question,
): Promise<TableRate> => {
  const { forest } = loadTrees(readFileSync(join(out, `${model}.onnx`)));
  const matrix = readFloats(join(out, 'rows.bin')).subarray(0, rows * forest.width);
  // The peer's models carry the cover of their training; ours is counted anew, from a tenth of the same rows.
  const reference = kind === 'interventional' ? 'background.bin' : 'rows.bin';
  const size = kind === 'interventional' ? background : 4000;
  const request: TreeExplainerRequest = {
    forest,
    groups: inputs.map((name, column) => ({ name, columns: [column, 1] })),
    kind,
    background: readFloats(join(out, reference)).subarray(0, size * forest.width),
    expectedRows: rows,
  };
  const { method, explain } = createTreeExplainer(request);
  const { values } = explain(matrix);
  const one = await bestOf(5, () => createTreeExplainer(request).explain(matrix));
  const compute = openCompute({ threads: 3 });
  try {
    const spread = (): Promise<unknown> =>
      explainTrees(compute, request, matrix, { threads: 2, timeoutMs: 600_000 });
    await spread();
    const two = await bestOf(5, spread);
    return {
      method,
      rowsPerSecond: rows / one.seconds,
      processorRate: rows / one.processor,
      twoThreads: rows / two.seconds,
      greatestGap: kind === 'interventional' ? gapToPeer(join(out, `${model}-${kind}.bin`), values) : null,
    };
  } finally {
    await compute.close();
  }
};

/** Covers differ, so only interventional values are the same thing. */
const gapToPeer = (path: string, values: Float64Array): number =>
  new Float64Array(arrayBufferOf(path)).reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (values[at] ?? Number.NaN))),
    0,
  );
