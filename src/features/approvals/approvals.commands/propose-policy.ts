import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { conflict, invalidInput } from '../../../kernel/errors.js';
import { governedFieldNames } from '../../cards/index.js';
import { policyDocument, sha256Of, type PolicyDocument } from '../policy-document.js';
import { requireNoneFreed } from '../freed-names.js';
import { policyInForce } from '../policy-in-force.js';
import type { PolicyProposal } from '../situation.js';
import { openChangeRequest } from './open-change.js';
import { workspaceOf } from './find.js';

/** Reads a proposed document; names every field at fault, also card fields that no card has. */
const readDocument = (raw: unknown): PolicyDocument => {
  const parsed = policyDocument.safeParse(raw);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((one) => ({
      path: ['document', ...one.path].join('.'),
      message: one.message,
    }));
    throw invalidInput(
      `The policy is not valid. ${fields[0]?.path ?? ''}: ${fields[0]?.message ?? ''}`,
      fields,
    );
  }
  const known = governedFieldNames();
  const strange = parsed.data.rules.flatMap((rule, index) =>
    rule.cardFields
      .filter((name) => !known.has(name))
      .map((name) => ({
        path: `document.rules.${String(index)}.cardFields`,
        message: `${name} is not a governed field`,
      })),
  );
  if (strange.length > 0)
    throw invalidInput(`The policy is not valid. ${strange[0]?.message ?? ''}`, strange);
  return parsed.data;
};

export const proposePolicy = defineCommand({
  name: 'policy.propose',
  describe:
    'Proposes other rules for approvals. They hold once those have approved whom the present rules ask.',
  permission: 'policy:propose',
  input: z.object({
    document: z.record(z.string(), z.unknown()).describe('The whole policy, countersign.approval-policy/1.'),
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
    const document = readDocument(input.document);
    await requireNoneFreed(tx, document);
    const inForce = await policyInForce(tx);
    if (sha256Of(document) === inForce.sha256) {
      throw conflict('These are the rules in force already', {
        rule: 'nothing-to-change',
        revision: inForce.revision,
      });
    }
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
    return { result: { id: opened.id }, audit: opened.audit };
  },
});
