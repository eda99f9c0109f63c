import type { Verdict } from './approval.entity.js';
import type { ChangeState } from './change-request.entity.js';
import { missingOf, type Counted } from './decide-rules.js';
import { demandsOfAlias, type Asked, type Demands, type Slot } from './demands.js';
import { isVerdict } from './manifest.js';
import type { PolicyDocument } from './policy-document.js';
import { riskTier } from '../usecases/index.js';

/** A request of the past, with what its manifest said when it ended. */
export interface PastRequest {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly alias: string;
  readonly useCase: string;
  readonly state: ChangeState;
  readonly requestedByName: string | null;
  readonly createdAt: Date;
  /** When it was decided; this moment while it is open. */
  readonly endedAt: Date;
  readonly entries: Readonly<Record<string, unknown>>;
  readonly overdueFindings: boolean;
  readonly decisions: readonly PastDecision[];
}

/** A decision that counted when the request ended. */
export interface PastDecision {
  readonly verdict: Verdict;
  readonly role: Counted['role'];
  readonly by: string;
  readonly at: Date;
}

/** What a rule says of the past: it held, it did not, or the past does not tell. */
interface Held {
  readonly rule: string;
  readonly holds: boolean | null;
}

/** What would have become of a request. */
export interface Replayed {
  readonly outcome: 'ALLOWED' | 'REFUSED' | 'UNKNOWN';
  /** The rules that would have stood in the way, or of which the past does not tell. */
  readonly failing: readonly string[];
}

const enforced = <Item>(list: readonly Asked<Item>[]): Item[] =>
  list.filter((one) => one.mode === 'ENFORCE').map((one) => one.item);

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? (Object.entries(value).find(([key]) => key === name)?.[1] as unknown)
    : undefined;

const passed = (entry: unknown): boolean | null => (isVerdict(entry) ? entry.verdict === 'PASS' : null);

const computedHere = (entry: unknown): boolean | null => {
  const provenance = field(entry, 'provenance');
  return typeof provenance === 'string' ? provenance === 'COMPUTED' : null;
};

/** Which evidence a check rested on was not written down: where all was computed here, that of the check was. */
const allComputed = ({ entries }: PastRequest): boolean | null => {
  const told = Object.entries(entries).filter(([name]) => name.startsWith('evidence.'));
  return told.every(([, entry]) => computedHere(entry) === true) ? true : null;
};

const known = (entry: unknown): boolean | null => {
  const source = field(entry, 'source');
  return typeof source === 'string' ? source !== 'UNKNOWN' : null;
};

const checksHeld = (past: PastRequest, demands: Demands): Held[] => {
  const { entries, overdueFindings } = past;
  return [
    ...enforced(demands.evidence).map((kind) => ({
      rule: `evidence.${kind}`,
      holds: passed(entries[`evidence.${kind}`]) ?? false,
    })),
    ...enforced(demands.computed).map((kind) => ({
      rule: `provenance.${kind}`,
      holds: computedHere(entries[`evidence.${kind}`]),
    })),
    ...enforced(demands.cardFields).map((name) => ({
      rule: `card.${name}`,
      holds: known(entries[`card.${name}`]),
    })),
    ...enforced(demands.checks).map((name) => ({
      rule: `check.${name}`,
      holds: passed(entries[`check.${name}`]),
    })),
    ...enforced(demands.computedChecks).map((name) => ({
      rule: `provenance.${name}`,
      holds: allComputed(past),
    })),
    ...(demands.overdueFindings?.mode === 'ENFORCE'
      ? [{ rule: 'findings-overdue', holds: !overdueFindings }]
      : []),
  ];
};

/** Approvals in the order in which they came; one of a later step counts only after the earlier ones. */
const countedBy = (slots: readonly Slot[], decisions: readonly PastDecision[]): PastDecision[] => {
  const counted: PastDecision[] = [];
  for (const one of decisions.filter((decision) => decision.verdict === 'APPROVE')) {
    const step = Math.min(...slots.filter((slot) => missingOf(slot, counted) > 0).map((slot) => slot.step));
    const fits = slots.some((slot) => slot.step <= step && slot.roles.some((role) => role === one.role));
    if (fits) counted.push(one);
  }
  return counted;
};

const minuteMs = 60_000;

const approvalsHeld = (past: PastRequest, demands: Demands): Held[] => {
  const owner = demands.excluded.includes('use-case-owner') ? past.entries['useCase.owner'] : undefined;
  const counted = countedBy(
    demands.slots,
    past.decisions.filter((one) => one.by !== owner),
  );
  const last = Math.max(...counted.map((one) => one.at.getTime()), past.createdAt.getTime());
  const { afterRequestMinutes, afterApprovalMinutes } = demands.waits;
  const ended = past.endedAt.getTime();
  return [
    ...demands.slots.map((slot) => ({
      rule: `approvals.${slot.roles.join('|')}`,
      holds: missingOf(slot, counted) === 0,
    })),
    { rule: 'wait.request', holds: ended - past.createdAt.getTime() >= afterRequestMinutes * minuteMs },
    { rule: 'wait.approval', holds: ended - last >= afterApprovalMinutes * minuteMs },
    { rule: 'changes-requested', holds: past.decisions.every((one) => one.verdict === 'APPROVE') },
  ];
};

/** What would have become of a request under other rules, as far as what was written down then tells. */
export const replay = (document: PolicyDocument, past: PastRequest): Replayed => {
  const tier = riskTier.safeParse(past.entries['useCase.riskTier']);
  if (!tier.success) return { outcome: 'UNKNOWN', failing: ['useCase.riskTier'] };
  const demands = demandsOfAlias(document, { alias: past.alias, tier: tier.data, useCase: past.useCase });
  // What the rules no longer speak of nobody can approve.
  if (demands === null) return { outcome: 'REFUSED', failing: ['rule'] };
  const held = [...checksHeld(past, demands), ...approvalsHeld(past, demands)];
  const broken = held.filter((one) => one.holds === false).map((one) => one.rule);
  if (broken.length > 0) return { outcome: 'REFUSED', failing: broken };
  const untold = held.filter((one) => one.holds === null).map((one) => one.rule);
  return { outcome: untold.length > 0 ? 'UNKNOWN' : 'ALLOWED', failing: untold };
};
