import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { canonicalBytes } from '../../kernel/audit.js';
import { installationRoot } from '../../kernel/root.js';
import { riskTier } from '../usecases/index.js';

const shortId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'must be letters, digits and dashes');
const sentence = z.string().min(1).max(300);
const score = z.int().min(0).max(4);

const unique = (list: readonly { readonly id: string }[]): boolean =>
  new Set(list.map((one) => one.id)).size === list.length;

const answer = z.strictObject({
  id: shortId.refine((id) => id !== unknownAnswer, 'is kept for what nobody knows'),
  label: sentence,
  score,
  reason: sentence,
  /** The tier is never below this one, whatever else is answered or done. */
  atLeast: riskTier.optional(),
  /** The article that prohibits it. */
  prohibited: sentence.optional(),
});

const question = z.strictObject({
  id: shortId,
  section: sentence,
  text: sentence,
  help: sentence.default(''),
  weight: z.int().min(1).max(5),
  /** Whether several answers may apply; the highest score counts. */
  multiple: z.boolean().default(false),
  answers: z.array(answer).min(2).max(30).refine(unique, 'names an answer twice'),
});

const mitigation = z.strictObject({
  id: shortId,
  label: sentence,
  lowers: z.record(shortId, z.int().min(1).max(4)),
});

const file = z
  .strictObject({
    schema: z.literal('countersign.risk-questionnaire/1'),
    version: z.int().min(1),
    title: sentence,
    tiers: z.strictObject({ MEDIUM: z.number().gt(0), HIGH: z.number().lt(100) }),
    questions: z.array(question).min(1).max(50).refine(unique, 'names a question twice'),
    mitigations: z.array(mitigation).max(50).refine(unique, 'names a mitigation twice'),
  })
  .refine(({ tiers }) => tiers.MEDIUM < tiers.HIGH, 'has its tiers the wrong way round')
  .refine(
    ({ questions, mitigations }) =>
      mitigations.every((one) =>
        Object.keys(one.lowers).every((id) => questions.some((asked) => asked.id === id)),
      ),
    'lowers a question that is not asked',
  );

/** What every question takes besides its own answers: nobody knows. It counts like the worst of them. */
export const unknownAnswer = 'unknown';

/** What is asked about a use case. */
export type Questionnaire = z.output<typeof file>;

/** One question of it. */
export type Question = Questionnaire['questions'][number];

/** One answer to choose. */
export type Answer = Question['answers'][number];

/** The questionnaire of this installation, with its digest. */
export interface KnownQuestionnaire {
  readonly document: Questionnaire;
  readonly sha256: string;
}

/** Reads a questionnaire; refuses what contradicts itself. */
export const readQuestionnaire = (text: string): KnownQuestionnaire => {
  const document = file.parse(parse(text));
  return { document, sha256: createHash('sha256').update(canonicalBytes(document)).digest('hex') };
};

let known: KnownQuestionnaire | undefined;

/** The questionnaire in `policies/risk.yaml`; the file is read once. */
export const questionnaire = (): KnownQuestionnaire => {
  known ??= readQuestionnaire(readFileSync(join(installationRoot, 'policies', 'risk.yaml'), 'utf8'));
  return known;
};
