import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { conflict } from '../../../kernel/errors.js';
import { sha256Of } from '../policy-document.js';
import { requireNoneFreed } from '../freed-names.js';
import { policyInForce } from '../policy-in-force.js';
import { readProposedDocument } from '../proposed-document.js';
import { replayHistory } from '../replay-history.js';
import type { PolicyProposal } from '../situation.js';
import { openChangeRequest } from './open-change.js';
import { workspaceOf } from './find.js';

/** What is written down with a proposal; the whole is asked for with `policyImpact`. */
const shownAtOnce = 20;

export const proposePolicy = defineCommand({
  name: 'policy.propose',
  describe:
    'Proposes other rules for approvals, and says whom they would have refused. They hold once those have approved whom the present rules ask.',
  permission: 'policy:propose',
  input: z.object({
    document: z.record(z.string(), z.unknown()).describe('The whole policy, countersign.approval-policy/2.'),
    source: z
      .string()
      .trim()
      .min(1)
      .max(500)
      .default('proposal')
      .describe('Where it was written: a commit, a file.'),
    reason: z.string().trim().min(1).max(4000),
  }),
  target: (_tx, _input, actor) => Promise.resolve({ id: workspaceOf(actor) }),
  handle: async ({ tx, actor, input, now, enqueue }) => {
    const document = readProposedDocument(input.document);
    await requireNoneFreed(tx, document);
    const inForce = await policyInForce(tx);
    if (sha256Of(document) === inForce.sha256) {
      throw conflict('These are the rules in force already', {
        rule: 'nothing-to-change',
        revision: inForce.revision,
      });
    }
    // Before the request takes its lock: the history may be long.
    const impact = await replayHistory(tx, document, { now, first: shownAtOnce });
    const proposal: PolicyProposal = { document, source: input.source };
    const opened = await openChangeRequest(
      { tx, actor, now, enqueue },
      {
        kind: 'POLICY',
        targetKey: 'policy',
        title: `Change the approval policy (revision ${String(inForce.revision + 1)})`,
        reason: input.reason,
        modelId: null,
        versionId: null,
        alias: null,
        useCaseId: null,
        endpointId: null,
        proposal,
      },
    );
    return { result: { id: opened.id, impact }, audit: opened.audit };
  },
});
