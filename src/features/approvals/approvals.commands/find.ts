import type { Actor } from '../../../kernel/actor.js';
import type { ReadDb, Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { Approval } from '../approval.entity.js';
import { ChangeRequest } from '../change-request.entity.js';

/**
 * The request, locked until the transaction ends, with the model that it moves: two decisions on one request wait for
 * each other, and nothing moves the model's aliases in between.
 */
export const lockChange = async (tx: Tx, id: string): Promise<ChangeRequest> => {
  const change = await tx.lock(ChangeRequest, { id });
  if (!change) throw notFound('The change request');
  if (change.modelId !== null)
    await tx.sql('select 1 from registered_model where id = $1 for update', [change.modelId]);
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
