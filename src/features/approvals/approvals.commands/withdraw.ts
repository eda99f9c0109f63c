import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { AppError, conflict } from '../../../kernel/errors.js';
import { Approval } from '../approval.entity.js';
import { ChangeRequest } from '../change-request.entity.js';
import { closedFault } from '../decide-rules.js';
import { decisionsOn, lockChange } from './find.js';

const reason = z.string().trim().min(1).max(4000);

export const withdrawChange = defineCommand({
  name: 'changeRequest.withdraw',
  describe: 'Takes back a change request that you opened.',
  permission: 'changeRequest:withdraw',
  input: z.object({ changeRequestId: z.uuid(), reason }),
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, actor, input, target, now }) => {
    const fault = closedFault({ change: target, now });
    if (fault) throw fault;
    if (target.requestedBy !== actor.id) {
      throw new AppError(
        'FORBIDDEN',
        'Only the person who asked for a change takes it back; others reject it',
        {
          rule: 'not-requester',
        },
      );
    }
    const closed = {
      state: 'WITHDRAWN',
      closedBy: actor.id,
      closedAt: now,
      closeReason: input.reason,
    } as const;
    await tx.update(ChangeRequest, { id: target.id }, closed);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'changeRequest', id: target.id },
        changes: { state: { from: target.state, to: 'WITHDRAWN' } },
        facts: { reason: input.reason },
      },
    };
  },
});

export const withdrawDecision = defineCommand({
  name: 'changeRequest.withdrawDecision',
  describe: 'Takes back your decision on an open change request; you may decide anew.',
  permission: 'changeRequest:decide',
  input: z.object({ changeRequestId: z.uuid(), reason }),
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, actor, input, target, now }) => {
    const fault = closedFault({ change: target, now });
    if (fault) throw fault;
    const own = (await decisionsOn(tx, target.id)).find((one) => one.by === actor.id);
    if (!own)
      throw conflict('You have no decision on this change request to take back', { rule: 'no-decision' });
    await tx.update(Approval, { id: own.id }, { voidedAt: now, voidReason: `withdrawn: ${input.reason}` });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'changeRequest', id: target.id },
        facts: { approvalId: own.id, verdict: own.verdict, withdrawn: input.reason },
      },
    };
  },
});
