import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { evidenceKind, type EvidenceKind } from '../evaluations/index.js';
import { matchesPattern } from '../registry/index.js';
import { riskTier, type RiskTier } from '../usecases/index.js';

/** Roles that can be asked for an approval; machines and administrators of the installation are none of them. */
export const approvingRole = z.enum(['engineer', 'validator', 'compliance', 'reviewer', 'owner']);

/** One role of the closed list. */
export type ApprovingRole = z.output<typeof approvingRole>;

const aliasPattern = z.string().trim().min(1).max(200);

const quorum = z.int().min(1).max(10);

const roleApprovals = z
  .array(z.strictObject({ role: approvingRole, quorum }))
  .min(1)
  .max(5)
  .refine(
    (list) => new Set(list.map((one) => one.role)).size === list.length,
    'names a role twice; raise its quorum instead',
  );

const rule = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and dashes'),
  alias: aliasPattern,
  riskTiers: z.array(riskTier).min(1).max(3),
  evidence: z.array(evidenceKind).max(3),
  approvals: roleApprovals,
  cardFields: z.array(z.string().min(1).max(64)).max(50),
  /** More people who may not approve, beside those whom no policy can let in. */
  excluded: z
    .array(z.enum(['use-case-owner']))
    .max(1)
    .default([]),
});

/** The rules of a workspace, as written in a file or proposed. */
export const policyDocument = z
  .strictObject({
    schema: z.literal('countersign.approval-policy/1'),
    protectedAliases: z.array(aliasPattern).min(1).max(20),
    expireAfterDays: z.int().min(1).max(365),
    /** The tiers in which an approval may be given in Slack; left out: the lowest only. */
    slackApproval: z.array(riskTier).max(3).optional(),
    rules: z.array(rule).min(1).max(50),
    policyChange: z.strictObject({ approvals: roleApprovals }),
    endpointResume: z.strictObject({
      approvals: z.array(z.strictObject({ anyOf: z.array(approvingRole).min(1).max(5), quorum })).length(1),
    }),
  })
  .superRefine((document, context) => {
    for (const [index, pattern] of document.protectedAliases.entries()) {
      const open = riskTier.options.filter((tier) => !coversPattern(document.rules, pattern, tier));
      if (open.length === 0) continue;
      const message = `has no rule for the risk tiers ${open.join(', ')}: what is protected must be approvable`;
      context.addIssue({ code: 'custom', path: ['protectedAliases', index], message });
    }
  });

/** The rules of a workspace. */
export type PolicyDocument = z.output<typeof policyDocument>;

type Rule = PolicyDocument['rules'][number];

const coversPattern = (rules: readonly Rule[], pattern: string, tier: RiskTier): boolean =>
  rules.some((one) => one.riskTiers.includes(tier) && matchesPattern(pattern, one.alias));

/** Approvals that must be given by so many people who hold one of the roles. */
export interface Slot {
  readonly roles: readonly ApprovingRole[];
  readonly quorum: number;
}

/** Everything that the rules ask for one change. */
export interface Demands {
  readonly rules: readonly string[];
  readonly evidence: readonly EvidenceKind[];
  readonly cardFields: readonly string[];
  readonly excluded: readonly 'use-case-owner'[];
  readonly slots: readonly Slot[];
}

const union = <Item>(lists: readonly (readonly Item[])[]): Item[] => [...new Set(lists.flat())];

/** What moving an alias in a use case of this tier needs: all matching rules together; null when none matches. */
export const demandsOfAlias = (document: PolicyDocument, alias: string, tier: RiskTier): Demands | null => {
  const rules = document.rules.filter(
    (one) => matchesPattern(alias, one.alias) && one.riskTiers.includes(tier),
  );
  if (rules.length === 0) return null;
  const asked = rules.flatMap((one) => one.approvals);
  const slots = union([asked.map((one) => one.role)]).map((role) => ({
    roles: [role],
    quorum: Math.max(...asked.filter((one) => one.role === role).map((one) => one.quorum)),
  }));
  return {
    rules: rules.map((one) => one.name),
    evidence: union(rules.map((one) => one.evidence)),
    cardFields: union(rules.map((one) => one.cardFields)),
    excluded: union(rules.map((one) => one.excluded)),
    slots,
  };
};

const onlyApprovals = (name: string, slots: readonly Slot[]): Demands => ({
  rules: [name],
  evidence: [],
  cardFields: [],
  excluded: [],
  slots,
});

/** What changing the policy needs. */
export const demandsOfPolicyChange = (document: PolicyDocument): Demands =>
  onlyApprovals(
    'policyChange',
    document.policyChange.approvals.map((one) => ({ roles: [one.role], quorum: one.quorum })),
  );

/** What resuming an endpoint needs. */
export const demandsOfResume = (document: PolicyDocument): Demands =>
  onlyApprovals(
    'endpointResume',
    document.endpointResume.approvals.map((one) => ({ roles: one.anyOf, quorum: one.quorum })),
  );

/** sha256 of a document in canonical form (RFC 8785). */
export const sha256Of = (document: unknown): string =>
  createHash('sha256').update(canonicalBytes(document)).digest('hex');
