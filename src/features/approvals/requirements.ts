import type { ReadDb } from '../../kernel/db.js';
import { missingOf, type Counted } from './decide-rules.js';
import type { Slot } from './policy-document.js';
import type { Check, Situation } from './situation.js';

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
  );

const slotView = (slot: Slot, decisions: readonly Counted[], able: readonly MemberRow[]): RequirementView => {
  const missing = missingOf(slot, decisions);
  const role = slot.roles.join(' or ');
  const given = slot.quorum - missing;
  return {
    rule: `approvals.${slot.roles.join('|')}`,
    state: missing === 0 ? 'PASS' : 'WAITING',
    message: `${String(given)} of ${String(slot.quorum)} approvals by ${role}`,
    evidenceId: null,
    permission: null,
    askedRoles: slot.roles,
    people:
      missing === 0
        ? []
        : able
            .filter((person) => slot.roles.some((one) => person.roles.includes(one)))
            .map(({ id, name }) => ({ id, name })),
  };
};

const changesRequested = (
  decisions: readonly Counted[],
  members: readonly MemberRow[],
): RequirementView[] => {
  const asking = decisions.filter((one) => one.verdict === 'REQUEST_CHANGES').map((one) => one.by);
  if (asking.length === 0) return [];
  return [
    {
      rule: 'changes-requested',
      state: 'WAITING',
      message: 'Somebody asked for changes: they take it back, or what they saw changes',
      evidenceId: null,
      permission: null,
      askedRoles: [],
      people: members.filter((one) => asking.includes(one.id)).map(({ id, name }) => ({ id, name })),
    },
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
  return [
    ...situation.checks.map((one) => ({ ...one, askedRoles: [], people: [] })),
    ...situation.demands.slots.map((slot) => slotView(slot, decisions, able)),
    ...changesRequested(decisions, members),
  ];
};
