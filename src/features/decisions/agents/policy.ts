import { choose, newActionModel, type ActionModel } from '../../../analysis/index.js';
import { actions, type BusinessRule, type DecisionAction, type DecisionPolicy } from '../policy.js';
import { judge, standing, type GuardrailVerdict } from '../verdict.js';
import type { IntakeOutput, PolicyOutput, ScoringOutput } from './run-facts.js';

/** Only the side of the boundary is compared: the model says nothing about the sum. */
const statedAbove = (statedIncome: number | null, boundary: number): boolean =>
  statedIncome === null || statedIncome > boundary;

/** The income from which on the target of the model counts as positive. */
export const incomeBoundary = 50_000;

/** Expected reward of an action, linear in the context: the stated parameters as a model that has learnt nothing else. */
const modelOf = (policy: DecisionPolicy, action: DecisionAction): ActionModel => ({
  ...newActionModel(action, 2),
  target: Float64Array.from(policy.bandit.theta[action]),
});

/**
 * Chooses an action. Hard constraints come first; where one stands, REFER is all that is left. Otherwise the bandit
 * chooses, and explores only among actions that burden nobody. Nothing here knows the group a person belongs to.
 */
export const policyAgent = (
  intake: IntakeOutput,
  scoring: ScoringOutput,
  policy: DecisionPolicy,
  draw: number,
  { referAll }: { readonly referAll: boolean } = { referAll: false },
): PolicyOutput => {
  const verdicts = [
    ...intake.verdicts,
    ...constraints(intake, scoring, policy),
    ...(referAll ? [staleEvidence] : []),
  ];
  const stopped = standing(verdicts);
  const permitted: DecisionAction[] = stopped.length > 0 ? ['REFER'] : [...actions];
  const isAbove = statedAbove(intake.statedIncome, incomeBoundary);
  const consistency = isAbove ? scoring.probability : 1 - scoring.probability;
  const { bandit } = policy;
  const choice = choose({
    context: Float64Array.of(1, consistency),
    actions: actions.map((action) => modelOf(policy, action)),
    permitted,
    explorable: actions.filter((action) => !bandit.adverse.includes(action)),
    exploration: bandit.exploration,
    seedUniform: draw,
  });
  const action = actions.find((one) => one === choice.action) ?? 'REFER';
  return {
    action,
    decidedBy: decidedBy(stopped),
    verdicts,
    consistency,
    permitted,
    actions,
    propensities: choice.propensities,
    scores: choice.scores,
    draw,
    exploration: bandit.exploration,
  };
};

const staleEvidence = judge('decision', 'evidence-stale', false, {
  verdict: 'REFER',
  why: 'What the version was approved on is out of date, and it was approved that a person looks then.',
});

const decidedBy = (stopped: readonly GuardrailVerdict[]): PolicyOutput['decidedBy'] => {
  if (stopped.length === 0) return 'score';
  return stopped.every(({ rule }) => rule === 'low-margin') ? 'margin' : 'rule';
};

const constraints = (
  intake: IntakeOutput,
  scoring: ScoringOutput,
  policy: DecisionPolicy,
): GuardrailVerdict[] => {
  const { constraints: limits } = policy;
  const margin = Math.abs(scoring.probability - scoring.threshold);
  return [
    judge('decision', 'runtime-parity', scoring.runtimeGap <= limits.runtimeGap, {
      verdict: 'REFER',
      why: 'The two engines that scored the case do not agree.',
    }),
    judge('decision', 'out-of-distribution', scoring.surprise <= scoring.surpriseThreshold, {
      verdict: 'REFER',
      why: 'The application is unlike those that the model was trained on.',
    }),
    judge('decision', 'out-of-range', scoring.outOfRange.length === 0, {
      verdict: 'REFER',
      why: `Outside of the range of the training data: ${scoring.outOfRange.join(', ')}.`,
    }),
    judge('decision', 'member-disagreement', scoring.disagreement <= limits.disagreement, {
      verdict: 'REFER',
      why: 'The members of the ensemble do not agree.',
    }),
    judge('decision', 'low-margin', margin > limits.lowMargin, {
      verdict: 'REFER',
      why: "The probability lies next to the model's threshold.",
    }),
    ...policy.rules.map((rule) =>
      judge('decision', rule.name, !applies(rule, intake), { verdict: 'REFER', why: rule.why }),
    ),
  ];
};

const applies = (rule: BusinessRule, { inputs, statedIncome }: IntakeOutput): boolean => {
  const value = rule.field === 'statedIncome' ? statedIncome : inputs[rule.field];
  if (value === undefined || value === null) return false;
  if (rule.is !== undefined) return String(value) === rule.is;
  if (rule.above !== undefined) return Number(value) > rule.above;
  return rule.below !== undefined && Number(value) < rule.below;
};
