import { z } from 'zod';
import { defineRecording } from '../../../kernel/record.js';
import { notFound } from '../../../kernel/errors.js';
import { loggedModelId } from '../ids.js';
import { int64 } from '../limits.js';
import { activeRun } from './run.js';

const dataset = z.object({
  name: z.string().min(1).max(500),
  digest: z.string().min(1).max(100),
  sourceType: z.string().max(100),
  source: z.string().max(65_535),
  schema: z.string().max(1_048_575).nullish(),
  profile: z.string().max(1_048_575).nullish(),
  tags: z.array(z.object({ key: z.string().min(1).max(255), value: z.string().max(500) })).max(100),
});

const model = z.object({ modelId: z.uuid(), step: int64.default(0) });

export const logInputs = defineRecording({
  name: 'run.logInputs',
  describe: 'Says which data sets and which models went into a run, and which models came out of it.',
  permission: 'run:record',
  input: z.object({
    runId: z.uuid(),
    datasets: z.array(dataset).max(1000).default([]),
    inputs: z.array(model).max(1000).default([]),
    outputs: z.array(model).max(1000).default([]),
  }),
  write: async ({ tx }, { runId, datasets, inputs, outputs }) => {
    const { workspaceId } = await activeRun({ tx }, runId);
    if (datasets.length > 0) {
      const rows = datasets.map((given) => ({
        name: given.name,
        digest: given.digest,
        source_type: given.sourceType,
        source: given.source,
        schema: given.schema ?? null,
        profile: given.profile ?? null,
        tags: given.tags,
      }));
      await tx.sql(
        `insert into run_dataset (workspace_id, run_id, name, digest, source_type, source, schema, profile, tags)
         select $1, $2, name, digest, source_type, source, schema, profile, tags
           from jsonb_to_recordset($3::jsonb) as given
                (name text, digest text, source_type text, source text, schema text, profile text, tags jsonb)
         on conflict do nothing`,
        [workspaceId, runId, JSON.stringify(rows)],
      );
    }
    const models = [
      ...inputs.map((one) => ({ ...one, direction: 'IN' })),
      ...outputs.map((one) => ({ ...one, direction: 'OUT' })),
    ];
    if (models.length === 0) return { result: {}, audit: null };
    const added = await tx.sql<{ id: string }>(
      `with given as (select * from unnest($3::uuid[], $4::text[], $5::bigint[]) as g (model_id, direction, step)),
            known as (select id from logged_model where id in (select model_id from given) and deleted_at is null),
            written as (
              insert into run_model (workspace_id, run_id, direction, model_id, step)
              select $1, $2, direction, model_id, step from given join known on known.id = given.model_id
              on conflict do nothing)
       select id from known`,
      [
        workspaceId,
        runId,
        models.map(({ modelId }) => modelId),
        models.map(({ direction }) => direction),
        models.map(({ step }) => step),
      ],
    );
    const known = new Set(added.map(({ id }) => id));
    const missing = models.find(({ modelId }) => !known.has(modelId));
    if (missing) throw notFound(`Logged model with id=${loggedModelId(missing.modelId)}`);
    return { result: {}, audit: null };
  },
});
