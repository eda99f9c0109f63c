import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { installationRoot } from '../../kernel/root.js';

/** What the pipeline may choose; it never denies. */
export const actions = ['ACCEPT_STATED_INCOME', 'ASK_FOR_DOCUMENTS', 'REFER'] as const;

/** An action of the pipeline. */
export const decisionAction = z.enum(actions).meta({ id: 'DecisionAction' });

/** One action of the closed list. */
export type DecisionAction = z.output<typeof decisionAction>;

const share = z.number().min(0).max(1);

const rule = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/),
    field: z.string().min(1),
    above: z.number().optional(),
    below: z.number().optional(),
    is: z.string().optional(),
    why: z.string().min(1).max(300),
  })
  .refine((one) => [one.above, one.below, one.is].filter((value) => value !== undefined).length === 1, {
    message: 'needs exactly one of above, below, is',
  });

/** A rule of the business that sends a case to a person. */
export type BusinessRule = z.output<typeof rule>;

const counterfactualInput = z.strictObject({
  change: z.enum(['increase', 'decrease', 'any']),
  allowed: z.array(z.number()).min(1).max(100),
  scale: z.number().positive(),
});

const theta = z.tuple([z.number(), z.number()]);

const decisionPolicy = z
  .strictObject({
    schema: z.literal('countersign.decision-policy/1'),
    version: z.string().min(1),
    constraints: z.strictObject({
      lowMargin: share,
      disagreement: share,
      mostUnknown: z.int().min(0),
      runtimeGap: z.number().positive(),
    }),
    rules: z.array(rule).max(100),
    bandit: z.strictObject({
      parameters: z.string().min(1),
      theta: z.record(decisionAction, theta),
      adverse: z.array(decisionAction),
      exploration: z.number().min(0).max(0.2),
    }),
    explanation: z.strictObject({
      backgroundRows: z.int().min(25).max(1000),
      least: share,
      reasons: z.int().min(1).max(10),
      mostCharacters: z.int().min(80).max(5000),
      counterfactuals: z.strictObject({
        limit: z.int().min(0).max(5),
        budget: z.int().min(1).max(20_000),
        inputs: z.record(z.string(), counterfactualInput),
      }),
    }),
    review: z.strictObject({ mostIterations: z.int().min(0).max(2), dueHours: z.number().positive() }),
  })
  .refine(({ bandit }) => bandit.adverse.length > 0 || bandit.exploration === 0, {
    message: 'exploration needs a list of adverse actions',
    path: ['bandit', 'adverse'],
  });

/** Thresholds, rules and parameters of the pipeline. */
export type DecisionPolicy = z.output<typeof decisionPolicy>;

/** A policy with its digest, as a decision records it. */
export interface PolicyInForce {
  readonly policy: DecisionPolicy;
  readonly sha256: string;
}

const inForce = (document: unknown): PolicyInForce => {
  const policy = decisionPolicy.parse(document);
  return { policy, sha256: createHash('sha256').update(canonicalBytes(policy)).digest('hex') };
};

let installed: PolicyInForce | undefined;

/**
 * The policy of the installation, from `policies/decisions.yaml`. Endpoints cannot change it: what decides about people
 * is changed where it is reviewed, and its digest stands in every decision. Throws what zod throws.
 */
export const installedPolicy = (): PolicyInForce => {
  installed ??= policyOf(readFileSync(join(installationRoot, 'policies', 'decisions.yaml'), 'utf8'));
  return installed;
};

/** A policy document (YAML), checked. Throws what zod throws. */
export const policyOf = (document: string): PolicyInForce => inForce(parse(document));
