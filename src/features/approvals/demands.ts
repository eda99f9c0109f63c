import type { CheckName } from '../checks/index.js';
import type { EvidenceKind } from '../evaluations/index.js';
import { matchesPattern } from '../registry/index.js';
import type { RiskTier } from '../usecases/index.js';
import {
  approvingRole,
  environmentOf,
  type ApprovingRole,
  type Ask,
  type Execution,
  type PolicyDocument,
  type Rule,
  type RuleMode,
  type StaleEffect,
} from './policy-document.js';

/** Approvals that must be given by so many people who hold one of the roles. */
export interface Slot {
  readonly roles: readonly ApprovingRole[];
  readonly quorum: number;
  /** Given only when all slots of earlier steps are full. */
  readonly step: number;
}

/** Something that rules ask for, in the strictest mode of those that do. */
export interface Asked<Item> {
  readonly item: Item;
  readonly mode: RuleMode;
  readonly rules: readonly string[];
}

/** A slot that stands in nobody's way. */
export interface AdvisedSlot extends Slot {
  readonly mode: Exclude<RuleMode, 'ENFORCE'>;
  readonly rules: readonly string[];
}

/** Everything that the rules ask for one change. */
export interface Demands {
  readonly rules: readonly { readonly name: string; readonly mode: RuleMode }[];
  readonly evidence: readonly Asked<EvidenceKind>[];
  /** Evidence that must have been computed here. */
  readonly computed: readonly Asked<EvidenceKind>[];
  readonly checks: readonly Asked<CheckName>[];
  /** Checks that may rest only on what was computed here. */
  readonly computedChecks: readonly Asked<CheckName>[];
  readonly cardFields: readonly Asked<string>[];
  readonly excluded: readonly 'use-case-owner'[];
  /** The approvals without which nothing moves. */
  readonly slots: readonly Slot[];
  readonly advised: readonly AdvisedSlot[];
  readonly overdueFindings: Asked<'findings-overdue'> | null;
  readonly waits: { readonly afterRequestMinutes: number; readonly afterApprovalMinutes: number };
  readonly freshSignInMinutes: number | null;
  readonly whenStale: StaleEffect;
  readonly execution: Execution;
  readonly expireAfterDays: number;
}

const strength: Readonly<Record<RuleMode, number>> = { OBSERVE: 0, WARN: 1, ENFORCE: 2 };

const strictest = (rules: readonly Rule[]): RuleMode =>
  rules.map((one) => one.mode).reduce((a, b) => (strength[a] >= strength[b] ? a : b), 'OBSERVE');

/** What some rules ask for, each thing once, in the order in which the rules name it. */
const gather = <Item>(rules: readonly Rule[], itemsOf: (rule: Rule) => readonly Item[]): Asked<Item>[] => {
  const items = [...new Set(rules.flatMap(itemsOf))];
  return items.map((item) => {
    const asking = rules.filter((one) => itemsOf(one).includes(item));
    return { item, mode: strictest(asking), rules: asking.map((one) => one.name) };
  });
};

/** Approvals asked of the same roles are one slot: the larger quorum, the later step. */
const merge = (list: readonly Ask[]): Slot[] => {
  const groups = Map.groupBy(list, (one) => [...one.anyOf].sort().join('|'));
  return [...groups.values()].map((group) => ({
    roles: group[0]?.anyOf ?? [],
    quorum: Math.max(...group.map((one) => one.quorum)),
    step: Math.max(...group.map((one) => one.step)),
  }));
};

const inMode = (rules: readonly Rule[], mode: RuleMode): Rule[] => rules.filter((one) => one.mode === mode);

/** What is protected asks for one independent person at least, whatever the modes of its rules. */
const floor: Slot = { roles: approvingRole.options, quorum: 1, step: 1 };

const bindingSlots = (enforced: readonly Rule[]): Slot[] => {
  const slots = merge(enforced.flatMap((one) => one.approvals));
  return slots.length > 0 ? slots : [floor];
};

const advisedSlots = (rules: readonly Rule[]): AdvisedSlot[] =>
  (['WARN', 'OBSERVE'] as const).flatMap((mode) => {
    const asking = inMode(rules, mode).filter((one) => one.approvals.length > 0);
    const named = asking.map((one) => one.name);
    return merge(asking.flatMap((one) => one.approvals)).map((slot) => ({ ...slot, mode, rules: named }));
  });

const effects: readonly StaleEffect[] = ['CONTINUE', 'REFER_ALL', 'STOP'];

const smallest = (values: readonly (number | null)[]): number | null => {
  const numbers = values.filter((one) => one !== null);
  return numbers.length === 0 ? null : Math.min(...numbers);
};

