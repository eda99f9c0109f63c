import { z } from 'zod';
import { defineJob } from '../../../kernel/job.js';
import { expireChange } from '../approvals.commands/expire-change.js';

/** Asked for when a request is opened, to start when its time is over. */
export const expireChangeJob = defineJob({
  name: 'approvals.expireChange',
  queue: 'light',
  payload: z.object({ changeRequestId: z.uuid() }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload, run, actor }) => {
    await run(expireChange, actor, { changeRequestId: payload.changeRequestId });
  },
});
