import type { CitedSentence } from '../guardrails/groundedness.js';
import type { InputValues } from '../application.js';
import type { DecisionAction } from '../policy.js';
import type { GuardrailVerdict } from '../verdict.js';

/** What was asked for, as it was accepted; sealed with the person's key. */
export interface DecisionRequest {
  readonly application: Readonly<Record<string, unknown>>;
  /** Income per year as stated, in the currency of the model's target; null when only the claim itself is verified. */
  readonly statedIncome: number | null;
  readonly note: string | null;
  readonly consent: boolean;
}

/** What the intake agent found. */
export interface IntakeOutput {
  readonly inputs: InputValues;
  readonly unknown: readonly string[];
  readonly statedIncome: number | null;
  readonly verdicts: readonly GuardrailVerdict[];
}

/** What the scoring agent found. */
export interface ScoringOutput {
  readonly probability: number;
  readonly vote: number;
  readonly threshold: number;
  readonly members: readonly { readonly name: string; readonly probability: number }[];
  readonly disagreement: number;
  readonly runtimeGap: number;
  /** How unusual the application is beside the training data, and from where on that is too much. */
  readonly surprise: number;
  readonly surpriseThreshold: number;
  readonly outOfRange: readonly string[];
}

/** The step that really decided. */
export type DecidedBy = 'rule' | 'margin' | 'score';

/** What the policy agent chose. */
export interface PolicyOutput {
  readonly action: DecisionAction;
  readonly decidedBy: DecidedBy;
  readonly verdicts: readonly GuardrailVerdict[];
  /** Probability that the stated income lies on the side on which it was stated. */
  readonly consistency: number;
  readonly permitted: readonly DecisionAction[];
  readonly actions: readonly DecisionAction[];
  readonly propensities: readonly number[];
  readonly scores: readonly (number | null)[];
  /** The uniform draw that chose; kept, so that the choice can be repeated. */
  readonly draw: number;
  readonly exploration: number;
}

/** What one input did. */
export interface Contribution {
  readonly name: string;
  readonly value: number | string;
  readonly contribution: number;
}

/** A change that would carry the case over the threshold. */
export interface CounterfactualChange {
  readonly changes: readonly {
    readonly name: string;
    readonly from: number | string;
    readonly to: number | string;
  }[];
  readonly probability: number;
}

/** A reason of the step that really decided. */
export interface Reason {
  readonly step: DecidedBy;
  readonly code: string;
  readonly text: string;
}

/** What the explanation agent wrote. */
export interface ExplanationOutput {
  readonly base: number;
  readonly probability: number;
  readonly backgroundRows: number;
  readonly contributions: readonly Contribution[];
  readonly counterfactuals: readonly CounterfactualChange[];
  readonly isSearchComplete: boolean;
  readonly reasons: readonly Reason[];
  readonly note: readonly CitedSentence[];
  readonly verdicts: readonly GuardrailVerdict[];
}

/** What the critic said. */
export interface ReviewOutput {
  readonly verdict: 'FINAL' | 'REVISE' | 'REFER';
  readonly action: DecisionAction;
  readonly objections: readonly string[];
}

/** What a person decided about a referred case. */
export interface PersonOutput {
  readonly reviewId: string;
  readonly action: DecisionAction;
  readonly by: string;
}
