import { defineCheck, finding } from '../check-rule.js';

export const licenceAndSupplyChain = defineCheck({
  name: 'licence-and-supply-chain',
  title: 'Licence and supply chain',
  describe:
    'The licence is said (tag `licence` of the model or the version) and the code is named by its commit.',
  permission: 'modelVersion:update',
  judge: ({ licence, codeCommit, digest }) => {
    const missing = [
      ...(licence === null || licence.trim() === '' ? ['its licence (set the tag licence)'] : []),
      ...(codeCommit === null ? ['the commit of its code (lineage.codeCommit)'] : []),
      ...(digest === null ? ['its digest (submit it)'] : []),
    ];
    if (missing.length > 0) return finding('MISSING', `The version does not say ${missing.join(' and ')}`);
    return finding('PASS', `Licence ${licence ?? ''}, code ${codeCommit?.slice(0, 12) ?? ''}`);
  },
});
