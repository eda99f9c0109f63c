import { z } from 'zod';
import { defineCommand } from '../../kernel/command.js';
import type { AuditEntry } from '../../kernel/audit.js';
import type { Tx } from '../../kernel/db.js';
import { AppError, conflict, invalidInput, notFound, type FieldFault } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { UseCase, type RiskTier } from '../usecases/index.js';
import { isStricter, judgeRisk, prohibitionsOf, type Answered, type Mitigated } from './judge-risk.js';
import { questionnaire, unknownAnswer, type Questionnaire } from './questionnaire.js';
import { RiskAssessment, type RiskEffect } from './risk-assessment.entity.js';

const name = z.string().min(1).max(64);

const assessment = z.object({
  useCaseId: z.uuid(),
  answers: z
    .array(z.object({ question: name, answers: z.array(name).min(1).max(30) }))
    .min(1)
    .max(50)
    .describe('One entry per question. `unknown` is an answer to every question and counts like the worst.'),
  mitigations: z
    .array(
      z.object({
        id: name,
        how: z.string().trim().min(1).max(4000).describe('How it is done, for those who check.'),
      }),
    )
    .max(50)
    .default([]),
  note: z.string().trim().max(4000).default(''),
});

type Given = z.output<typeof assessment>;

const answerFault = (document: Questionnaire, { question: id, answers }: Answered): string | null => {
  const asked = document.questions.find((one) => one.id === id);
  if (!asked) return `${id} is not a question of the questionnaire`;
  const strange = answers.find(
    (one) => one !== unknownAnswer && !asked.answers.some((known) => known.id === one),
  );
  if (strange !== undefined) return `${strange} is not an answer to ${id}`;
  if (new Set(answers).size < answers.length) return `${id} is given an answer twice`;
  if (answers.length > 1 && !asked.multiple) return `${id} takes one answer`;
  // `none` beside something, or `unknown` beside something, contradicts itself.
  const contradicts = answers.includes(unknownAnswer) || answers.includes('none');
  return answers.length > 1 && contradicts ? `${id} is answered with a contradiction` : null;
};

const faultsOf = (document: Questionnaire, { answers, mitigations }: Given): FieldFault[] => {
  const questions = answers.map((one) => one.question);
  const done = mitigations.map((one) => one.id);
  const known = new Set(document.mitigations.map((one) => one.id));
  return [
    ...answers.flatMap((one, index) => {
      const twice = questions.indexOf(one.question) === index ? null : `${one.question} is answered twice`;
      const message = answerFault(document, one) ?? twice;
      return message === null ? [] : [{ path: `answers.${String(index)}`, message }];
    }),
    ...document.questions
      .filter((one) => !questions.includes(one.id))
      .map((one) => ({ path: 'answers', message: `${one.id} is not answered: ${one.text}` })),
    ...done.flatMap((id, index) => {
      const path = `mitigations.${String(index)}`;
      if (!known.has(id)) return [{ path, message: `${id} is not a mitigation of the questionnaire` }];
      return done.indexOf(id) === index ? [] : [{ path, message: `${id} is given twice` }];
    }),
  ];
};

const requireAnswers = (document: Questionnaire, given: Given): void => {
  const faults = faultsOf(document, given);
  if (faults.length > 0)
    throw invalidInput(`The assessment is not complete or not valid: ${faults[0]?.message ?? ''}`, faults);
};

const requirePermitted = (document: Questionnaire, answers: readonly Answered[]): void => {
  const prohibited = prohibitionsOf(document, answers);
  const [first] = prohibited;
  if (!first) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    `${first.label} is prohibited by ${first.article} of the EU AI Act: there is no tier for it, and no approval`,
    { rule: 'prohibited-practice', article: first.article, prohibited },
  );
};

/** What is kept in the order of the questionnaire, so that equal assessments are equal. */
const ordered = (
  document: Questionnaire,
  given: Given,
): { answers: Answered[]; mitigations: Mitigated[] } => ({
  answers: document.questions.map(({ id }) => {
    const chosen = given.answers.find((one) => one.question === id)?.answers ?? [];
    return { question: id, answers: chosen.toSorted() };
  }),
  mitigations: document.mitigations.flatMap(({ id }) => given.mitigations.filter((one) => one.id === id)),
});

