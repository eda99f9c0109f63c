import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, invalidInput } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { findingSeverity, openFinding } from '../../findings/index.js';
import { UseCase } from '../../usecases/index.js';
import { Member } from '../../workspaces/index.js';
import { Approval, verdict, type Condition } from '../approval.entity.js';
import { ChangeRequest, type ChangeState } from '../change-request.entity.js';
import { judge } from '../decide-rules.js';
import { differencesOf, readManifest } from '../manifest.js';
import { approvingRole } from '../policy-document.js';
import { situationOf } from '../read-situation.js';
import type { Situation } from '../situation.js';
import { carryOut, isReady } from './carry-out.js';
import { lentRoles, lockChange } from './find.js';
import { requireFreshSignIn } from './fresh-sign-in.js';
import { reconcile } from './reconcile.js';

const condition = z.object({
  title: z.string().trim().min(1).max(200),
  detail: z.string().trim().max(4000).default(''),
  severity: findingSeverity.default('MEDIUM'),
  dueAt: z.coerce.date(),
});

const decision = z.object({
  changeRequestId: z.uuid(),
  verdict,
  reason: z.string().trim().min(1).max(4000).describe('Why, for everyone who reads the trail.'),
  manifestSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .nullish()
    .describe('The manifest you looked at; refused when it is not the present one any more.'),
  role: approvingRole.nullish().describe('The role you decide under, when you hold several.'),
  conditions: z
    .array(condition)
    .max(20)
    .default([])
    .describe('What must follow an approval; each opens a finding.'),
});

type Decision = z.output<typeof decision>;

interface Deciding {
  readonly change: ChangeRequest;
  readonly input: Decision;
  readonly actorId: string;
  readonly now: Date;
}

/** Whoever decides on what they saw must have seen what is. */
const requireSeen = (change: ChangeRequest, situation: Situation, seen: string | null | undefined): void => {
  if (!seen || seen === situation.digest) return;
  const differences = differencesOf(readManifest(change.manifest), situation.manifest);
  const names = differences.map((one) => one.entry).join(', ');
  throw conflict(
    `What you looked at has changed${names === '' ? '' : ` (${names})`}; look again and decide on that`,
    {
      rule: 'manifest-changed',
      manifestSha256: situation.digest,
      differences,
    },
  );
};

const requireSensible = ({ verdict: given, conditions }: Decision, now: Date): void => {
  if (conditions.length === 0) return;
  if (given !== 'APPROVE') {
    throw invalidInput('Only an approval has conditions', [
      { path: 'conditions', message: 'belong to APPROVE' },
    ]);
  }
  const past = conditions.flatMap((one, index) =>
    one.dueAt > now ? [] : [{ path: `conditions.${String(index)}.dueAt`, message: 'lies in the past' }],
  );
  if (past.length > 0) throw invalidInput('A condition is due in the future', past);
};

/** Who answers for what follows an approval: who asked, or the owner of the use when a machine did. */
const ownerOf = async (tx: Tx, change: ChangeRequest, actorId: string): Promise<string> => {
  if (await tx.findOne(Member, { userId: change.requestedBy })) return change.requestedBy;
  const useCase = change.useCaseId === null ? null : await tx.findOne(UseCase, { id: change.useCaseId });
  return useCase?.ownerId ?? actorId;
};

/** One finding per condition, owned by who asked for the change. */
const openConditions = async (
  tx: Tx,
  { change, input, actorId, now }: Deciding,
): Promise<{ conditions: Condition[]; audit: AuditEntry[] }> => {
  const conditions: Condition[] = [];
  const audit: AuditEntry[] = [];
  const ownerId = await ownerOf(tx, change, actorId);
  for (const { title, detail, severity, dueAt } of input.conditions) {
    const opened = await openFinding(tx, {
      workspaceId: change.workspaceId,
      title,
      detail:
        detail === '' ? `Condition of the approval of change request #${String(change.number)}` : detail,
      severity,
      ownerId,
      dueAt,
      subject: change.versionId
        ? { kind: 'modelVersion', id: change.versionId }
        : { kind: 'changeRequest', id: change.id },
      changeRequestId: change.id,
      createdBy: actorId,
      now,
    });
    conditions.push({ title, findingId: opened.id });
    audit.push(opened.audit);
  }
  return { conditions, audit };
};

const reject = async (tx: Tx, { change, input, actorId, now }: Deciding): Promise<AuditEntry[]> => {
  const closed = { state: 'REJECTED', closedBy: actorId, closedAt: now, closeReason: input.reason } as const;
  await tx.update(ChangeRequest, { id: change.id }, closed);
  return [
    {
      subject: { kind: 'changeRequest', id: change.id },
      changes: { state: { from: change.state, to: 'REJECTED' } },
    },
  ];
};

/** What a decision led to. */
export interface Decided {
  readonly id: string;
  readonly approvalId: string;
  readonly state: ChangeState;
  readonly findingIds: readonly string[];
}

const stateAfter = async (tx: Tx, id: string): Promise<ChangeState> => {
  const change = await tx.findOne(ChangeRequest, { id });
  if (!change) throw new Error('The change request that was decided on is gone');
  return change.state;
};

export const decideChange = defineCommand({
  name: 'changeRequest.decide',
  describe:
    'Approves or rejects a change, or asks for changes. The approval that completes it carries it out.',
  permission: 'changeRequest:decide',
  input: decision,
  target: (tx, input) => lockChange(tx, input.changeRequestId),
  handle: async ({ tx, actor, input, target: change, now }) => {
    requireSensible(input, now);
    const situation = await situationOf(tx, change, now);
    const { decisions, audit: reconciled } = await reconcile(tx, change, situation, now);
    const lent = await lentRoles(tx, actor.id, now);
    const judged = judge({ change, situation, decisions, now, lent }, actor, input.verdict, input.role);
    const { role, delegationId } = judged;
    if (input.verdict === 'APPROVE') requireFreshSignIn(situation, actor, change, now);
    requireSeen(change, situation, input.manifestSha256);
    const deciding = { change, input, actorId: actor.id, now };
    const { conditions, audit: opened } = await openConditions(tx, deciding);
    const approval = {
      id: newId(),
      workspaceId: change.workspaceId,
      changeRequestId: change.id,
      verdict: input.verdict,
      role,
      delegationId,
      by: actor.id,
      reason: input.reason,
      conditions,
      manifestSha256: situation.digest,
      createdAt: now,
    };
    await tx.insert(Approval, approval);
    const consequences =
      input.verdict === 'REJECT'
        ? await reject(tx, deciding)
        : isReady(situation, [...decisions, approval]) && situation.demands.execution === 'ON_APPROVAL'
          ? await carryOut(tx, { change, situation, actorId: actor.id, now })
          : [];
    const result: Decided = {
      id: change.id,
      approvalId: approval.id,
      state: await stateAfter(tx, change.id),
      findingIds: conditions.map((one) => one.findingId),
    };
    const { verdict: given, reason } = input;
    const entry: AuditEntry = {
      subject: { kind: 'changeRequest', id: change.id },
      facts: {
        verdict: given,
        role,
        reason,
        manifestSha256: situation.digest,
        approvalId: approval.id,
        delegationId,
        conditions,
      },
    };
    return { result, audit: [entry, ...reconciled, ...opened, ...consequences] };
  },
});
