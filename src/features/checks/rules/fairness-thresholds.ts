import { defineCheck, finding, usable } from '../check-rule.js';

export const fairnessThresholds = defineCheck({
  name: 'fairness-thresholds',
  title: 'Fairness thresholds',
  describe: 'Every enforced limit between groups holds in the newest evidence of fairness.',
  permission: 'evaluation:start',
  judge: (facts) => {
    const found = usable(facts, 'FAIRNESS');
    if ('fault' in found) return found.fault;
    const { evidence } = found;
    const broken = evidence.limits.filter((one) => one.mode === 'ENFORCE' && one.verdict !== 'PASS');
    if (evidence.verdict === 'PASS' && broken.length === 0) {
      return finding('PASS', 'Every enforced limit between groups holds', [evidence]);
    }
    const named = broken.map(
      (one) => `${one.label} is ${String(one.value ?? 'unknown')}, limit ${String(one.limit)}`,
    );
    const verdict = evidence.verdict === 'MISSING' ? 'MISSING' : 'FAIL';
    return finding(verdict, named[0] ?? 'The evidence of fairness did not pass', [evidence]);
  },
});
