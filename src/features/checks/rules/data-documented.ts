import type { FactDataset } from '../check-facts.js';
import { defineCheck, finding } from '../check-rule.js';

const training = new Set(['train', 'training']);

const sentenceOf = ({ name, missing }: FactDataset): string =>
  missing.includes('registration') ? `${name} is not registered` : `${name} has no ${missing.join(', ')}`;

export const dataDocumented = defineCheck({
  name: 'data-documented',
  title: 'Data documented',
  describe:
    'All data that the lineage names, that of the training among it, is registered with its digest, licence, provenance and profile.',
  permission: 'dataset:update',
  judge: ({ datasets }) => {
    if (datasets.length === 0) {
      const advice = 'register a version that names its data sets';
      return finding('MISSING', `The lineage names no data set; ${advice}`);
    }
    if (!datasets.some(({ role }) => training.has(role.toLowerCase()))) {
      return finding('MISSING', 'The lineage does not say on which data the version was trained');
    }
    const open = datasets.filter(({ missing }) => missing.length > 0);
    if (open.length > 0) {
      const named = open.slice(0, 5).map(sentenceOf).join('; ');
      return finding('MISSING', `${named}: createDatasetVersion or documentDatasetVersion`);
    }
    return finding('PASS', `${String(datasets.length)} data sets are documented`);
  },
});
