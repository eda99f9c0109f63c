import { z } from 'zod';
import { defineJob } from '../../../kernel/job.js';
import { copyOfVersion } from '../mlflow.queries/copies.js';
import { fetchFiles } from '../upstream/fetch.js';

/** Fetches the files of a version from the server that we stand in front of, so that intake can look at them. */
export const fetchFilesJob = defineJob({
  name: 'mlflow.fetchFiles',
  queue: 'heavy',
  payload: z.object({ versionId: z.uuid() }),
  attempts: 8,
  timeoutMs: 60 * 60_000,
  visible: true,
  handle: async (context) => {
    const { payload, ask, actor, outside } = context;
    const copy = await ask(copyOfVersion, actor, payload);
    const server = outside.modelServers.front?.server;
    if (copy?.files !== 'PENDING' || server?.address !== copy.address) return;
    await fetchFiles(context, server, { versionId: payload.versionId, location: copy.location });
  },
});
