import type { AuditEntry } from '../../../kernel/audit.js';
import type { ReadDb, Tx } from '../../../kernel/db.js';
import { Approval } from '../approval.entity.js';
import { ChangeRequest } from '../change-request.entity.js';
import { differencesOf, readManifest, sentenceOf, voids, type Difference } from '../manifest.js';
import type { Situation } from '../situation.js';
import { decisionsOn, type Decision } from './find.js';

/** What became of the decisions when the request was held against the present. */
export interface Reconciled {
  /** Decisions that still count. */
  readonly decisions: readonly Decision[];
  readonly audit: readonly AuditEntry[];
}

/** A decision that lost its ground, and why. */
export interface Voided {
  readonly approval: Approval;
  readonly why: string;
}

interface Standing {
  readonly id: string;
  readonly roles: readonly string[];
  readonly disabled: boolean;
}

/** How the people who decided stand in the workspace now; whoever left it is not among them. */
const standingNow = async (db: ReadDb, people: readonly string[]): Promise<ReadonlyMap<string, Standing>> => {
  const rows = await db.sql<Standing>(
    `select m.user_id as id, m.roles || m.roles_by_rule as roles, u.disabled_at is not null as disabled
       from member m join app_user u on u.id = m.user_id
      where m.user_id = any($1)`,
    [people],
  );
  return new Map(rows.map((row) => [row.id, row]));
};

/** A loan that ended by its date was good when it was used; one that was taken back is not. */
const loanFault = (approval: Decision, people: ReadonlyMap<string, Standing>): string | null => {
  if (approval.isLoanRevoked) return 'delegation-revoked: the role was taken back from this person';
  const lender = people.get(approval.delegatedBy ?? '');
  const holds = lender?.disabled === false && lender.roles.includes(approval.role);
  return holds && people.has(approval.by)
    ? null
    : `role-lost: the role ${approval.role} was lent by somebody who no longer holds it`;
};

const whyVoid = (
  approval: Decision,
  situation: Situation,
  people: ReadonlyMap<string, Standing>,
): string | null => {
  if (situation.lineage.has(approval.by))
    return 'separation-of-duties: this person now has a hand in the version';
  const barred = situation.barred.get(approval.by);
  if (barred !== undefined) return `excluded-by-policy: this person ${barred}`;
  const person = people.get(approval.by);
  if (person?.disabled) return 'approver-disabled: this person was shut out';
  if (approval.delegationId !== null) return loanFault(approval, people);
  const holds = person?.roles.includes(approval.role) ?? false;
  return holds ? null : `role-lost: this person no longer holds the role ${approval.role}`;
};

const judgeEach = async (
  db: ReadDb,
  decisions: readonly Decision[],
  situation: Situation,
  grounds: readonly Difference[],
): Promise<Voided[]> => {
  if (grounds.length > 0) {
    const why = `manifest-changed: ${sentenceOf(grounds)}`;
    return decisions.map((approval) => ({ approval, why }));
  }
  const people = await standingNow(
    db,
    decisions.flatMap((one) => (one.delegatedBy === null ? [one.by] : [one.by, one.delegatedBy])),
  );
  return decisions.flatMap((approval) => {
    const why = whyVoid(approval, situation, people);
    return why === null ? [] : [{ approval, why }];
  });
};

/** What a request would become if it were held against the present. */
export interface Held {
  readonly differences: readonly Difference[];
  /** Decisions that still count. */
  readonly decisions: readonly Decision[];
  readonly voided: readonly Voided[];
}

/** Holds a request against the present and changes nothing: commands and readers judge by the same. */
export const heldAgainst = async (
  db: ReadDb,
  change: Pick<ChangeRequest, 'id' | 'manifest'>,
  situation: Situation,
): Promise<Held> => {
  const all = await decisionsOn(db, change.id);
  const differences = differencesOf(readManifest(change.manifest), situation.manifest);
  const voided = await judgeEach(db, all, situation, differences.filter(voids));
  const gone = new Set(voided.map(({ approval }) => approval.id));
  return { differences, voided, decisions: all.filter((one) => !gone.has(one.id)) };
};

/**
 * Holds a request against what is true now: binds it to the present manifest and voids the decisions that lost their
 * ground. The caller holds the lock on the request.
 */
export const reconcile = async (
  tx: Tx,
  change: ChangeRequest,
  situation: Situation,
  now: Date,
): Promise<Reconciled> => {
  const { differences, decisions, voided } = await heldAgainst(tx, change, situation);
  for (const { approval, why } of voided) {
    await tx.update(Approval, { id: approval.id }, { voidedAt: now, voidReason: why });
  }
  if (differences.length > 0) {
    const { manifest, digest: manifestSha256, fromVersionId } = situation;
    await tx.update(ChangeRequest, { id: change.id }, { manifest, manifestSha256, fromVersionId });
  }
  return {
    decisions,
    audit: differences.length + voided.length === 0 ? [] : [entryOf(change, situation, differences, voided)],
  };
};

const entryOf = (
  change: ChangeRequest,
  situation: Situation,
  differences: readonly Difference[],
  voided: readonly Voided[],
): AuditEntry => ({
  subject: { kind: 'changeRequest', id: change.id },
  changes: { manifestSha256: { from: change.manifestSha256, to: situation.digest } },
  facts: {
    differences,
    voided: voided.map(({ approval, why }) => ({ approval: approval.id, by: approval.by, why })),
  },
});
