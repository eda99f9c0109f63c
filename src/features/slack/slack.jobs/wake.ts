import { z } from 'zod';
import { defineJob } from '../../../kernel/job.js';
import { wakeDeliveries } from '../slack.commands/wake.js';

/** Asked for with the time that Slack said, so that no worker waits for it. */
export const wakeJob = defineJob({
  name: 'slack.wake',
  queue: 'light',
  payload: z.object({}),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ run, actor, jobId }) => {
    await run(wakeDeliveries, actor, {}, { effectKey: `${jobId}:wake` });
  },
});
