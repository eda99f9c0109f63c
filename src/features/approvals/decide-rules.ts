import type { Actor, Role } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import type { Approval, Verdict } from './approval.entity.js';
import type { ChangeRequest } from './change-request.entity.js';
import type { Slot } from './demands.js';
import type { ApprovingRole } from './policy-document.js';
import type { Situation } from './situation.js';

/** A decision that counts, as far as the rules look at it. */
export interface Counted extends Pick<Approval, 'verdict' | 'role' | 'by'> {
  readonly createdAt?: Date;
  /** Whose role it was given under, when that was delegated. */
  readonly delegatedBy?: string | null;
}

/** A role that somebody else lent to the person who decides. */
export interface LentRole {
  readonly id: string;
  readonly role: Role;
  readonly from: string;
}

/** What the rules look at. */
export interface Case {
  readonly change: Pick<ChangeRequest, 'state' | 'number' | 'requestedBy' | 'expiresAt' | 'closeReason'>;
  readonly situation: Pick<Situation, 'demands' | 'lineage' | 'barred'>;
  /** The decisions that are not void. */
  readonly decisions: readonly Counted[];
  readonly now: Date;
  /** Roles that were delegated to whoever decides and that count at this moment. */
  readonly lent?: readonly LentRole[];
}

/** Under which role somebody decides, and by whose delegation. */
export interface Judged {
  readonly role: Role;
  readonly delegationId: string | null;
}

const refusal = (
  code: 'FORBIDDEN' | 'CONFLICT',
  rule: string,
  sentence: string,
  details: object = {},
): AppError => new AppError(code, sentence, { rule, ...details });

/** How many approvals a slot still needs. */
export const missingOf = (slot: Slot, decisions: readonly Counted[]): number => {
  const given = decisions.filter(
    (one) => one.verdict === 'APPROVE' && slot.roles.some((role) => role === one.role),
  );
  return Math.max(0, slot.quorum - given.length);
};

/** Whether all approvals are given and nobody asks for changes. */
export const quorumMet = (slots: readonly Slot[], decisions: readonly Counted[]): boolean =>
  slots.length > 0 &&
  slots.every((slot) => missingOf(slot, decisions) === 0) &&
  decisions.every((one) => one.verdict === 'APPROVE');

/** Why nobody can decide on it any more, or null. */
export const closedFault = ({ change, now }: Pick<Case, 'change' | 'now'>): AppError | null => {
  const name = `Change request #${String(change.number)}`;
  if (change.state === 'APPROVED')
    return refusal('CONFLICT', 'approved', `${name} is approved and being carried out`);
  if (change.state !== 'OPEN') {
    const why = change.closeReason ? `: ${change.closeReason}` : '';
    return refusal('CONFLICT', 'closed', `${name} is ${change.state.toLowerCase()}${why}`, {
      state: change.state,
    });
  }
  if (change.expiresAt > now) return null;
  const at = change.expiresAt.toISOString();
  return refusal('CONFLICT', 'expired', `${name} expired at ${at}; ask again`, {
    state: 'EXPIRED',
    expiresAt: at,
  });
};

/** Why this actor can never decide on this change, whatever their roles; invariants that no policy takes away. */
const personFault = ({ change, situation }: Case, actor: Actor): AppError | null => {
  if (actor.kind !== 'user') {
    return refusal(
      'FORBIDDEN',
      'service-account',
      'Only people decide on changes; service accounts and jobs never do',
    );
  }
  if (actor.id === change.requestedBy) {
    return refusal(
      'FORBIDDEN',
      'requester',
      'Whoever asks for a change does not decide on it; withdraw it instead',
    );
  }
  if (situation.lineage.has(actor.id)) {
    return refusal(
      'FORBIDDEN',
      'separation-of-duties',
      'Whoever had a hand in a version (its model, artifacts, evaluations, card or parents) does not decide on it',
    );
  }
  const barred = situation.barred.get(actor.id);
  if (barred === undefined) return null;
  return refusal('FORBIDDEN', 'excluded-by-policy', `The policy lets nobody decide who ${barred}`);
};

