import { defineCheck, finding } from '../check-rule.js';

export const useCaseAssessed = defineCheck({
  name: 'use-case-assessed',
  title: 'Use case assessed',
  describe: 'The risk tier of the use case follows from its current risk assessment.',
  permission: 'risk:assess',
  judge: ({ assessment }) => {
    if (assessment === null) {
      return finding('MISSING', 'The tier of the use case is only declared; assess its risk with assessRisk');
    }
    const { number, tier, tierInForce, outdated } = assessment;
    const named = `Assessment ${String(number)}`;
    if (outdated) {
      return finding('STALE', `${named} answered an earlier questionnaire; assess the risk again`);
    }
    if (tier === tierInForce) return finding('PASS', `${named} gives the tier ${tier}`);
    const advice = 'ask for the other tier with requestRiskTier';
    return finding('FAIL', `${named} gives the tier ${tier}, the use case has ${tierInForce}; ${advice}`);
  },
});
