import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { runDecisions } from '../decisions.jobs/index.js';
import { HumanReview } from '../human-review.entity.js';
import { decisionAction } from '../policy.js';

/** Where the sealed reason of a review stands. */
export const reasonPlace = (reviewId: string): string => `human_review.reason/${reviewId}`;

/** A person decides a referred case; the pipeline writes it down as its last step. */
export const decideReview = defineCommand({
  name: 'review.decide',
  describe: 'Decides a case that the pipeline referred to a person.',
  permission: 'review:decide',
  input: z.object({
    id: z.uuid(),
    action: decisionAction.exclude(['REFER']).meta({ id: 'ReviewAction' }),
    reason: z
      .string()
      .trim()
      .min(1)
      .max(2000)
      .describe('Why, in your own words. It is sealed with the person’s key.'),
  }),
  target: async (tx, input) => {
    const review = await tx.lock(HumanReview, { id: input.id });
    if (!review) throw notFound('The review');
    return review;
  },
  handle: async ({ tx, actor, input, target, now, sealer, enqueue }) => {
    if (actor.kind !== 'user') {
      throw new AppError('FORBIDDEN', 'A referred case is decided by a person, not by a machine', {
        rule: 'person-decides',
      });
    }
    if (target.state !== 'OPEN')
      throw conflict('The review has been decided', { state: target.state, action: target.action });
    const [decision] = await tx.sql<{ subject_ref: string; erased: boolean }>(
      `select d.subject_ref,
              exists (select from subject_key k where k.subject_id = d.subject_ref and k.wrapped_key is null) as erased
         from decision d where d.id = $1`,
      [target.decisionId],
    );
    if (!decision) throw notFound('The decision');
    if (decision.erased)
      throw conflict('The data of this person was erased; there is nothing left to decide', {
        rule: 'subject-erased',
      });
    const sealedReason = await sealer.seal(decision.subject_ref, reasonPlace(target.id), input.reason);
    const changes = {
      state: 'DECIDED',
      action: input.action,
      sealedReason,
      decidedBy: actor.id,
      decidedAt: now,
    } as const;
    await tx.update(HumanReview, { id: target.id }, changes);
    enqueue(runDecisions, { decisionIds: [target.decisionId] });
    return {
      result: { id: target.id, decisionId: target.decisionId },
      audit: {
        subject: { kind: 'review', id: target.id },
        changes: { state: { from: 'OPEN', to: 'DECIDED' }, action: { from: null, to: input.action } },
        facts: { decisionId: target.decisionId },
        personal: { subjectId: decision.subject_ref, data: { reason: input.reason } },
      },
    };
  },
});
