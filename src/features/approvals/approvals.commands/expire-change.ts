import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { ChangeRequest } from '../change-request.entity.js';
import { lockChange } from './find.js';

/** Ends a request whose time is over, in the caller's transaction. */
export const endExpired = async (tx: Tx, change: ChangeRequest, now: Date): Promise<AuditEntry> => {
  const closeReason = `nobody completed it until ${change.expiresAt.toISOString()}`;
  await tx.update(ChangeRequest, { id: change.id }, { state: 'EXPIRED', closedAt: now, closeReason });
  return {
    subject: { kind: 'changeRequest', id: change.id },
    changes: { state: { from: change.state, to: 'EXPIRED' } },
    facts: { expiresAt: change.expiresAt.toISOString() },
  };
};

export const expireChange = defineCommand({
  name: 'changeRequest.expire',
  describe: 'Ends a change request that nobody completed in time.',
  permission: 'changeRequest:execute',
  input: z.object({ changeRequestId: z.uuid() }),
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, target, now }) => {
    const result = { id: target.id };
    if (target.state !== 'OPEN' || target.expiresAt > now) return { result, audit: nothingChanged };
    return { result, audit: await endExpired(tx, target, now) };
  },
});
