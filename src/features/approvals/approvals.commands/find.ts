import type { Actor } from '../../../kernel/actor.js';
import type { ReadDb, Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { holdPolicy } from '../../registry/index.js';
import { Approval } from '../approval.entity.js';
import { ChangeRequest } from '../change-request.entity.js';

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

/** The decisions on a request that are not void, oldest first. */
export const decisionsOn = async (db: ReadDb, changeRequestId: string): Promise<Approval[]> => {
  const all = await db.find(Approval, { where: { changeRequestId }, order: { id: 'ASC' } });
  return all.filter((one) => one.voidedAt === null);
};

/** The workspace that a command works in; the runner has refused those without one. */
export const workspaceOf = (actor: Actor): string => {
  if (actor.workspaceId === null) throw new Error('A command of a workspace ran without one');
  return actor.workspaceId;
};
