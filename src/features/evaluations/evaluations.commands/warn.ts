import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { EvidenceWarning } from '../evidence-warning.entity.js';
import { Evidence } from '../evidence.entity.js';

/** Run by the clock's job only. Nothing moves by it: people are told, and what stands on the evidence is looked at. */
export const warnOfAge = defineCommand({
  name: 'evidence.warn',
  describe: 'Notes that evidence behind a protected alias grows old, once for each number of days ahead.',
  permission: 'evidence:warn',
  input: z.object({ evidenceId: z.uuid(), daysAhead: z.union([z.literal([30, 7, 1, 0])]) }),
  target: async (tx, input) => {
    const evidence = await tx.findOne(Evidence, { id: input.evidenceId });
    if (!evidence) throw notFound('The evidence');
    return evidence;
  },
  handle: async ({ tx, input, target, now }) => {
    const result = { id: target.id };
    const { daysAhead } = input;
    const earlier = await tx.findOne(EvidenceWarning, { evidenceId: target.id, daysAhead });
    if (earlier) return { result, audit: nothingChanged };
    const { workspaceId, id: evidenceId } = target;
    await tx.insert(EvidenceWarning, { id: newId(), workspaceId, evidenceId, daysAhead, createdAt: now });
    return {
      result,
      audit: {
        subject: { kind: 'evidence', id: target.id },
        facts: {
          daysAhead,
          kind: target.kind,
          versionId: target.versionId,
          useCaseId: target.useCaseId,
          expiresAt: target.expiresAt.toISOString(),
        },
      },
    };
  },
});
