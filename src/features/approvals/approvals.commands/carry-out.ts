import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { moveAlias, replacePolicy } from '../../registry/index.js';
import { ApprovalPolicy } from '../approval-policy.entity.js';
import { ChangeRequest, type ChangeState } from '../change-request.entity.js';
import { quorumMet, type Counted } from '../decide-rules.js';
import { requireNoneFreed } from '../freed-names.js';
import { policyDocument, sha256Of } from '../policy-document.js';
import { putTier } from '../risk-tier.js';
import type { Situation } from '../situation.js';
import { waitChecks } from '../waits.js';

/** A request that may be carried out, and who does it. */
export interface Carrying {
  readonly change: ChangeRequest;
  readonly situation: Situation;
  readonly actorId: string;
  readonly now: Date;
}

/** Whether everything is there: all approvals, nobody asks for changes, every requirement holds. */
export const isReady = (situation: Situation, decisions: readonly Counted[]): boolean => {
  const complete = quorumMet(situation.demands.slots, decisions);
  if (!complete) return false;
  const all = [...situation.checks, ...waitChecks(situation, decisions, complete)];
  return all.every((one) => one.mode !== 'ENFORCE' || one.state === 'PASS');
};

const proposalOf = z.object({ document: policyDocument, source: z.string() });

const putAlias = async (tx: Tx, { change, actorId, now }: Carrying): Promise<AuditEntry[]> => {
  const { modelId, alias, versionId, useCaseId } = change;
  if (modelId === null || alias === null || versionId === null) throw new Error('A request about no alias');
  const moved = await moveAlias(tx, {
    modelId,
    alias,
    versionId,
    useCaseId,
    changeRequestId: change.id,
    actorId,
    now,
  });
  return [moved.audit];
};

const putPolicy = async (tx: Tx, { change, situation, actorId, now }: Carrying): Promise<AuditEntry[]> => {
  const { document, source } = proposalOf.parse(change.proposal);
  const id = newId();
  const revision = situation.policy.revision + 1;
  const sha256 = sha256Of(document);
  const { workspaceId } = change;
  await replacePolicy(tx);
  // Also what came to stand while people decided: nobody moves a name until this commits.
  await requireNoneFreed(tx, document);
  const row = { id, workspaceId, revision, document, sha256, source, changeRequestId: change.id };
  await tx.insert(ApprovalPolicy, { ...row, createdBy: actorId, createdAt: now });
  const changes = {
    revision: { from: situation.policy.revision, to: revision },
    sha256: { from: situation.policy.sha256, to: sha256 },
  };
  return [{ subject: { kind: 'policy', id }, changes, facts: { changeRequestId: change.id, source } }];
};

const close = async (tx: Tx, { change, actorId, now }: Carrying, state: ChangeState): Promise<AuditEntry> => {
  const executed = state === 'EXECUTED';
  await tx.update(
    ChangeRequest,
    { id: change.id },
    {
      state,
      approvedAt: change.approvedAt ?? now,
      ...(executed ? { executedAt: now, closedAt: now, closedBy: actorId } : {}),
    },
  );
  return {
    subject: { kind: 'changeRequest', id: change.id },
    changes: { state: { from: change.state, to: state } },
    facts: { number: change.number, kind: change.kind },
  };
};

/**
 * Does what was approved, in the transaction that found it ready; the lock on the request makes it happen once. What
 * another feature carries out becomes APPROVED, and that feature marks it executed in its own transaction.
 */
export const carryOut = async (tx: Tx, carrying: Carrying): Promise<AuditEntry[]> => {
  switch (carrying.change.kind) {
    case 'ALIAS': {
      const moved = await putAlias(tx, carrying);
      return [await close(tx, carrying, 'EXECUTED'), ...moved];
    }
    case 'POLICY': {
      const put = await putPolicy(tx, carrying);
      return [await close(tx, carrying, 'EXECUTED'), ...put];
    }
    case 'RISK_TIER': {
      const put = await putTier(tx, carrying.change);
      return [await close(tx, carrying, 'EXECUTED'), put];
    }
    case 'ENDPOINT_RESUME':
      return [await close(tx, carrying, 'APPROVED')];
  }
};
