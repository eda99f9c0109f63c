import { z } from 'zod';
import { AppError } from '../../../kernel/errors.js';
import { defineJob } from '../../../kernel/job.js';
import { finishMlflowImport } from '../mlflow.commands/imports.js';
import { importById } from '../mlflow.queries/imports.js';
import { importModels } from '../upstream/import.js';

const attempts = 8;

const notConfigured = 'No MLflow server is configured to import from: set MLFLOW_IMPORT_URL';

/** Takes models over from the server that the installation names. Cut off, it goes on where it was. */
export const importJob = defineJob({
  name: 'mlflow.importModels',
  queue: 'heavy',
  payload: z.object({ importId: z.uuid() }),
  attempts,
  timeoutMs: 12 * 60 * 60_000,
  visible: true,
  handle: async (context) => {
    const { payload, ask, run, actor, outside, attempt } = context;
    const found = await ask(importById, actor, { id: payload.importId });
    if (found.state !== 'RUNNING') return;
    const { source } = outside.modelServers;
    const fail = (message: string) =>
      run(finishMlflowImport, actor, { ...payload, state: 'FAILED', message });
    if (source === null) {
      await fail(notConfigured);
      return;
    }
    try {
      await importModels(context, source, found);
    } catch (error) {
      if (error instanceof AppError && attempt >= attempts) await fail(error.message.slice(0, 4000));
      throw error;
    }
  },
});
