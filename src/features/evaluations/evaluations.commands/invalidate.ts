import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { versionOr404 } from '../../registry/index.js';
import { useCaseOr404 } from '../../usecases/index.js';
import {
  EvidenceInvalidation,
  invalidationCause,
  type InvalidationCause,
} from '../evidence-invalidation.entity.js';
import { evidenceKind, type EvidenceKind } from '../evidence.entity.js';

/** Which evidence no longer holds, and why. */
export interface Invalidating {
  readonly workspaceId: string;
  readonly versionId: string;
  readonly useCaseId: string;
  readonly kinds: readonly EvidenceKind[];
  readonly cause: InvalidationCause;
  readonly reason: string;
  readonly by: string;
  readonly now: Date;
}

/**
 * Makes the newest evidence of these kinds stale, in the caller's transaction: for features that learn of drift, of
 * other data, of a revoked member, of an advisory. Returns the evidence concerned and what the trail must say of it.
 */
export const makeStale = async (
  tx: Tx,
  { versionId, useCaseId, kinds, cause, reason, ...rest }: Invalidating,
): Promise<{ readonly evidenceIds: readonly string[]; readonly audit: readonly AuditEntry[] }> => {
  const newest = await tx.sql<{ id: string; kind: string }>(
    `select e.id, e.kind from unnest($3::text[]) as k (kind)
      cross join lateral (select n.id, n.kind from evidence n
         where n.version_id = $1 and n.use_case_id = $2 and n.kind = k.kind order by n.id desc limit 1) e
      where not exists (select from evidence_invalidation i where i.evidence_id = e.id)
      order by e.id`,
    [versionId, useCaseId, kinds],
  );
  for (const { id } of newest) {
    await tx.insert(EvidenceInvalidation, {
      id: newId(),
      workspaceId: rest.workspaceId,
      evidenceId: id,
      cause,
      reason,
      invalidatedBy: rest.by,
      createdAt: rest.now,
    });
  }
  const audit = newest.map(({ id, kind }): AuditEntry => ({
    subject: { kind: 'evidence', id },
    changes: { stale: { from: false, to: true } },
    facts: { kind, versionId, useCaseId, cause, reason },
  }));
  return { evidenceIds: newest.map((one) => one.id), audit };
};

export const invalidateEvidence = defineCommand({
  name: 'evidence.invalidate',
  describe:
    'Says that the newest evidence of a version in a use case no longer holds. It blocks promotions until it is made anew.',
  permission: 'evidence:invalidate',
  input: z.object({
    versionId: z.uuid(),
    useCaseId: z.uuid(),
    kinds: z.array(evidenceKind).min(1).max(4).default(['PERFORMANCE', 'FAIRNESS', 'ATTRIBUTION']),
    cause: invalidationCause,
    reason: z.string().trim().min(1).max(4000),
  }),
  target: async (tx, input) => {
    await useCaseOr404(tx, input.useCaseId);
    return versionOr404(tx, input.versionId);
  },
  handle: async ({ tx, actor, input, target, now }) => {
    // Two who say the same at the same instant wait for each other.
    await tx.sql('select 1 from model_version where id = $1 for no key update', [target.id]);
    const done = await makeStale(tx, {
      ...input,
      workspaceId: target.workspaceId,
      by: actor.id,
      now,
    });
    const [first, ...others] = done.audit;
    if (!first) {
      throw conflict('There is no evidence that still holds', { rule: 'nothing-to-invalidate' });
    }
    return { result: { evidenceIds: done.evidenceIds }, audit: [first, ...others] };
  },
});
