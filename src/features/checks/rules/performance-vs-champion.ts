import type { FactEvidence } from '../check-facts.js';
import { defineCheck, finding, usable } from '../check-rule.js';

/** Larger is better; the margin allows for what sampling alone moves. */
const compared = [
  { name: 'accuracy', margin: 0.01 },
  { name: 'areaUnderCurve', margin: 0.01 },
] as const;

const valueOf = (evidence: FactEvidence, name: string): number | null =>
  evidence.figures.find((one) => one.name === name)?.value ?? null;

const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** Figures in which the version falls behind by more than the margin, one sentence each. */
const losses = (mine: FactEvidence, theirs: FactEvidence): string[] =>
  compared.flatMap(({ name, margin }) => {
    const [own, other] = [valueOf(mine, name), valueOf(theirs, name)];
    if (own === null || other === null || own >= other - margin) return [];
    return [`${name} is ${percent(own)}, that of the champion ${percent(other)}`];
  });

export const performanceVsChampion = defineCheck({
  name: 'performance-vs-champion',
  title: 'Performance against the champion',
  describe:
    'Accuracy and area under the curve are no worse than those of what decides now, within one point.',
  permission: 'evaluation:start',
  judge: (facts) => {
    const found = usable(facts, 'PERFORMANCE');
    if ('fault' in found) return found.fault;
    const { evidence } = found;
    if (evidence.verdict !== 'PASS') {
      return finding(evidence.verdict, 'The evidence of performance did not pass its own limits', [evidence]);
    }
    if (facts.champion === null) return finding('PASS', 'There is no champion to compare with', [evidence]);
    const theirs = facts.champion.evidence.get('PERFORMANCE');
    const named = `version ${String(facts.champion.version)}`;
    if (!theirs)
      return finding('MISSING', `The champion, ${named}, was never measured: evaluate it`, [evidence]);
    const both = [evidence, theirs];
    const lost = losses(evidence, theirs);
    if (lost.length > 0) return finding('FAIL', `Worse than ${named}: ${lost.join('; ')}`, both);
    return finding('PASS', `No worse than ${named}`, both);
  },
});
