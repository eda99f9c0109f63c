import { AppError } from '../../../kernel/errors.js';
import { defineReaction } from '../../../kernel/job.js';
import { createDatasetVersion, recordDatasetContent } from '../../datasets/index.js';
import { applyRoleRules } from '../../identity/index.js';
import { removeMember, setMemberRoles } from '../../workspaces/index.js';
import { staleByData, staleByMember } from '../approvals.commands/age-evidence.js';
import { agedByData, agedByMember } from '../approvals.queries/aged.js';

const mostAtOnce = 200;

/** Goes through versions, page by page; one that was deleted meanwhile has nothing left to say. */
const forEachVersion = async <Item extends { readonly versionId: string }>(
  page: (after: string | null) => Promise<readonly Item[]>,
  work: (item: Item) => Promise<unknown>,
): Promise<void> => {
  let after: string | null = null;
  do {
    const items: readonly Item[] = await page(after);
    for (const item of items) {
      await work(item).catch((error: unknown) => {
        if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      });
    }
    after = items.length === mostAtOnce ? (items.at(-1)?.versionId ?? null) : null;
  } while (after !== null);
};

/** A new version of a data set takes the ground from under what was measured of models trained on an older one. */
export const ageByData = defineReaction({
  name: 'approvals.ageByData',
  follows: [createDatasetVersion, recordDatasetContent],
  attempts: 8,
  timeoutMs: 120_000,
  handle: async ({ payload, run, ask, actor, signal }) => {
    for (const { kind, id: datasetVersionId } of payload.subjects) {
      if (kind !== 'datasetVersion') continue;
      await forEachVersion(
        (after) => ask(agedByData, actor, { datasetVersionId, after, first: mostAtOnce }),
        (aged) => {
          signal.throwIfAborted();
          const effectKey = `stale:${datasetVersionId}:${aged.versionId}`;
          return run(staleByData, actor, aged, { effectKey });
        },
      );
    }
  },
});

/** Whoever left, or may not have evidence measured any more, does not vouch for it either. */
export const ageByMember = defineReaction({
  name: 'approvals.ageByMember',
  follows: [removeMember, setMemberRoles, applyRoleRules],
  attempts: 8,
  timeoutMs: 120_000,
  handle: ({ payload: { commandId }, run, ask, actor, signal }) =>
    forEachVersion(
      (after) => ask(agedByMember, actor, { commandId, after, first: mostAtOnce }),
      (aged) => {
        signal.throwIfAborted();
        const effectKey = `stale:${commandId}:${aged.versionId}`;
        return run(staleByMember, actor, aged, { effectKey });
      },
    ),
});
