import { defineCheck, finding } from '../check-rule.js';

export const dataDocumented = defineCheck({
  name: 'data-documented',
  title: 'Data documented',
  describe: 'The lineage names the data that the version was made from, with digests.',
  permission: 'modelVersion:create',
  judge: ({ datasets }) => {
    if (datasets.length === 0) {
      const advice = 'register a version that names its data sets with their sha256';
      return finding('MISSING', `The lineage names no data set; ${advice}`);
    }
    const roles = new Set(datasets.map((one) => one.role.toLowerCase()));
    if (!roles.has('train') && !roles.has('training')) {
      return finding('MISSING', 'The lineage does not say on which data the version was trained');
    }
    return finding('PASS', `${String(datasets.length)} data sets are named with their digests`);
  },
});
