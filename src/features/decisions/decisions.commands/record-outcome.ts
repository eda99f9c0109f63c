import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Outcome } from '../outcome.entity.js';

/** Tells what turned out to be true of a case. */
export const recordOutcome = defineCommand({
  name: 'outcome.record',
  describe:
    'Records what turned out to be true of a decided case. A correction is another outcome; the newest counts.',
  permission: 'outcome:record',
  input: z.object({
    decisionId: z.uuid(),
    positive: z.boolean().describe("Whether the model's target was met: here, an income above the boundary."),
    observedAt: z.coerce.date(),
    source: z.string().trim().min(1).max(200).describe('How it is known: pay slip, tax statement, call.'),
  }),
  target: async (tx, input) => {
    const [decision] = await tx.sql<{ id: string; workspace_id: string; requested_at: Date }>(
      'select id, workspace_id, requested_at from decision where id = $1',
      [input.decisionId],
    );
    if (!decision) throw notFound('The decision');
    return decision;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (input.observedAt > now) {
      throw invalidInput('An outcome cannot be observed in the future', [
        { path: 'observedAt', message: 'lies in the future' },
      ]);
    }
    const id = newId();
    await tx.insert(Outcome, {
      id,
      workspaceId: target.workspace_id,
      decisionId: target.id,
      positive: input.positive,
      observedAt: input.observedAt,
      source: input.source,
      recordedBy: actor.id,
      recordedAt: now,
    });
    return {
      result: { id },
      audit: { subject: { kind: 'decision', id: target.id }, facts: { outcomeId: id, source: input.source } },
    };
  },
});
