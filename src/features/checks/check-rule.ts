import type { EvidenceKind, EvidenceVerdict } from '../evaluations/index.js';
import type { Permission } from '../../kernel/permissions.js';
import type { CheckFacts, FactEvidence } from './check-facts.js';

/** What a check says: PASS, FAIL, MISSING or STALE, in one sentence, and on which evidence it rests. */
export interface CheckFinding {
  readonly verdict: EvidenceVerdict;
  readonly message: string;
  readonly evidenceIds: readonly string[];
}

/** A rule over what is known of a version in a use case: one small file in `rules/`, and a line in `check-rules.ts`. */
export interface CheckRule {
  /** Lower-case letters and dashes; policies ask for it by this name. */
  readonly name: string;
  readonly title: string;
  /** What it looks at, for people who read a policy. */
  readonly describe: string;
  /** The right that moves it. */
  readonly permission: Permission;
  /** Of a check over one framework: its id. Judged only where the facts were read for it. */
  readonly framework?: string;
  readonly judge: (facts: CheckFacts) => CheckFinding;
}

/** Declares a check. */
export const defineCheck = (rule: CheckRule): CheckRule => rule;

/** A finding that rests on these pieces of evidence. */
export const finding = (
  verdict: EvidenceVerdict,
  message: string,
  evidence: readonly FactEvidence[] = [],
): CheckFinding => ({ verdict, message, evidenceIds: evidence.map((one) => one.id) });

/** The newest evidence of a kind if it can be relied on, or why not. */
export const usable = (
  facts: CheckFacts,
  kind: EvidenceKind,
): { readonly evidence: FactEvidence } | { readonly fault: CheckFinding } => {
  const evidence = facts.evidence.get(kind);
  const named = kind.toLowerCase();
  if (!evidence) {
    return { fault: finding('MISSING', `There is no evidence of ${named}; start an evaluation`) };
  }
  if (evidence.verdict === 'STALE') {
    const message = `The evidence of ${named} is out of date; start an evaluation`;
    return { fault: finding('STALE', message, [evidence]) };
  }
  return { evidence };
};
