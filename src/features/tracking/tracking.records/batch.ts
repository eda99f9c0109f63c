import { z } from 'zod';
import { defineRecording, type RecordContext } from '../../../kernel/record.js';
import { entityKey, int64, measured, paramValue, tagKey, tagValue } from '../limits.js';
import { writeMetrics, writeParams, writeTags, type MetricRow } from './batch-rows.js';
import { knownRuns, requireActive } from './run.js';

const metric = z.object({
  key: entityKey,
  value: measured,
  atMs: int64,
  step: int64.default(0),
  modelId: z.uuid().nullish(),
  datasetName: z.string().max(500).nullish(),
  datasetDigest: z.string().max(100).nullish(),
});

const batch = z.object({
  runId: z.uuid(),
  metrics: z.array(metric).max(1000).default([]),
  params: z
    .array(z.object({ key: entityKey, value: paramValue }))
    .max(100)
    .default([]),
  tags: z
    .array(z.object({ key: tagKey, value: tagValue.nullable() }))
    .max(100)
    .default([]),
});

type Batch = z.output<typeof batch>;

const metricRows = ({ runId, metrics }: Batch): MetricRow[] =>
  metrics.map((given) => ({
    runId,
    ...given,
    modelId: given.modelId ?? null,
    datasetName: given.datasetName ?? null,
    datasetDigest: given.datasetDigest ?? null,
  }));

const writeBatches = async (context: RecordContext, batches: readonly Batch[]): Promise<void> => {
  const { tx } = context;
  const runs = await knownRuns(context, [...new Set(batches.map(({ runId }) => runId))]);
  for (const run of runs.values()) requireActive(run);
  const [{ workspaceId } = { workspaceId: '' }] = runs.values();
  const params = batches.flatMap(({ runId, params: given }) => given.map((one) => ({ runId, ...one })));
  const tags = batches.flatMap(({ runId, tags: given }) => given.map((one) => ({ runId, ...one })));
  // Sent one after the other without waiting; parameters alone may be refused, which undoes everything.
  await Promise.all([
    writeParams(tx, { workspaceId, params }),
    writeMetrics(tx, { workspaceId, metrics: batches.flatMap(metricRows) }),
    writeTags(tx, { workspaceId, tags }),
  ]);
  await renameBy(context, batches);
};

/** The name of a run is a tag too; clients set either. */
const renameBy = async ({ tx }: RecordContext, batches: readonly Batch[]): Promise<void> => {
  for (const { runId, tags } of batches) {
    const name = tags.findLast(({ key }) => key === 'mlflow.runName')?.value;
    if (name) await tx.sql('update training_run set name = $2 where id = $1', [runId, name.slice(0, 500)]);
  }
};

export const logBatch = defineRecording({
  name: 'run.logBatch',
  describe: 'Adds measurements, parameters and tags to a run.',
  permission: 'run:record',
  input: batch,
  write: async (context, input) => {
    await writeBatches(context, [input]);
    return { result: {}, audit: null };
  },
  together: {
    key: () => 'all',
    write: async (context, inputs) => {
      await writeBatches(context, inputs);
      return { result: inputs.map(() => ({})), audit: null };
    },
  },
});
