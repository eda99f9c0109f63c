import { z } from 'zod';
import { defineCommand } from './command.js';

/**
 * The last failure of a job is a change like any other: it is seen in the trail, a person who waits reads why, and a
 * feature may follow it with a reaction (the subject is `{ kind: 'job', id }`, the id that `enqueue` returned).
 */
export const giveUpJob = defineCommand({
  name: 'job.giveUp',
  describe: 'Ends a job that failed for the last time.',
  permission: 'job:fail',
  // The worker acts for the workspace of the job, and for none when the job stands above workspaces.
  scope: 'installation',
  input: z.object({
    id: z.uuid(),
    name: z.string(),
    attempts: z.int().min(1),
    /** A sentence for people; never the text of an unexpected error, which may hold personal data. */
    reason: z.string().min(1).max(1000),
    code: z.string(),
  }),
  target: (_, input) => Promise.resolve({ id: input.id }),
  handle: async ({ tx, input, now, actor }) => {
    const [row] = await tx.sql<{ state: string }>(
      'select state from job where id = $1 and workspace_id is not distinct from $2 for update',
      [input.id, actor.workspaceId],
    );
    await tx.sql(
      `update job set state = 'FAILED', message = $3, attempts = $4, finished_at = $5
                   where id = $1 and workspace_id is not distinct from $2`,
      [input.id, actor.workspaceId, input.reason, input.attempts, now],
    );
    return {
      result: { id: input.id },
      audit: {
        subject: { kind: 'job', id: input.id },
        changes: { state: { from: row?.state ?? null, to: 'FAILED' } },
        facts: { job: input.name, attempts: input.attempts, reason: input.reason, code: input.code },
      },
    };
  },
});
