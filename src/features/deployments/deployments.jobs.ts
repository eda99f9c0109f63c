import { defineReaction } from '../../kernel/job.js';
import { decideChange, executeChange } from '../approvals/index.js';
import { resumeEndpoint } from './deployments.commands.js';
import { approvedResumes } from './deployments.queries.js';

/** Resumes endpoints whose approval is complete. A request that is no longer approved was carried out before. */
export const resumeApproved = defineReaction({
  name: 'deployments.resumeApproved',
  follows: [decideChange, executeChange],
  attempts: 12,
  handle: async ({ payload, run, ask, actor }) => {
    const ids = payload.subjects.filter((one) => one.kind === 'changeRequest').map((one) => one.id);
    for (const changeRequestId of await ask(approvedResumes, actor, {
      changeRequestIds: [...new Set(ids)],
    })) {
      await run(resumeEndpoint, actor, { changeRequestId });
    }
  },
});
