import type { EnsembleSignature } from '../../../kernel/ensemble-manifest.js';
import { normaliseApplication } from '../application.js';
import { injectionSigns } from '../guardrails/injection.js';
import { personalDataIn } from '../guardrails/personal-data.js';
import type { DecisionPolicy } from '../policy.js';
import { judge, type GuardrailVerdict } from '../verdict.js';
import type { DecisionRequest, IntakeOutput } from './run-facts.js';

/**
 * Validates and normalises the application against the version that will decide, and runs the input guardrails.
 * Throws INVALID_INPUT, naming the fields, when the version that became champion meanwhile asks for something else.
 */
export const intakeAgent = (
  request: DecisionRequest,
  signature: EnsembleSignature,
  policy: DecisionPolicy,
): IntakeOutput => {
  const { inputs, unknown } = normaliseApplication(signature, request.application);
  const verdicts: GuardrailVerdict[] = [
    judge('input', 'consent', request.consent, {
      verdict: 'DENY',
      why: 'No consent to automated processing was given.',
    }),
    judge('input', 'data-quality', unknown.length <= policy.constraints.mostUnknown, {
      verdict: 'REFER',
      why: `${String(unknown.length)} inputs were not given.`,
    }),
    ...noteVerdicts(request.note),
  ];
  return { inputs, unknown, statedIncome: request.statedIncome, verdicts };
};

const noteVerdicts = (note: string | null): GuardrailVerdict[] => {
  if (note === null) return [];
  const personal = personalDataIn(note);
  const signs = injectionSigns(note);
  return [
    // It is sealed with the rest and read by nobody but a person who reviews; that is worth knowing, not worth a stop.
    judge('input', 'personal-data-in-note', personal.length === 0, {
      verdict: 'REFER',
      why: `The free text holds personal data: ${personal.join(', ')}.`,
    }),
    judge('input', 'injection-in-note', signs.length === 0, {
      verdict: 'REFER',
      why: `The free text shows signs of injection: ${signs.join(', ')}.`,
    }),
  ];
};