const effectOf = (number: number, before: RiskTier, tier: RiskTier): RiskEffect => {
  if (tier === before) return 'KEPT';
  return number === 1 && isStricter(tier, before) ? 'SET' : 'NEEDS_REQUEST';
};

const lastNumber = async (tx: Tx, useCaseId: string): Promise<number> => {
  const [row] = await tx.sql<{ last: number }>(
    'select coalesce(max(number), 0) as last from risk_assessment where use_case_id = $1',
    [useCaseId],
  );
  return row?.last ?? 0;
};

/** What an assessment led to. */
export interface Assessed {
  readonly id: string;
  readonly number: number;
  readonly tier: RiskTier;
  readonly tierInForce: RiskTier;
  readonly effect: RiskEffect;
}

export const assessRisk = defineCommand({
  name: 'useCase.assessRisk',
  describe:
    'Answers the questionnaire about a use case. The first assessment may raise its tier; every other change of the tier is a change request.',
  permission: 'risk:assess',
  input: assessment,
  // Locked, so that two assessments get two numbers.
  target: async (tx, input) => {
    const found = await tx.lock(UseCase, { id: input.useCaseId });
    if (!found) throw notFound('The use case');
    return found;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const { document, sha256 } = questionnaire();
    requireAnswers(document, input);
    requirePermitted(document, input.answers);
    const { answers, mitigations } = ordered(document, input);
    const judgement = judgeRisk(document, answers, mitigations);
    const number = (await lastNumber(tx, target.id)) + 1;
    const { tier } = judgement;
    const effect = effectOf(number, target.riskTier, tier);
    const id = newId();
    await tx.insert(RiskAssessment, {
      ...judgement,
      id,
      workspaceId: target.workspaceId,
      useCaseId: target.id,
      number,
      questionnaireVersion: document.version,
      questionnaireSha256: sha256,
      answers,
      mitigations,
      note: input.note,
      tierBefore: target.riskTier,
      effect,
      assessedBy: actor.id,
      createdAt: now,
    });
    if (effect === 'SET') await tx.update(UseCase, { id: target.id }, { riskTier: tier });
    const { inherentScore, residualScore } = judgement;
    const facts = { assessmentId: id, number, tier, effect, inherentScore, residualScore };
    const moved = effect === 'SET' ? { riskTier: { from: target.riskTier, to: tier } } : {};
    return {
      result: { id, number, tier, effect, tierInForce: effect === 'SET' ? tier : target.riskTier },
      audit: [
        { subject: { kind: 'useCase', id: target.id }, changes: moved, facts },
        {
          subject: { kind: 'riskAssessment', id },
          facts: { useCaseId: target.id, answers, mitigations, questionnaireSha256: sha256 },
        },
      ],
    };
  },
});

/** A tier that was approved, and what it rests on. */
export interface ApprovedTier {
  readonly useCaseId: string;
  readonly assessmentId: string;
  readonly from: RiskTier;
  readonly changeRequestId: string;
}

/**
 * Gives a use case the tier of its current assessment, in the transaction of the approval that completes the request.
 * Looks again under the lock: what was approved must still be what is.
 */
export const setRiskTier = async (tx: Tx, approved: ApprovedTier): Promise<AuditEntry> => {
  const useCase = await tx.lock(UseCase, { id: approved.useCaseId });
  const found = await tx.findOne(RiskAssessment, { id: approved.assessmentId });
  if (found?.useCaseId !== useCase?.id || !found || !useCase) throw notFound('The risk assessment');
  if (found.number !== (await lastNumber(tx, useCase.id)) || useCase.riskTier !== approved.from)
    throw conflict('The use case was assessed anew or has another tier by now; look again', {
      rule: 'assessment-superseded',
    });
  await tx.update(UseCase, { id: useCase.id }, { riskTier: found.tier });
  return {
    subject: { kind: 'useCase', id: useCase.id },
    changes: { riskTier: { from: useCase.riskTier, to: found.tier } },
    facts: { assessmentId: found.id, changeRequestId: approved.changeRequestId },
  };
};
