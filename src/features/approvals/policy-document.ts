import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { checkName } from '../checks/index.js';
import { evidenceKind } from '../evaluations/index.js';
import { matchesPattern } from '../registry/index.js';
import { riskTier, type RiskTier } from '../usecases/index.js';

/** Roles that can be asked for an approval; machines and administrators of the installation are none of them. */
export const approvingRole = z.enum(['engineer', 'validator', 'compliance', 'reviewer', 'owner']);

/** One role of the closed list. */
export type ApprovingRole = z.output<typeof approvingRole>;

/** What a rule that does not hold does: it is only noted, it warns, it stands in the way. */
export const ruleMode = z.enum(['OBSERVE', 'WARN', 'ENFORCE']).meta({ id: 'RuleMode' });

/** One mode of the closed list. */
export type RuleMode = z.output<typeof ruleMode>;

/** What an endpoint does once the evidence of what it serves is stale; approved together with the change. */
export const staleEffect = z.enum(['CONTINUE', 'REFER_ALL', 'STOP']).meta({ id: 'StaleEffect' });

/** One effect of the closed list. */
export type StaleEffect = z.output<typeof staleEffect>;

/** Whether the last approval carries the change out, or the caller repeats it. */
export const execution = z.enum(['ON_APPROVAL', 'BY_CALLER']).meta({ id: 'ChangeExecution' });

/** One way of the closed list. */
export type Execution = z.output<typeof execution>;

const pattern = z.string().trim().min(1).max(200);

const onlyOne = 'must name either a role or several of which any will do (anyOf)';

const ask = z
  .strictObject({
    role: approvingRole.optional(),
    anyOf: z.array(approvingRole).min(1).max(5).optional(),
    quorum: z.int().min(1).max(10),
    /** What has a later step is asked for when all earlier ones are given. */
    step: z.int().min(1).max(5).default(1),
  })
  .refine(({ role, anyOf }) => (role === undefined) !== (anyOf === undefined), onlyOne)
  .transform(({ role, anyOf, quorum, step }) => ({
    anyOf: [...new Set(role === undefined ? (anyOf ?? []) : [role])],
    quorum,
    step,
  }));

/** An approval that a rule asks for. */
export type Ask = z.output<typeof ask>;

const keyOf = (one: Ask): string => [...one.anyOf].sort().join('|');

const asks = z
  .array(ask)
  .max(5)
  .refine(
    (list) => new Set(list.map(keyOf)).size === list.length,
    'names a role twice; raise its quorum instead',
  );

const someAsks = asks.refine((list) => list.length > 0, 'must ask for an approval');

const unique = <Item extends z.ZodType>(item: Item, most: number) =>
  z
    .array(item)
    .max(most)
    .default([])
    .transform((list) => [...new Set(list)]);

/** What happens that makes evidence stale, where a policy asks for it. */
export const stalingEvent = z.enum(['NEW_DATA_VERSION', 'REVOKED_MEMBER']);

/** One event of the closed list. */
export type StalingEvent = z.output<typeof stalingEvent>;

const excludedPeople = unique(z.enum(['use-case-owner']), 1);

const rule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes'),
  mode: ruleMode,
  alias: pattern,
  riskTiers: z.array(riskTier).min(1).max(3),
  /** Patterns of short names of use cases. */
  useCases: z.array(pattern).min(1).max(50).default(['*']),
  environments: z.array(pattern).min(1).max(20).default(['*']),
  evidence: unique(evidenceKind, 4),
  /** COMPUTED: evidence that somebody sent from elsewhere does not do. */
  provenance: z.enum(['ANY', 'COMPUTED']).default('ANY'),
  checks: unique(checkName, 20),
  approvals: asks.default([]),
  cardFields: unique(z.string().min(1).max(64), 50),
  /** More people who may not approve, beside those whom no policy can let in. */
  excluded: excludedPeople,
  overdueFindings: z.enum(['BLOCK', 'IGNORE']).default('BLOCK'),
  waits: z
    .strictObject({
      afterRequestMinutes: z.int().min(0).max(129_600).default(0),
      afterApprovalMinutes: z.int().min(0).max(129_600).default(0),
    })
    .default({ afterRequestMinutes: 0, afterApprovalMinutes: 0 }),
  /** Who approves must have signed in no longer ago. */
  freshSignInMinutes: z.int().min(1).max(1440).nullable().default(null),
  whenStale: staleEffect.default('CONTINUE'),
  execution: execution.default('ON_APPROVAL'),
  expireAfterDays: z.int().min(1).max(365).nullable().default(null),
});

