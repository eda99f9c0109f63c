/** What a guardrail says. DENY refuses the request, never the person; REFER sends the case to a person. */
export interface GuardrailVerdict {
  readonly layer: 'input' | 'decision' | 'output';
  readonly rule: string;
  readonly verdict: 'ALLOW' | 'DENY' | 'REFER';
  /** Why, without anything about the person. */
  readonly why: string;
}

/** One verdict: the rule holds, or it does not and this follows. */
export const judge = (
  layer: GuardrailVerdict['layer'],
  rule: string,
  holds: boolean,
  otherwise: { readonly verdict: 'DENY' | 'REFER'; readonly why: string },
): GuardrailVerdict => (holds ? { layer, rule, verdict: 'ALLOW', why: '' } : { layer, rule, ...otherwise });

/** The verdicts that do not let pass. */
export const standing = (verdicts: readonly GuardrailVerdict[]): readonly GuardrailVerdict[] =>
  verdicts.filter(({ verdict }) => verdict !== 'ALLOW');
