import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { ModelAlias } from '../../registry/index.js';
import { ChangeRequest } from '../change-request.entity.js';
import { differencesOf, readManifest, voids, type Difference, type Manifest } from '../manifest.js';
import { sha256Of } from '../policy-document.js';
import { situationOf } from '../read-situation.js';
import { lockChange } from './find.js';
import { reconcile } from './reconcile.js';

/** What was approved for good; where it moved from and how it compares with what it replaced are history. */
const lasting = /^(card|evidence|useCase)\.|^(check\.(?!performance-vs-champion)|policy$|rules$|whenStale$)/;

/** What is no longer as it was when a change was carried out, and would void an approval; what nobody approved then has no say. */
const divergenceOf = (change: ChangeRequest, present: Manifest): Difference[] => {
  const approved = readManifest(change.manifest);
  return differencesOf(approved, present).filter(
    (one) => one.entry in approved.entries && lasting.test(one.entry) && voids(one),
  );
};

/** Whether an alias still stands where this request put it. */
const isInForce = async (tx: Tx, change: ChangeRequest): Promise<boolean> => {
  if (change.kind !== 'ALIAS' || change.state !== 'EXECUTED') return false;
  return (await tx.findOne(ModelAlias, { changeRequestId: change.id })) !== null;
};

/** Marks an executed change whose ground has changed, or takes the mark away when it is as it was again. */
const mark = async (tx: Tx, change: ChangeRequest, now: Date): Promise<AuditEntry | null> => {
  const { manifest } = await situationOf(tx, change, now);
  const divergence = divergenceOf(change, manifest);
  if (sha256Of(divergence) === sha256Of(change.divergence ?? [])) return null;
  const diverged = divergence.length > 0;
  await tx.update(
    ChangeRequest,
    { id: change.id },
    diverged ? { divergence, divergedAt: change.divergedAt ?? now } : { divergence: null, divergedAt: null },
  );
  return {
    subject: { kind: 'changeRequest', id: change.id },
    changes: { diverged: { from: change.divergedAt !== null, to: diverged } },
    facts: { divergence },
  };
};

export const refreshChange = defineCommand({
  name: 'changeRequest.refresh',
  describe:
    'Holds a change request against the present: voids decisions that lost their ground, marks what was carried out and has diverged.',
  permission: 'changeRequest:execute',
  input: z.object({ changeRequestId: z.uuid() }),
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, target: change, now }) => {
    const result = { id: change.id };
    if (await isInForce(tx, change)) {
      return { result, audit: (await mark(tx, change, now)) ?? nothingChanged };
    }
    if (change.state !== 'OPEN') return { result, audit: nothingChanged };
    const [first, ...others] = (await reconcile(tx, change, await situationOf(tx, change, now), now)).audit;
    return { result, audit: first ? [first, ...others] : nothingChanged };
  },
});
