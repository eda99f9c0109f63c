import type { DecisionPolicy } from '../policy.js';
import { standing } from '../verdict.js';
import type { ExplanationOutput, PolicyOutput, ReviewOutput, ScoringOutput } from './run-facts.js';

/** What the critic is given. */
export interface ReviewTask {
  readonly scoring: ScoringOutput;
  readonly chosen: PolicyOutput;
  readonly explanation: ExplanationOutput;
  readonly policy: DecisionPolicy;
  readonly iteration: number;
}

const scoreTolerance = 1e-9;
const additivityTolerance = 1e-6;

/**
 * Looks at the whole run: do score, policy, reasons and note say the same? What is wrong with the note goes back to
 * the explanation a few times; what is wrong with the run goes to a person. Nothing here makes a decision milder or
 * harder.
 */
export const reviewAgent = (task: ReviewTask): ReviewOutput => {
  const { chosen, explanation, policy, iteration } = task;
  const aboutRun = [...scoreObjections(task), ...policyObjections(chosen), ...reasonObjections(task)];
  const aboutNote = standing(explanation.verdicts).map(({ rule, why }) => `${rule}: ${why}`);
  const objections = [...aboutRun, ...aboutNote];
  if (aboutRun.length === 0 && aboutNote.length > 0 && iteration < policy.review.mostIterations) {
    return { verdict: 'REVISE', action: chosen.action, objections };
  }
  const action = objections.length > 0 ? 'REFER' : chosen.action;
  return { verdict: action === 'REFER' ? 'REFER' : 'FINAL', action, objections };
};

const scoreObjections = ({ scoring, explanation }: ReviewTask): string[] => {
  const sum = explanation.contributions.reduce(
    (total, { contribution }) => total + contribution,
    explanation.base,
  );
  return [
    ...(Math.abs(explanation.probability - scoring.probability) <= scoreTolerance
      ? []
      : ['score: what was explained is not what was scored']),
    ...(Math.abs(sum - scoring.probability) <= additivityTolerance
      ? []
      : ['score: the contributions do not add up to the probability']),
  ];
};

const policyObjections = (chosen: PolicyOutput): string[] => {
  const place = chosen.actions.indexOf(chosen.action);
  const total = chosen.propensities.reduce((sum, share) => sum + share, 0);
  return [
    ...(chosen.permitted.includes(chosen.action) ? [] : ['policy: the action was not permitted']),
    ...((chosen.propensities[place] ?? 0) > 0 ? [] : ['policy: the action had no chance to be chosen']),
    ...(Math.abs(total - 1) <= 1e-9 ? [] : ['policy: the propensities do not sum to one']),
    ...(standing(chosen.verdicts).length === 0 || chosen.action === 'REFER'
      ? []
      : ['policy: a constraint stands and was passed over']),
  ];
};

const reasonObjections = ({ chosen, explanation }: ReviewTask): string[] => {
  const known = new Set([
    ...standing(chosen.verdicts).map(({ rule }) => rule),
    ...explanation.contributions.map(({ name }) => name),
  ]);
  const stranger = explanation.reasons.find(
    ({ step, code }) => step !== chosen.decidedBy || !known.has(code),
  );
  return [
    ...(stranger ? [`reasons: ${stranger.code} is not what decided`] : []),
    ...(chosen.decidedBy !== 'score' && explanation.reasons.length === 0 ? ['reasons: there is none'] : []),
  ];
};
