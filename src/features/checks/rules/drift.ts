import { defineCheck, finding } from '../check-rule.js';

export const drift = defineCheck({
  name: 'drift',
  title: 'Drift',
  describe: 'No alert says that the data has moved away from what the version was measured on.',
  permission: 'evaluation:start',
  judge: ({ driftReason, evidence }) => {
    const all = [...evidence.values()];
    if (all.length === 0) return finding('MISSING', 'Nothing was measured yet that could have drifted');
    const stale = all.filter((one) => one.verdict === 'STALE');
    if (driftReason !== null && stale.length > 0) {
      return finding('FAIL', `Drift was reported: ${driftReason}. Evaluate the version again`, stale);
    }
    if (driftReason !== null) return finding('PASS', 'Measured again since drift was reported', all);
    const advice = 'watch the endpoint, or report drift with invalidateEvidence';
    return finding('MISSING', `Nobody has watched the version for drift yet; ${advice}`, all);
  },
});
