import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict, invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { Member } from '../../workspaces/index.js';
import { Delegation } from '../delegation.entity.js';
import { approvingRole } from '../policy-document.js';
import { policyInForce } from '../policy-in-force.js';
import { workspaceOf } from './find.js';

const dayMs = 86_400_000;
const reason = z.string().trim().min(1).max(2000);

const requireEnd = (endsAt: Date, now: Date, maxDays: number): void => {
  const latest = new Date(now.getTime() + maxDays * dayMs);
  if (endsAt > now && endsAt <= latest) return;
  const message =
    endsAt <= now ? 'lies in the past' : `lies after ${latest.toISOString()}, the latest allowed`;
  throw invalidInput('A delegation ends in the future, and within the time that the policy allows', [
    { path: 'endsAt', message },
  ]);
};

const requireMember = async (tx: Tx, userId: string): Promise<void> => {
  if (await tx.findOne(Member, { userId })) return;
  throw invalidInput('A role is lent to a person of this workspace', [
    { path: 'toUserId', message: 'is not a member of this workspace' },
  ]);
};

const requireHolder = async (tx: Tx, userId: string, role: string): Promise<void> => {
  const member = await tx.findOne(Member, { userId });
  const held: readonly string[] = member ? [...member.roles, ...member.rolesByRule] : [];
  if (held.includes(role)) return;
  throw new AppError('FORBIDDEN', `You lend only roles that you hold yourself, and ${role} is none of them`, {
    rule: 'role-not-held',
    role,
  });
};

export const createDelegation = defineCommand({
  name: 'delegation.create',
  describe:
    'Lends one of your roles to another member until a date, for decisions on changes. It never lets in who had a hand in a version.',
  permission: 'delegation:create',
  input: z.object({
    toUserId: z.uuid(),
    role: approvingRole.meta({ id: 'ApprovingRole' }),
    endsAt: z.coerce.date(),
    reason,
  }),
  target: (_tx, _input, actor) => Promise.resolve({ id: workspaceOf(actor) }),
  handle: async ({ tx, actor, input, now }) => {
    if (actor.kind !== 'user') throw invalidInput('A person lends a role; a machine has none to lend');
    const { toUserId, role, endsAt } = input;
    if (toUserId === actor.id) {
      throw invalidInput('A role is lent to somebody else', [{ path: 'toUserId', message: 'is you' }]);
    }
    await requireMember(tx, toUserId);
    await requireHolder(tx, actor.id, role);
    requireEnd(endsAt, now, (await policyInForce(tx)).document.delegation.maxDays);
    const id = newId();
    await tx.insert(Delegation, {
      id,
      workspaceId: workspaceOf(actor),
      fromUserId: actor.id,
      toUserId,
      role,
      reason: input.reason,
      createdAt: now,
      endsAt,
    });
    return {
      result: { id },
      audit: {
        subject: { kind: 'delegation', id },
        changes: { state: { from: null, to: 'LENT' } },
        facts: { from: actor.id, to: toUserId, role, endsAt: endsAt.toISOString(), reason: input.reason },
      },
    };
  },
});

export const revokeDelegation = defineCommand({
  name: 'delegation.revoke',
  describe: 'Takes a lent role back: yours, one lent to you, or any as an owner or administrator.',
  permission: 'delegation:revoke',
  input: z.object({ delegationId: z.uuid(), reason }),
  target: async (tx, input) => {
    const found = await tx.lock(Delegation, { id: input.delegationId });
    if (!found) throw notFound('The delegation');
    return found;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (target.revokedAt !== null || target.endsAt <= now) {
      throw conflict('The delegation is over already', { rule: 'delegation-over' });
    }
    const concerned = actor.id === target.fromUserId || actor.id === target.toUserId;
    const answers =
      actor.kind === 'user' && actor.roles.some((role) => role === 'owner' || role === 'administrator');
    if (!concerned && !answers) {
      throw new AppError('FORBIDDEN', 'Who lent the role or got it takes it back, or an owner', {
        rule: 'not-concerned',
      });
    }
    const revoked = { revokedAt: now, revokedBy: actor.id, revokeReason: input.reason };
    await tx.update(Delegation, { id: target.id }, revoked);
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'delegation', id: target.id },
        changes: { state: { from: 'LENT', to: 'REVOKED' } },
        facts: { reason: input.reason },
      },
    };
  },
});