/** One rule of a policy. */
export type Rule = z.output<typeof rule>;

const environment = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes'),
  aliases: z.array(pattern).min(1).max(20),
});

const second = z
  .strictObject({
    schema: z.literal('countersign.approval-policy/2'),
    protectedAliases: z.array(pattern).min(1).max(20),
    /** Which environment an alias serves: the first that names it. */
    environments: z.array(environment).max(20).default([]),
    expireAfterDays: z.int().min(1).max(365),
    /** The tiers in which an approval may be given in Slack; left out: the lowest only. */
    slackApproval: z.array(riskTier).max(3).optional(),
    breakGlass: z
      .strictObject({ reviewWithinHours: z.int().min(1).max(720) })
      .default({ reviewWithinHours: 72 }),
    /** Left out: evidence is stale by its date, and when somebody says so (`invalidateEvidence`). */
    evidence: z.strictObject({ staleOn: unique(stalingEvent, stalingEvent.options.length) }).optional(),
    delegation: z.strictObject({ maxDays: z.int().min(1).max(365) }).default({ maxDays: 30 }),
    rules: z
      .array(rule)
      .min(1)
      .max(50)
      .refine((list) => new Set(list.map((one) => one.name)).size === list.length, 'names a rule twice'),
    policyChange: z.strictObject({ approvals: someAsks }),
    /** Changing the risk tier of a use case; missing in a policy of before, and then as `policyChange`. */
    riskTierChange: z.strictObject({ approvals: someAsks, excluded: excludedPeople }).optional(),
    endpointResume: z.strictObject({ approvals: someAsks }),
  })
  .superRefine((document, context) => {
    for (const [index, alias] of document.protectedAliases.entries()) {
      const open = riskTier.options.filter((tier) => !isCovered(document, alias, tier));
      if (open.length === 0) continue;
      const message = `has no rule for the risk tiers ${open.join(', ')}: what is protected must be approvable`;
      context.addIssue({ code: 'custom', path: ['protectedAliases', index], message });
    }
  });

const first = 'countersign.approval-policy/1';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first version knew one mode and no environments; else its words are those of the second. */
const upgrade = (raw: unknown): unknown => {
  if (!isObject(raw) || raw['schema'] !== first) return raw;
  const rules: unknown = Array.isArray(raw['rules'])
    ? raw['rules'].map((one: unknown) => (isObject(one) ? { ...one, mode: 'ENFORCE' } : one))
    : raw['rules'];
  return { ...raw, schema: 'countersign.approval-policy/2', rules };
};

/** The rules of a workspace, as written in a file or proposed; documents of the first version are read as well. */
export const policyDocument = z.preprocess(upgrade, second);

/** The rules of a workspace. */
export type PolicyDocument = z.output<typeof second>;

/** The environment that an alias serves. */
export const environmentOf = (document: Pick<PolicyDocument, 'environments'>, alias: string): string =>
  document.environments.find((one) => one.aliases.some((name) => matchesPattern(alias, name)))?.name ??
  'unassigned';

/** Whether any use case finds a rule; what is only for some use cases covers nobody else. */
const isCovered = (
  document: Pick<PolicyDocument, 'environments' | 'rules'>,
  alias: string,
  tier: RiskTier,
): boolean =>
  document.rules.some(
    (one) =>
      one.riskTiers.includes(tier) &&
      matchesPattern(alias, one.alias) &&
      one.useCases.includes('*') &&
      one.environments.some((name) => matchesPattern(environmentOf(document, alias), name)),
  );

/** sha256 of a document in canonical form (RFC 8785). */
export const sha256Of = (document: unknown): string =>
  createHash('sha256').update(canonicalBytes(document)).digest('hex');