const holds = (actor: Actor, role: ApprovingRole): boolean =>
  actor.kind === 'user' && actor.roles.some((held) => held === role);

/** Delegations that count here: whoever lent the role has no hand in the change and has not decided already. */
const usableLoans = ({ change, situation, decisions, lent }: Case): readonly LentRole[] =>
  (lent ?? []).filter(
    ({ from }) =>
      from !== change.requestedBy &&
      !situation.lineage.has(from) &&
      !situation.barred.has(from) &&
      !decisions.some((one) => one.by === from || one.delegatedBy === from),
  );

/** Roles that the actor can decide under: those that are asked for now, given already, or asked for later. */
interface AskedRoles {
  readonly open: Judged[];
  readonly filled: Judged[];
  readonly later: Judged[];
}

/** The first step whose slots are not full; what has a later step waits for it. */
const stepOf = ({ situation, decisions }: Case): number =>
  Math.min(
    ...situation.demands.slots.filter((slot) => missingOf(slot, decisions) > 0).map((slot) => slot.step),
  );

const askedRoles = (one: Case, actor: Actor): AskedRoles => {
  const { situation, decisions } = one;
  const asked: AskedRoles = { open: [], filled: [], later: [] };
  const loans = usableLoans(one);
  const step = stepOf(one);
  for (const slot of situation.demands.slots) {
    const own = slot.roles.filter((role) => holds(actor, role)).map((role) => ({ role, delegationId: null }));
    const lent = loans
      .filter((loan) => slot.roles.some((role) => role === loan.role))
      .map(({ id, role }) => ({ role, delegationId: id }));
    const full = missingOf(slot, decisions) === 0;
    (full ? asked.filled : slot.step > step ? asked.later : asked.open).push(...own, ...lent);
  }
  return asked;
};

const orderFault = (one: Case): AppError => {
  const before = one.situation.demands.slots.filter(
    (slot) => slot.step === stepOf(one) && missingOf(slot, one.decisions) > 0,
  );
  const who = before.map((slot) => slot.roles.join(' or ')).join(' and ');
  return refusal('CONFLICT', 'order', `It is not your turn yet: ${who} approves first`, {
    before: before.map((slot) => slot.roles),
  });
};

const requireOnce = ({ decisions }: Case, actor: Actor): void => {
  // Whoever lent a role and had it used has spoken too.
  if (!decisions.some((one) => one.by === actor.id || one.delegatedBy === actor.id)) return;
  const sentence = 'You decided on this change already; withdraw your decision to decide anew';
  throw refusal('CONFLICT', 'already-decided', sentence);
};

/** Their own role first: what was lent is for when there is no other. */
const chosen = ({ open, filled, later }: AskedRoles, wanted?: string | null): Judged | undefined => {
  const all = [...open, ...filled, ...later];
  return wanted ? all.find((one) => one.role === wanted) : all[0];
};

/**
 * Under which role a person decides; refuses and names the rule. A person counts once and for one role: the named
 * one, else the first that is still missing.
 */
export const judge = (one: Case, actor: Actor, verdict: Verdict, wanted?: string | null): Judged => {
  const fault = closedFault(one) ?? personFault(one, actor);
  if (fault) throw fault;
  const roles = askedRoles(one, actor);
  const judged = chosen(roles, wanted);
  if (judged === undefined) {
    const asked = [...new Set(one.situation.demands.slots.flatMap((slot) => slot.roles))];
    const sentence = `This change asks for ${asked.join(' and ')}; you decide under none of these roles`;
    throw refusal('FORBIDDEN', 'role-not-asked', sentence, { asked });
  }
  requireOnce(one, actor);
  if (verdict !== 'APPROVE' || roles.open.some((open) => open.role === judged.role)) return judged;
  if (roles.later.some((later) => later.role === judged.role)) throw orderFault(one);
  const sentence = `All approvals by ${judged.role} are given`;
  throw refusal('CONFLICT', 'quorum-complete', sentence, { role: judged.role });
};

/** Whether an actor could decide so; for interfaces that show only what is possible. */
export const canDecide = (one: Case, actor: Actor, verdict: Verdict): boolean => {
  try {
    judge(one, actor, verdict);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
};
