import type { Actor } from '../../../kernel/actor.js';
import type { AuditEntry } from '../../../kernel/audit.js';
import type { CommandContext } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { AppError, conflict } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { expireChangeJob } from '../approvals.jobs/expire-change.js';
import { ChangeRequest } from '../change-request.entity.js';
import { situationOf } from '../read-situation.js';
import type { Proposed, Situation } from '../situation.js';
import { endExpired } from './expire-change.js';
import { workspaceOf } from './find.js';

/** What is asked for. */
export interface NewChange extends Proposed {
  readonly modelId: string | null;
  /** What would change: only one request at a time may be open about it. */
  readonly targetKey: string;
  readonly title: string;
  readonly reason: string;
  /** A refused call of a machine may open a request; whoever stands behind the machine then has asked. */
  readonly byMachine?: boolean;
}

/** What opening needs of the command that opens. */
export type Opening = Pick<CommandContext<unknown, unknown>, 'tx' | 'actor' | 'now' | 'enqueue'>;

/** What was opened, and what the trail must say of it. */
export interface OpenedChange {
  readonly id: string;
  readonly number: number;
  readonly situation: Situation;
  readonly audit: readonly [AuditEntry, ...AuditEntry[]];
}

const dayMs = 86_400_000;

/** Ends what has expired about the same target; refuses when something is open. */
const clearTarget = async (tx: Tx, targetKey: string, now: Date): Promise<AuditEntry[]> => {
  const find = {
    where: [
      { targetKey, state: 'OPEN' as const },
      { targetKey, state: 'APPROVED' as const },
    ],
  };
  const [earlier] = await tx.find(ChangeRequest, find);
  if (!earlier) return [];
  if (earlier.state === 'OPEN' && earlier.expiresAt <= now) return [await endExpired(tx, earlier, now)];
  throw conflict(
    `Change request #${String(earlier.number)} about the same is open already; decide or withdraw it first`,
    {
      rule: 'one-open-request',
      changeRequestId: earlier.id,
      number: earlier.number,
    },
  );
};

/** Numbers count up per workspace, without a gap and never twice: the lock is held until the transaction ends. */
const nextNumber = async (tx: Tx, workspaceId: string): Promise<number> => {
  const [row] = await tx.sql<{ next: number }>(
    'select coalesce(max(number), 0) + 1 as next from change_request where workspace_id = $1',
    [workspaceId],
  );
  return row?.next ?? 1;
};

const requirePerson = (actor: Actor): void => {
  if (actor.kind === 'user') return;
  const sentence = 'A person asks for a change and answers for it; service accounts and jobs never do';
  throw new AppError('FORBIDDEN', sentence, { rule: 'service-account' });
};

/** Until the transaction ends, nobody else opens a request in the workspace. */
export const lockRequests = async (tx: Tx, workspaceId: string): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('change_request/' || $1, 0))`, [workspaceId]);
};

/** Opens a change request in the caller's transaction, bound to what decides on it at this moment. */
export const openChangeRequest = async (
  { tx, actor, now, enqueue }: Opening,
  asked: NewChange,
): Promise<OpenedChange> => {
  if (asked.byMachine !== true) requirePerson(actor);
  const workspaceId = workspaceOf(actor);
  await lockRequests(tx, workspaceId);
  const ended = await clearTarget(tx, asked.targetKey, now);
  const situation = await situationOf(tx, { ...asked, requestedBy: actor.id, createdAt: now }, now);
  const id = newId();
  const number = await nextNumber(tx, workspaceId);
  const expiresAt = new Date(now.getTime() + situation.demands.expireAfterDays * dayMs);
  const { manifest, digest: manifestSha256, fromVersionId } = situation;
  const { byMachine: _, ...what } = asked;
  await tx.insert(ChangeRequest, {
    ...what,
    id,
    workspaceId,
    number,
    state: 'OPEN',
    manifest,
    manifestSha256,
    fromVersionId,
    requestedBy: actor.id,
    createdAt: now,
    expiresAt,
  });
  enqueue(expireChangeJob, { changeRequestId: id }, { notBefore: expiresAt });
  const entry: AuditEntry = {
    subject: { kind: 'changeRequest', id },
    changes: { state: { from: null, to: 'OPEN' } },
    facts: {
      number,
      kind: asked.kind,
      title: asked.title,
      reason: asked.reason,
      manifestSha256,
      policy: { revision: situation.policy.revision, sha256: situation.policy.sha256 },
      expiresAt: expiresAt.toISOString(),
    },
  };
  return { id, number, situation, audit: [entry, ...ended] };
};
