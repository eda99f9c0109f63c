import type { Limit } from './evaluation-policy.js';
import type { CheckResult, Figure } from './evidence-result.js';

const verdictOn = (value: number | null, limit: Limit): CheckResult['verdict'] => {
  if (value === null) return 'MISSING';
  const holds = 'atLeast' in limit ? value >= limit.atLeast : value <= limit.atMost;
  return holds ? 'PASS' : 'FAIL';
};

const beside = (limit: Limit, figure: Figure | undefined): CheckResult => {
  const value = figure?.value ?? null;
  const isMinimum = 'atLeast' in limit;
  return {
    figure: limit.figure,
    label: figure?.label ?? limit.figure,
    value,
    comparison: isMinimum ? 'AT_LEAST' : 'AT_MOST',
    limit: isMinimum ? limit.atLeast : limit.atMost,
    mode: limit.mode,
    verdict: verdictOn(value, limit),
    why: limit.why,
  };
};

/** Each limit beside its figure. A figure that is not there, or has no value, is MISSING: never taken for good. */
export const judge = (figures: readonly Figure[], limits: readonly Limit[]): CheckResult[] => {
  const byName = new Map(figures.map((figure) => [figure.name, figure]));
  return limits.map((limit) => beside(limit, byName.get(limit.figure)));
};

/** The verdict of evidence follows from its enforced checks: one that fails weighs more than one that is missing. */
export const verdictOf = (checks: readonly CheckResult[]): 'PASS' | 'FAIL' | 'MISSING' => {
  const verdicts = checks.filter(({ mode }) => mode === 'ENFORCE').map(({ verdict }) => verdict);
  if (verdicts.includes('FAIL')) return 'FAIL';
  return verdicts.includes('MISSING') || verdicts.length === 0 ? 'MISSING' : 'PASS';
};
