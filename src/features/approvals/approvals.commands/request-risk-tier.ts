import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { conflict } from '../../../kernel/errors.js';
import { assessmentOr404 } from '../../risk/index.js';
import { useCaseOr404 } from '../../usecases/index.js';
import type { TierProposal } from '../risk-tier.js';
import { openChangeRequest } from './open-change.js';

export const requestRiskTier = defineCommand({
  name: 'changeRequest.createForRiskTier',
  describe:
    'Asks that a use case gets the tier of its current risk assessment. People decide; then it changes.',
  permission: 'changeRequest:create',
  input: z.object({
    assessmentId: z.uuid(),
    reason: z.string().trim().min(1).max(4000).describe('Why the tier is right, for those who decide.'),
  }),
  target: (tx, input) => assessmentOr404(tx, input.assessmentId),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    const useCase = await useCaseOr404(tx, target.useCaseId);
    if (!target.current) {
      throw conflict('The use case was assessed anew since; ask for the tier of the current assessment', {
        rule: 'assessment-superseded',
      });
    }
    if (target.tier === useCase.riskTier) {
      throw conflict(`The use case has the tier ${target.tier} already`, { rule: 'nothing-to-change' });
    }
    const proposal: TierProposal = { assessmentId: target.id, from: useCase.riskTier, to: target.tier };
    const opened = await openChangeRequest(
      { tx, actor, now, enqueue },
      {
        kind: 'RISK_TIER',
        targetKey: `riskTier:${useCase.id}`,
        title: `Change the risk tier of ${useCase.name} from ${useCase.riskTier} to ${target.tier}`,
        reason: input.reason,
        modelId: null,
        versionId: null,
        alias: null,
        useCaseId: useCase.id,
        endpointId: null,
        proposal,
      },
    );
    return { result: { id: opened.id }, audit: opened.audit };
  },
});
