import { defineCheck, finding, usable } from '../check-rule.js';

export const explainability = defineCheck({
  name: 'explainability',
  title: 'Explainability',
  describe: 'There is evidence of what drives the output, and it passed.',
  permission: 'evaluation:start',
  judge: (facts) => {
    const found = usable(facts, 'ATTRIBUTION');
    if ('fault' in found) return found.fault;
    const { evidence } = found;
    if (evidence.verdict === 'PASS') return finding('PASS', 'What drives the output is known', [evidence]);
    return finding(evidence.verdict, 'The evidence of attribution did not pass its limits', [evidence]);
  },
});