/** What the rules in force ask beyond requirements: only those that are enforced have a say in it. */
const terms = (
  document: PolicyDocument,
  enforced: readonly Rule[],
): Pick<Demands, 'waits' | 'freshSignInMinutes' | 'whenStale' | 'execution' | 'expireAfterDays'> => ({
  waits: {
    afterRequestMinutes: Math.max(0, ...enforced.map((one) => one.waits.afterRequestMinutes)),
    afterApprovalMinutes: Math.max(0, ...enforced.map((one) => one.waits.afterApprovalMinutes)),
  },
  freshSignInMinutes: smallest(enforced.map((one) => one.freshSignInMinutes)),
  whenStale: effects[Math.max(0, ...enforced.map((one) => effects.indexOf(one.whenStale)))] ?? 'CONTINUE',
  execution: enforced.some((one) => one.execution === 'BY_CALLER') ? 'BY_CALLER' : 'ON_APPROVAL',
  expireAfterDays: smallest([document.expireAfterDays, ...enforced.map((one) => one.expireAfterDays)]) ?? 1,
});

/** Which move is looked at. */
export interface Move {
  readonly alias: string;
  readonly tier: RiskTier;
  /** The short name of the use case. */
  readonly useCase: string;
}

const matching = (document: PolicyDocument, { alias, tier, useCase }: Move): Rule[] => {
  const environment = environmentOf(document, alias);
  return document.rules.filter(
    (one) =>
      one.riskTiers.includes(tier) &&
      matchesPattern(alias, one.alias) &&
      one.useCases.some((name) => matchesPattern(useCase, name)) &&
      one.environments.some((name) => matchesPattern(environment, name)),
  );
};

/**
 * What moving an alias needs: all matching rules together, the stricter where two ask for the same; null when none
 * matches. A name that leaves another use needs what that use asks for as well: else it would move by the rules of
 * whatever use asks for least.
 */
export const demandsOfAlias = (
  document: PolicyDocument,
  move: Move,
  leaves: Pick<Move, 'tier' | 'useCase'> | null = null,
): Demands | null => {
  const own = matching(document, move);
  if (own.length === 0) return null;
  const left = leaves === null ? [] : matching(document, { ...move, ...leaves });
  const rules = document.rules.filter((one) => own.includes(one) || left.includes(one));
  const enforced = inMode(rules, 'ENFORCE');
  const [overdue] = gather(rules, (one) =>
    one.overdueFindings === 'BLOCK' ? (['findings-overdue'] as const) : [],
  );
  return {
    rules: rules.map(({ name, mode }) => ({ name, mode })),
    evidence: gather(rules, (one) => one.evidence),
    computed: gather(rules, (one) => (one.provenance === 'COMPUTED' ? one.evidence : [])),
    checks: gather(rules, (one) => one.checks),
    computedChecks: gather(rules, (one) => (one.provenance === 'COMPUTED' ? one.checks : [])),
    cardFields: gather(rules, (one) => one.cardFields),
    excluded: [...new Set(enforced.flatMap((one) => one.excluded))],
    slots: bindingSlots(enforced),
    advised: advisedSlots(rules),
    overdueFindings: overdue ?? null,
    ...terms(document, enforced),
  };
};

/** Asks for nothing, so nobody can fulfil it: no rule is no permission. */
export const noDemands = (document: PolicyDocument): Demands => ({
  rules: [],
  evidence: [],
  computed: [],
  checks: [],
  computedChecks: [],
  cardFields: [],
  excluded: [],
  slots: [],
  advised: [],
  overdueFindings: null,
  ...terms(document, []),
});

const onlyApprovals = (document: PolicyDocument, name: string, list: readonly Ask[]): Demands => ({
  ...noDemands(document),
  rules: [{ name, mode: 'ENFORCE' }],
  slots: merge(list),
});

/** What changing the policy needs. */
export const demandsOfPolicyChange = (document: PolicyDocument): Demands =>
  onlyApprovals(document, 'policyChange', document.policyChange.approvals);

/** What changing the tier of a use case needs: its own rule of the policy, or that for changing the policy. */
export const demandsOfTierChange = (document: PolicyDocument): Demands => {
  const rule = document.riskTierChange ?? { ...document.policyChange, excluded: [] };
  return { ...onlyApprovals(document, 'riskTierChange', rule.approvals), excluded: rule.excluded };
};

/** What resuming an endpoint needs. */
export const demandsOfResume = (document: PolicyDocument): Demands =>
  onlyApprovals(document, 'endpointResume', document.endpointResume.approvals);
