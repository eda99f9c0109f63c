import { standing, type GuardrailVerdict } from '../verdict.js';
import type { DecidedBy, PolicyOutput, ReviewOutput } from './run-facts.js';

/** A rule that stood when a run ended, and the step that it stopped. */
export interface EndRule {
  readonly step: DecidedBy | 'review';
  readonly layer: GuardrailVerdict['layer'];
  readonly rule: string;
}

/**
 * The rules behind an end, without anything about the person: those that stood when the action was chosen, and, where
 * the critic chose otherwise, what it objected to. A person who is to review a case sees them before anything else.
 */
export const endRules = (chosen: PolicyOutput, review: ReviewOutput): readonly EndRule[] => {
  const stood = standing(chosen.verdicts).map(({ layer, rule }) => ({ step: chosen.decidedBy, layer, rule }));
  if (review.action === chosen.action) return stood;
  // An objection is the name of a rule, a colon, and why.
  const objected = new Set(review.objections.map((objection) => objection.split(':', 1)[0] ?? ''));
  return [...stood, ...[...objected].map((rule) => ({ step: 'review', layer: 'output', rule }) as const)];
};
