import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { HumanReview } from '../human-review.entity.js';
import { installedPolicy } from '../policy.js';

interface Referred {
  readonly id: string;
  readonly workspace_id: string;
  readonly endpoint_id: string;
  readonly reasons: readonly object[];
}

const referredWithoutReview = (tx: Tx, ids: readonly string[]): Promise<Referred[]> =>
  tx.sql<Referred>(
    `select d.id, d.workspace_id, d.endpoint_id, d.reasons
       from decision d
      where d.id = any($1) and d.state = 'WAITING'
        and not exists (select from human_review r where r.decision_id = d.id)
      order by d.id for update of d`,
    [ids],
  );

const hour = 3_600_000;

/** Opens the reviews of referred decisions; run by the pipeline only. Twice is the same as once. */
export const openReviews = defineCommand({
  name: 'review.open',
  describe: 'Opens the reviews of referred decisions.',
  permission: 'decision:run',
  input: z.object({ decisionIds: z.array(z.uuid()).min(1) }),
  target: (tx, input) => referredWithoutReview(tx, input.decisionIds),
  handle: async ({ tx, target, now }) => {
    const reviews = target.map((decision) => ({
      id: newId(),
      workspaceId: decision.workspace_id,
      decisionId: decision.id,
      endpointId: decision.endpoint_id,
      state: 'OPEN' as const,
      why: decision.reasons,
      dueAt: new Date(now.getTime() + installedPolicy().policy.review.dueHours * hour),
      createdAt: now,
    }));
    const [first, ...others] = reviews;
    if (!first) return { result: { ids: [] }, audit: nothingChanged };
    await tx.insert(HumanReview, reviews);
    const entry = ({ id, decisionId, dueAt }: (typeof reviews)[number]) => ({
      subject: { kind: 'review', id },
      changes: { state: { from: null, to: 'OPEN' } },
      facts: { decisionId, dueAt: dueAt.toISOString() },
    });
    return { result: { ids: reviews.map(({ id }) => id) }, audit: [entry(first), ...others.map(entry)] };
  },
});
