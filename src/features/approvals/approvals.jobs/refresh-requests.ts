import { defineReaction, type Change, type JobContext } from '../../../kernel/job.js';
import { updateCard } from '../../cards/index.js';
import { invalidateEvidence, recordEvaluation, warnOfAge } from '../../evaluations/index.js';
import { assessRisk } from '../../risk/index.js';
import { deleteModel, deleteModelVersion } from '../../registry/index.js';
import { updateUseCase } from '../../usecases/index.js';
import { staleByData, staleByMember } from '../approvals.commands/age-evidence.js';
import { decideChange } from '../approvals.commands/decide-change.js';
import { executeChange } from '../approvals.commands/execute-change.js';
import { refreshChange } from '../approvals.commands/refresh-change.js';
import { rollbackAlias } from '../approvals.commands/rollback.js';
import { affectedRequests } from '../approvals.queries/affected.js';
import { ageByData, ageByMember } from './age-evidence.js';

const mostAtOnce = 200;

/** Holds each open request that a change can matter to against the present. Twice is the same as once. */
const refreshAffected = async ({ payload, run, ask, actor, signal }: JobContext<Change>): Promise<void> => {
  let after: string | null = null;
  do {
    const ids: string[] = await ask(affectedRequests, actor, {
      subjects: [...payload.subjects],
      after,
      first: mostAtOnce,
    });
    for (const changeRequestId of ids) {
      signal.throwIfAborted();
      await run(refreshChange, actor, { changeRequestId });
    }
    after = ids.length === mostAtOnce ? (ids.at(-1) ?? null) : null;
  } while (after !== null);
};

/** Voids decisions promptly when one of these commands took the ground from under them. */
const refreshRequests = defineReaction({
  name: 'approvals.refreshRequests',
  follows: [
    updateUseCase,
    assessRisk,
    deleteModel,
    deleteModelVersion,
    recordEvaluation,
    invalidateEvidence,
    staleByData,
    staleByMember,
    warnOfAge,
    updateCard,
    decideChange,
    executeChange,
    rollbackAlias,
  ],
  attempts: 8,
  timeoutMs: 120_000,
  handle: refreshAffected,
});

/** What the approvals do when something has happened. */
export const approvalReactions = [ageByData, ageByMember, refreshRequests] as const;
