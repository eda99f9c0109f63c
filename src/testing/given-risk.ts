import { assessRisk, type Assessed } from '../features/risk/index.js';
import type { Actor } from '../kernel/actor.js';
import type { TestApp } from './test-app.js';

/** The mildest answers to the questionnaire; those that are given stand in their place. */
export const riskAnswers = (
  given: Readonly<Record<string, readonly string[]>> = {},
): { question: string; answers: string[] }[] =>
  Object.entries({
    purpose: ['insight'],
    people: ['nobody'],
    vulnerableGroups: ['none'],
    autonomy: ['informs'],
    harm: ['none'],
    reversibility: ['easily'],
    data: ['none'],
    legal: ['none'],
    complexity: ['rules'],
    materiality: ['little'],
    dependence: ['own'],
    ...given,
  }).map(([question, answers]) => ({ question, answers: [...answers] }));

/** An assessment of a use case with the mildest answers but for those that are given. */
export const givenAssessment = (
  app: TestApp,
  actor: Actor,
  useCaseId: string,
  answers: Readonly<Record<string, readonly string[]>> = {},
): Promise<Assessed> => app.run(assessRisk, actor, { useCaseId, answers: riskAnswers(answers) });
