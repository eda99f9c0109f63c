import { z } from 'zod';
import { conflict, notFound } from '../../../kernel/errors.js';
import { maxPageSize } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import { ChangeRequest } from '../change-request.entity.js';
import { readProposedDocument } from '../proposed-document.js';
import { replayHistory, type PolicyReplay } from '../replay-history.js';

const first = z.int().min(1).max(maxPageSize).default(50);

export const replayPolicy = defineQuery({
  name: 'policy.replay',
  describe: 'What a policy would have decided otherwise over all promotions that were ever asked for here.',
  permission: 'policy:read',
  input: z.object({
    document: z.record(z.string(), z.unknown()).describe('The whole policy, countersign.approval-policy/2.'),
    first,
  }),
  handle: ({ db, input, now }): Promise<PolicyReplay> =>
    replayHistory(db, readProposedDocument(input.document), { now, first: input.first }),
});

const proposal = z.object({ document: z.unknown() });

export const policyImpact = defineQuery({
  name: 'policy.impact',
  describe: 'Whom the policy that a change request proposes would have refused, over the history.',
  permission: 'policy:read',
  input: z.object({ changeRequestId: z.uuid(), first }),
  handle: async ({ db, input, now }): Promise<PolicyReplay> => {
    const change = await db.findOne(ChangeRequest, { id: input.changeRequestId });
    if (!change) throw notFound('The change request');
    if (change.kind !== 'POLICY') throw conflict('The change request proposes no policy', { rule: 'kind' });
    const { document } = proposal.parse(change.proposal);
    return replayHistory(db, readProposedDocument(document), { now, first: input.first });
  },
});
