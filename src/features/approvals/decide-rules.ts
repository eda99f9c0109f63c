import type { Actor, Role } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import type { Approval, Verdict } from './approval.entity.js';
import type { ChangeRequest } from './change-request.entity.js';
import type { ApprovingRole, Slot } from './policy-document.js';
import type { Situation } from './situation.js';

/** A decision that counts, as far as the rules look at it. */
export type Counted = Pick<Approval, 'verdict' | 'role' | 'by'>;

/** What the rules look at. */
export interface Case {
  readonly change: Pick<ChangeRequest, 'state' | 'number' | 'requestedBy' | 'expiresAt' | 'closeReason'>;
  readonly situation: Pick<Situation, 'demands' | 'lineage' | 'barred'>;
  /** The decisions that are not void. */
  readonly decisions: readonly Counted[];
  readonly now: Date;
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

/** Roles of the actor that the rules ask for, those first that are still missing. */
const askedRoles = ({ situation, decisions }: Case, actor: Actor): { open: Role[]; filled: Role[] } => {
  const split: { open: Role[]; filled: Role[] } = { open: [], filled: [] };
  for (const slot of situation.demands.slots) {
    const held = slot.roles.filter((role) => holds(actor, role));
    (missingOf(slot, decisions) > 0 ? split.open : split.filled).push(...held);
  }
  return split;
};

/**
 * Under which role a person decides; refuses and names the rule. A person counts once and for one role: the named
 * one, else the first that is still missing.
 */
export const judge = (one: Case, actor: Actor, verdict: Verdict, wanted?: string | null): Role => {
  const fault = closedFault(one) ?? personFault(one, actor);
  if (fault) throw fault;
  const { open, filled } = askedRoles(one, actor);
  const asked = one.situation.demands.slots.flatMap((slot) => slot.roles);
  const held = [...open, ...filled];
  const [role] = wanted ? held.filter((name) => name === wanted) : held;
  if (role === undefined) {
    const sentence = `This change asks for ${asked.join(' and ')}; you decide under none of these roles`;
    throw refusal('FORBIDDEN', 'role-not-asked', sentence, { asked });
  }
  if (one.decisions.some((decision) => decision.by === actor.id)) {
    const sentence = 'You decided on this change already; withdraw your decision to decide anew';
    throw refusal('CONFLICT', 'already-decided', sentence);
  }
  if (verdict === 'APPROVE' && !open.includes(role)) {
    throw refusal('CONFLICT', 'quorum-complete', `All approvals by ${role} are given`, { role });
  }
  return role;
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
