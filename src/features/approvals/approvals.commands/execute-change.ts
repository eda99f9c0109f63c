import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import { ChangeRequest, type ChangeKind } from '../change-request.entity.js';
import { closedFault, missingOf, quorumMet, type Counted } from '../decide-rules.js';
import { situationOf } from '../read-situation.js';
import type { Situation } from '../situation.js';
import { waitChecks } from '../waits.js';
import { carryOut, isReady } from './carry-out.js';
import { lockChange } from './find.js';
import { reconcile } from './reconcile.js';

/** What still stands in the way, one sentence each. */
export const blockersOf = (
  situation: Situation,
  decisions: readonly Counted[],
): { rule: string; message: string }[] => {
  const complete = quorumMet(situation.demands.slots, decisions);
  const all = [...situation.checks, ...waitChecks(situation, decisions, complete)];
  const checks = all.filter((one) => one.mode === 'ENFORCE' && one.state !== 'PASS');
  const slots = situation.demands.slots.flatMap((slot) => {
    const missing = missingOf(slot, decisions);
    const role = slot.roles.join(' or ');
    return missing === 0
      ? []
      : [
          {
            rule: `approvals.${slot.roles.join('|')}`,
            message: `${String(missing)} approval by ${role} is missing`,
          },
        ];
  });
  const changes = decisions.some((one) => one.verdict === 'REQUEST_CHANGES')
    ? [{ rule: 'changes-requested', message: 'Somebody asked for changes and has not taken it back' }]
    : [];
  return [...checks.map(({ rule, message }) => ({ rule, message })), ...slots, ...changes];
};

export const executeChange = defineCommand({
  name: 'changeRequest.execute',
  describe: 'Carries out a change whose approvals were complete before its requirements were.',
  permission: 'changeRequest:create',
  input: z.object({ changeRequestId: z.uuid() }),
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, actor, target: change, now }) => {
    const fault = closedFault({ change, now });
    if (fault) throw fault;
    const situation = await situationOf(tx, change, now);
    const { decisions, audit } = await reconcile(tx, change, situation, now);
    if (!isReady(situation, decisions)) {
      const blockers = blockersOf(situation, decisions);
      const sentence = `Change request #${String(change.number)} cannot be carried out yet: ${blockers[0]?.message ?? ''}`;
      throw new AppError('PRECONDITION_FAILED', sentence, { rule: blockers[0]?.rule, blockers });
    }
    const [first, ...others] = await carryOut(tx, { change, situation, actorId: actor.id, now });
    if (!first) throw new Error('A change was carried out and left no trace');
    return { result: { id: change.id }, audit: [first, ...others, ...audit] };
  },
});

/** The approved request, locked, for the feature that carries it out; refuses what is not approved or about another thing. */
export const approvedChange = async (tx: Tx, id: string, kind: ChangeKind): Promise<ChangeRequest> => {
  const change = await tx.lock(ChangeRequest, { id });
  if (!change) throw notFound('The change request');
  if (change.kind === kind && change.state === 'APPROVED') return change;
  throw conflict(
    `Change request #${String(change.number)} is ${change.state.toLowerCase()}, not approved for this`,
    {
      rule: 'not-approved',
      state: change.state,
      kind: change.kind,
    },
  );
};

/** Marks an approved request as carried out, in the transaction that did it. */
export const markExecuted = async (
  tx: Tx,
  change: ChangeRequest,
  actorId: string,
  now: Date,
): Promise<AuditEntry> => {
  const executed = { state: 'EXECUTED', executedAt: now, closedAt: now, closedBy: actorId } as const;
  await tx.update(ChangeRequest, { id: change.id }, executed);
  return {
    subject: { kind: 'changeRequest', id: change.id },
    changes: { state: { from: change.state, to: 'EXECUTED' } },
    facts: { number: change.number, kind: change.kind },
  };
};
