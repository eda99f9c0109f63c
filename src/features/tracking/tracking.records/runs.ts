import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../../kernel/audit.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { defineRecording } from '../../../kernel/record.js';
import { Experiment } from '../experiment.entity.js';
import { tagKey, tagValue } from '../limits.js';
import { writeTags } from './batch-rows.js';
import { activeRun, knownRuns } from './run.js';

const runState = z.enum(['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED']);

const moment = z.coerce.date();

export const startRun = defineRecording({
  name: 'run.start',
  describe: 'Begins a run of a training script.',
  permission: 'run:record',
  input: z.object({
    experiment: z.int().min(0),
    name: z.string().max(500).default(''),
    claimedUser: z.string().max(256).default(''),
    startedAt: moment.nullish(),
    tags: z
      .array(z.object({ key: tagKey, value: tagValue }))
      .max(1000)
      .default([]),
  }),
  write: async ({ tx, now }, input, actor) => {
    const experiment = await tx.findOne(Experiment, { number: input.experiment });
    if (!experiment) throw notFound(`Experiment with id=${String(input.experiment)}`);
    if (experiment.deletedAt !== null) {
      throw conflict(`The experiment ${String(input.experiment)} is deleted; restore it first`, {
        rule: 'deleted',
      });
    }
    const id = newId();
    const { workspaceId } = experiment;
    const named = input.tags.find(({ key }) => key === 'mlflow.runName')?.value ?? '';
    const name = input.name !== '' ? input.name : named !== '' ? named : `run-${id.slice(-8)}`;
    await tx.sql(
      `insert into training_run (id, workspace_id, experiment_id, name, state, claimed_user, created_by, started_at)
       values ($1, $2, $3, $4, 'RUNNING', $5, $6, $7)`,
      [id, workspaceId, experiment.id, name, input.claimedUser, actor.id, input.startedAt ?? now],
      'tracking.startRun',
    );
    const tags = [
      ...input.tags.filter(({ key }) => key !== 'mlflow.runName'),
      { key: 'mlflow.runName', value: name },
    ];
    await writeTags(tx, { workspaceId, tags: tags.map((tag) => ({ runId: id, ...tag })) });
    const facts = { experimentId: experiment.id, name };
    return { result: { id }, audit: { subject: { kind: 'run', id }, facts } };
  },
});

/** sha256 over what a run said of itself until its end, so that the trail can tell whether it still says so. */
const sealOf = async (tx: Tx, id: string): Promise<string> => {
  const [row] = await tx.sql<{ told: unknown }>(
    `select jsonb_build_object(
       'params', (select coalesce(jsonb_object_agg(key, value), '{}') from run_param where run_id = $1),
       'metrics', (select coalesce(jsonb_object_agg(key, value::text), '{}') from run_metric_latest where run_id = $1),
       'datasets', (select coalesce(jsonb_agg(jsonb_build_array(name, digest) order by name, digest), '[]')
                      from run_dataset where run_id = $1)) as told`,
    [id],
  );
  return createHash('sha256').update(canonicalBytes(row?.told)).digest('hex');
};

export const updateRun = defineRecording({
  name: 'run.update',
  describe: 'Says how a run is, or gives it another name.',
  permission: 'run:record',
  input: z.object({
    id: z.uuid(),
    state: runState.nullish(),
    endedAt: moment.nullish(),
    name: z.string().min(1).max(500).nullish(),
  }),
  write: async ({ tx }, input) => {
    const run = await activeRun({ tx }, input.id);
    const { id, workspaceId } = run;
    const state = input.state ?? run.state;
    const name = input.name ?? run.name;
    await tx.sql(
      `update training_run set state = $2, name = $3, ended_at = coalesce($4, ended_at) where id = $1`,
      [id, state, name, input.endedAt ?? null],
    );
    if (name !== run.name) {
      await writeTags(tx, { workspaceId, tags: [{ runId: id, key: 'mlflow.runName', value: name }] });
    }
    if (state === run.state) return { result: { id }, audit: null };
    const changes = { state: { from: run.state, to: state } };
    const facts = { toldSha256: await sealOf(tx, id) };
    return { result: { id }, audit: { subject: { kind: 'run', id }, changes, facts } };
  },
});

export const retireRun = defineRecording({
  name: 'run.retire',
  describe: 'Deletes a run, or restores it. Nothing of it is lost.',
  permission: 'run:record',
  input: z.object({ id: z.uuid(), deleted: z.boolean() }),
  write: async ({ tx, now }, { id, deleted }) => {
    await knownRuns({ tx }, [id]);
    const deletedAt = deleted ? now : null;
    await tx.sql('update training_run set deleted_at = $2 where id = $1', [id, deletedAt]);
    return { result: { id }, audit: { subject: { kind: 'run', id }, facts: { deleted } } };
  },
});
