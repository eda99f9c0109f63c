import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { installationRoot } from '../../kernel/root.js';

const limit = {
  figure: z.string().min(1).max(200),
  mode: z.enum(['ENFORCE', 'WARN']),
  why: z.string().min(1).max(1000),
};

const check = z.union([
  z.strictObject({ ...limit, atLeast: z.number() }),
  z.strictObject({ ...limit, atMost: z.number() }),
]);

/** A figure and its limit. */
export type Limit = z.output<typeof check>;

const perKind = <Value extends z.ZodType>(value: Value) =>
  z.strictObject({ PERFORMANCE: value, FAIRNESS: value, ATTRIBUTION: value });

const share = z.number().gt(0).max(1);

const enforced = z
  .array(check)
  .min(1)
  .max(50)
  .refine((list) => list.some(({ mode }) => mode === 'ENFORCE'), 'needs a check that decides');

const validDays = z.int().min(1).max(730);

const evaluationPolicy = z.strictObject({
  schema: z.literal('countersign.evaluation-policy/1'),
  validDays: perKind(validDays).extend({ DRIFT: validDays }),
  seed: z.int().min(1).max(2_147_483_647),
  bins: z.int().min(2).max(50),
  attributes: z.array(z.string().min(1)).min(1).max(10),
  intersections: z.array(z.tuple([z.string(), z.string()])).max(10),
  unknown: z.array(z.string()),
  attributionSample: z.int().min(2).max(10_000),
  checks: perKind(enforced),
  /** How a baseline is frozen, and from where on a column is said to have drifted. */
  drift: z.strictObject({
    bins: z.int().min(2).max(100),
    names: z.int().min(1).max(200),
    psi: z.number().gt(0),
    level: share,
  }),
  /** Limits of evidence from predictions that were sent. */
  submitted: z.strictObject({ PERFORMANCE: enforced, FAIRNESS: enforced, DRIFT: enforced }),
});

/** What is measured, and within which limits. */
export type EvaluationPolicy = z.output<typeof evaluationPolicy>;

/** A binary classifier on tabular rows, scored here. */
export const suite = 'tabular-binary/1';

/** Predictions of a model that may be anywhere, as somebody sent them. */
export const submittedSuite = 'predictions-binary/1';

/** Reads a policy from the text of a file; the tests read others. */
export const parseEvaluationPolicy = (text: string): EvaluationPolicy => evaluationPolicy.parse(parse(text));

let known: EvaluationPolicy | undefined;

/** The policy of the installation, from `policies/evaluations.yaml`. */
export const currentEvaluationPolicy = (): EvaluationPolicy => {
  known ??= parseEvaluationPolicy(
    readFileSync(join(installationRoot, 'policies', 'evaluations.yaml'), 'utf8'),
  );
  return known;
};

const packageFile = z.object({ version: z.string() });

let engine: string | undefined;

/** The program that computed: another version may round differently, so it is part of what goes in. */
export const engineVersion = (): string => {
  engine ??= `countersign/${packageFile.parse(JSON.parse(readFileSync(join(installationRoot, 'package.json'), 'utf8'))).version}`;
  return engine;
};

/** sha256 of a value in canonical form (RFC 8785). */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalBytes(value)).digest('hex');
