import { z } from 'zod';
import { defineCommand, type CommandContext } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { importJob } from '../mlflow.jobs/import-models.js';
import { importArtifacts } from './imports.js';

const input = z.object({
  artifacts: importArtifacts
    .default('COPY')
    .describe('COPY fetches the files into our store; REFERENCE leaves them there.'),
});

interface Running {
  readonly id: string;
}

/** Two do not run at once: the one that runs is gone on with. */
const runningOf = async (tx: Tx): Promise<Running | null> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('mlflow import/' || app_workspace(), 0))`);
  const [row] = await tx.sql<Running>(
    `select id from mlflow_import where workspace_id = app_workspace() and state = 'RUNNING'`,
  );
  return row ?? null;
};

const begin = async (
  { tx, actor, now, input: { artifacts } }: CommandContext<z.output<typeof input>, Running | null>,
  id: string,
) => {
  await tx.sql(
    `insert into mlflow_import (id, workspace_id, artifacts, state, started_by, started_at)
     values ($1, $2, $3, 'RUNNING', $4, $5)`,
    [id, actor.workspaceId, artifacts, actor.id, now],
  );
  return {
    subject: { kind: 'mlflowImport', id },
    changes: { state: { from: null, to: 'RUNNING' } },
    facts: { artifacts },
  };
};

const goesOn = (id: string) => ({
  subject: { kind: 'mlflowImport', id },
  facts: { goesOn: true },
});

export const startMlflowImport = defineCommand({
  name: 'mlflowImport.start',
  describe:
    'Takes the models of the MLflow server that the installation names (MLFLOW_IMPORT_URL) into the registry, or what is new there. One that was cut off goes on.',
  permission: 'upstream:import',
  input,
  target: (tx) => runningOf(tx),
  handle: async (context) => {
    const { target: running, enqueue } = context;
    const id = running?.id ?? newId();
    const jobId = enqueue(importJob, { importId: id }, { subject: { kind: 'mlflowImport', id } });
    const audit = running ? goesOn(id) : await begin(context, id);
    return { result: { id, jobId }, audit };
  },
});

export const openMlflowImport = defineCommand({
  name: 'mlflowImport.open',
  describe: 'The same for the command line, which does the work itself.',
  permission: 'upstream:import',
  input,
  target: (tx) => runningOf(tx),
  handle: async (context) => {
    const id = context.target?.id ?? newId();
    return { result: { id }, audit: context.target ? goesOn(id) : await begin(context, id) };
  },
});
