import type { ReadDb } from '../../kernel/db.js';
import { missingOf, quorumMet, type Counted } from './decide-rules.js';
import type { Slot } from './demands.js';
import type { RuleMode } from './policy-document.js';
import { check, type Check, type Situation } from './situation.js';
import { waitChecks } from './waits.js';

/** A person who could move a requirement. */
export interface Mover {
  readonly id: string;
  readonly name: string;
}

/** A requirement as shown: how it stands, and who can move it. */
export interface RequirementView extends Check {
  /** The roles that an approval is asked of; empty where a permission moves it. */
  readonly askedRoles: readonly string[];
  readonly people: readonly Mover[];
}

interface MemberRow extends Mover {
  readonly roles: readonly string[];
}

/** The people of the workspace with their roles, read once for all slots. */
const membersOf = (db: ReadDb): Promise<MemberRow[]> =>
  db.sql<MemberRow>(
    `select u.id, u.display_name as name, m.roles || m.roles_by_rule as roles
       from member m join app_user u on u.id = m.user_id where u.disabled_at is null order by u.display_name, u.id`,
    [],
    'approvals.members',
  );

interface Asking {
  readonly slot: Slot;
  readonly mode: RuleMode;
  readonly rules: readonly string[];
}

const named = (list: readonly MemberRow[]): Mover[] => list.map(({ id, name }) => ({ id, name }));

const slotView = (
  { slot, mode, rules }: Asking,
  decisions: readonly Counted[],
  able: readonly MemberRow[],
): RequirementView => {
  const missing = missingOf(slot, decisions);
  const role = slot.roles.join(' or ');
  const given = slot.quorum - missing;
  const state = missing === 0 ? 'PASS' : 'WAITING';
  const who = able.filter((person) => slot.roles.some((one) => person.roles.includes(one)));
  const message = `${String(given)} of ${String(slot.quorum)} approvals by ${role}`;
  return {
    ...check(`approvals.${slot.roles.join('|')}`, state, message),
    mode,
    policyRules: rules,
    askedRoles: slot.roles,
    people: missing === 0 ? [] : named(who),
  };
};

const changesRequested = (
  decisions: readonly Counted[],
  members: readonly MemberRow[],
): RequirementView[] => {
  const asking = decisions.filter((one) => one.verdict === 'REQUEST_CHANGES').map((one) => one.by);
  if (asking.length === 0) return [];
  const message = 'Somebody asked for changes: they take it back, or what they saw changes';
  const people = named(members.filter((one) => asking.includes(one.id)));
  return [{ ...check('changes-requested', 'WAITING', message), askedRoles: [], people }];
};

/** Slots that must be filled, then those that only warn. */
const askingOf = ({ demands }: Situation): Asking[] => {
  const enforced = demands.rules.filter((one) => one.mode === 'ENFORCE').map((one) => one.name);
  return [
    ...demands.slots.map((slot) => ({ slot, mode: 'ENFORCE' as const, rules: enforced })),
    ...demands.advised.map((slot) => ({ slot, mode: slot.mode, rules: slot.rules })),
  ];
};

/** Every requirement of a change with its state and those who can move it. `requester` can never approve. */
export const requirementsOf = async (
  db: ReadDb,
  situation: Situation,
  decisions: readonly Counted[],
  requester: string | null,
): Promise<RequirementView[]> => {
  const members = await membersOf(db);
  const out = new Set([...situation.lineage, ...situation.barred.keys(), ...decisions.map((one) => one.by)]);
  const able = members.filter((one) => one.id !== requester && !out.has(one.id));
  const waits = waitChecks(situation, decisions, quorumMet(situation.demands.slots, decisions));
  return [
    ...[...situation.checks, ...waits].map((one) => ({ ...one, askedRoles: [], people: [] })),
    ...askingOf(situation).map((asking) => slotView(asking, decisions, able)),
    ...changesRequested(decisions, members),
  ];
};
