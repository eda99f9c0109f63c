import type { Actor } from '../../../kernel/actor.js';
import type { ReadDb, Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { holdPolicy } from '../../registry/index.js';
import { Approval } from '../approval.entity.js';
import { ChangeRequest } from '../change-request.entity.js';
import type { LentRole } from '../decide-rules.js';
import { Delegation } from '../delegation.entity.js';

/**
 * The request, locked until the transaction ends, with all that decides on it: the model that it moves, the version
 * (whose row an edit of its card and new evidence lock too), the use case and the policy. Two decisions on one request
 * wait for each other, and what a decision was bound to is still true when it commits.
 */
export const lockChange = async (tx: Tx, id: string): Promise<ChangeRequest> => {
  const change = await tx.lock(ChangeRequest, { id });
  if (!change) throw notFound('The change request');
  const { modelId, versionId, useCaseId } = change;
  // In the order of everybody else, the policy last: whoever waits for a row must not hold up a new policy.
  if (modelId !== null) await tx.sql('select 1 from registered_model where id = $1 for update', [modelId]);
  if (versionId !== null) await tx.sql('select 1 from model_version where id = $1 for share', [versionId]);
  if (useCaseId !== null) await tx.sql('select 1 from use_case where id = $1 for share', [useCaseId]);
  await holdPolicy(tx);
  return change;
};

/** A decision that counts, with who lent the role it was given under. */
export type Decision = Approval & {
  readonly delegatedBy: string | null;
  readonly isLoanRevoked: boolean;
};

/** The decisions on a request that are not void, oldest first. */
export const decisionsOn = async (db: ReadDb, changeRequestId: string): Promise<Decision[]> => {
  const all = await db.find(Approval, { where: { changeRequestId }, order: { id: 'ASC' } });
  const counted = all.filter((one) => one.voidedAt === null);
  const loans = new Map<string, Delegation>();
  for (const { delegationId } of counted) {
    if (delegationId === null) continue;
    const delegation = await db.findOne(Delegation, { id: delegationId });
    if (delegation) loans.set(delegationId, delegation);
  }
  return counted.map((one) => {
    const loan = loans.get(one.delegationId ?? '');
    const isLoanRevoked = (loan?.revokedAt ?? null) !== null;
    return Object.assign(one, { delegatedBy: loan?.fromUserId ?? null, isLoanRevoked });
  });
};

/**
 * Roles lent to a person that count at this moment: not ended, not revoked, and held by whoever lent them, who is
 * still a member.
 */
export const lentRoles = (db: ReadDb, userId: string, now: Date): Promise<LentRole[]> =>
  db.sql<LentRole>(
    `select d.id, d.role, d.from_user_id as "from"
       from delegation d
       join member m on m.user_id = d.from_user_id
       join app_user u on u.id = d.from_user_id
      where d.to_user_id::text = $1 and d.revoked_at is null and d.created_at <= $2 and d.ends_at > $2
        and d.role = any(m.roles || m.roles_by_rule) and u.disabled_at is null
      order by d.id`,
    [userId, now],
    'approvals.lentRoles',
  );

/** The workspace that a command works in; the runner has refused those without one. */
export const workspaceOf = (actor: Actor): string => {
  if (actor.workspaceId === null) throw new Error('A command of a workspace ran without one');
  return actor.workspaceId;
};
