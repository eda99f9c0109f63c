import type { GroupCodes } from '../../../analysis/index.js';
import {
  csvRows,
  inputReader,
  labelReader,
  type CsvRow,
  type ScoreRequest,
  type ScoreResult,
} from '../../../compute/evaluation/index.js';
import { AppError } from '../../../kernel/errors.js';
import type { JobContext } from '../../../kernel/job.js';
import type { Artifact } from '../../registry/index.js';
import type { EvaluationPolicy } from '../evaluation-policy.js';
import { groupColumn, joined, rowSample, type GroupColumn, type RowSample } from './columns.js';
import type { LoadedEnsemble } from './load-source.js';

type Context = Pick<JobContext<unknown>, 'outside' | 'signal' | 'progress'>;

/** All rows scored, in columns. */
export interface ScoredDataset {
  readonly rows: number;
  readonly labels: Uint8Array;
  readonly probabilities: Float64Array;
  readonly groups: readonly GroupCodes[];
  /** Attributes of the policy that the data do not have. */
  readonly missing: readonly string[];
  readonly sample: readonly Float32Array[];
  /** Greatest difference of a member between our core and onnxruntime, over all rows. */
  readonly runtimeGap: number;
}

const rangeRows = 4096;
const mostRows = 5_000_000;
const rangeTimeoutMs = 120_000;

/** Counts the bytes that pass, to tell how far the file is read. */
const counting = (bytes: AsyncIterable<Uint8Array>, passed: { bytes: number }): AsyncIterable<Uint8Array> =>
  (async function* () {
    for await (const chunk of bytes) {
      passed.bytes += chunk.byteLength;
      yield chunk;
    }
  })();

interface Columns {
  readonly labels: number[];
  readonly probabilities: Float64Array[];
  readonly groups: readonly { readonly place: number; readonly column: GroupColumn }[];
  readonly missing: readonly string[];
  readonly sample: RowSample;
  runtimeGap: number;
}

const openColumns = (header: readonly string[], policy: EvaluationPolicy): Columns => {
  const unknown = new Set(policy.unknown);
  return {
    labels: [],
    probabilities: [],
    groups: policy.attributes.flatMap((attribute) => {
      const place = header.indexOf(attribute);
      return place < 0 ? [] : [{ place, column: groupColumn(attribute, unknown) }];
    }),
    missing: policy.attributes.filter((attribute) => !header.includes(attribute)),
    sample: rowSample(policy.attributionSample, policy.seed),
    runtimeGap: 0,
  };
};

const scoreRange = async (
  { outside, signal }: Context,
  { source }: LoadedEnsemble,
  range: readonly Float32Array[],
  columns: Columns,
): Promise<void> => {
  if (range.length === 0) return;
  const request: ScoreRequest = { source, input: { rows: range.length, values: joined(range) } };
  const scored = await outside.compute.run<ScoreResult>('evaluation.score', request, {
    timeoutMs: rangeTimeoutMs,
    signal,
  });
  columns.probabilities.push(scored.probability);
  columns.runtimeGap = scored.runtimeGap.reduce((most, gap) => Math.max(most, gap), columns.runtimeGap);
};

const scoredLine = (scored: number, stated: number | null): string =>
  stated === null ? `${String(scored)} rows scored` : `${String(scored)} of ${String(stated)} rows scored`;

/** Streams the data set, range by range: rows are scored as they come and kept only as columns of numbers. */
export const scoreDataset = async (
  context: Context,
  ensemble: LoadedEnsemble,
  dataset: Artifact,
  policy: EvaluationPolicy,
): Promise<ScoredDataset> => {
  const passed = { bytes: 0 };
  const rows = csvRows(counting(await context.outside.artifacts.open(dataset.sha256), passed), dataset.path);
  const header = await rows.next();
  if (header.done === true)
    throw new AppError('INVALID_INPUT', `${dataset.path} is empty`, { rule: 'dataset' });
  const columns = openColumns(header.value.cells, policy);
  const inputsOf = inputReader(ensemble.manifest, header.value.cells);
  const labelOf = labelReader(ensemble.manifest, header.value.cells);
  const stated = ensemble.manifest.data.find(({ sha256 }) => sha256 === dataset.sha256)?.rows ?? null;
  // Bytes run ahead of rows: a small file has been read whole before its first rows are scored.
  const share = (scored: number): number =>
    stated === null ? passed.bytes / dataset.bytes : Math.min(1, scored / stated);
  let range: Float32Array[] = [];
  const take = (row: CsvRow): void => {
    const values = inputsOf(row);
    range.push(values);
    columns.sample.offer(values);
    columns.labels.push(labelOf(row));
    for (const { place, column } of columns.groups) column.add(row.cells[place] ?? '');
  };
  for await (const row of rows) {
    take(row);
    if (columns.labels.length > mostRows) throw tooLong(dataset.path);
    if (range.length < rangeRows) continue;
    context.signal.throwIfAborted();
    await scoreRange(context, ensemble, range, columns);
    range = [];
    const scored = columns.labels.length;
    await context.progress(0.5 * share(scored), scoredLine(scored, stated));
  }
  await scoreRange(context, ensemble, range, columns);
  await context.progress(0.5, scoredLine(columns.labels.length, stated));
  return closeColumns(columns, dataset.path);
};

const tooLong = (path: string): AppError =>
  new AppError('INVALID_INPUT', `${path} has more than ${String(mostRows)} rows; evaluate a sample of it`, {
    rule: 'dataset',
  });

const closeColumns = (columns: Columns, path: string): ScoredDataset => {
  const rows = columns.labels.length;
  if (rows === 0)
    throw new AppError('INVALID_INPUT', `${path} has a header and no rows`, { rule: 'dataset' });
  const probabilities = new Float64Array(rows);
  let at = 0;
  for (const range of columns.probabilities) {
    probabilities.set(range, at);
    at += range.length;
  }
  return {
    rows,
    labels: Uint8Array.from(columns.labels),
    probabilities,
    groups: columns.groups.map(({ column }) => column.codes()),
    missing: columns.missing,
    sample: columns.sample.rows(),
    runtimeGap: columns.runtimeGap,
  };
};
