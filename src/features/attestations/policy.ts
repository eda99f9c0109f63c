import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { installationRoot } from '../../kernel/root.js';

const days = z.int().min(1).max(3660);

const policySchema = z.strictObject({
  schema: z.literal('countersign.attestation-policy/1'),
  validityDays: days,
  revocationListHours: z.int().min(1).max(720),
  listedDaysAfterEnd: days,
  runtimes: z.strictObject({
    silentAfterMinutes: z.int().min(1).max(10_080),
    findingDueDays: days,
    history: z.int().min(1).max(1000),
    most: z.int().min(1).max(1_000_000),
    forgetAfterDays: days,
  }),
});

let known: z.output<typeof policySchema> | undefined;

/** How long what is signed holds, from `policies/attestations.yaml`. */
export const attestationPolicy = (): z.output<typeof policySchema> => {
  known ??= policySchema.parse(
    parse(readFileSync(join(installationRoot, 'policies', 'attestations.yaml'), 'utf8')),
  );
  return known;
};

export const dayMs = 86_400_000;
