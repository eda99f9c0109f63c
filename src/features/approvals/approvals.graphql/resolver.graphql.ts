import { Ctx, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { breakGlass } from '../approvals.commands/break-glass.js';
import { decideChange, type Decided } from '../approvals.commands/decide-change.js';
import { executeChange } from '../approvals.commands/execute-change.js';
import { proposePolicy } from '../approvals.commands/propose-policy.js';
import { requestPromotion } from '../approvals.commands/request-promotion.js';
import { requestRiskTier } from '../approvals.commands/request-risk-tier.js';
import { withdrawChange, withdrawDecision } from '../approvals.commands/withdraw.js';
import type { ChangeView } from '../approvals.queries/change-view.js';
import { changeById, listChanges, listPolicies, policyNow } from '../approvals.queries/read.js';
import { promotionCheck, type PromotionCheck } from '../approvals.queries/promotion-check.js';
import { policyImpact, replayPolicy } from '../approvals.queries/replay-policy.js';
import type { PolicyReplay } from '../replay-history.js';
import type { PolicyInForce } from '../policy-in-force.js';
import {
  ChangeDecidedType,
  ChangeRequestPage,
  ChangeRequestType,
  GlassBrokenType,
} from './change-request.graphql.js';
import {
  ApprovalPolicyPage,
  ApprovalPolicyType,
  PolicyProposedType,
  PolicyReplayType,
} from './policy.graphql.js';
import { PromotionCheckType } from './requirement.graphql.js';

@Resolver()
export class ApprovalsResolver {
  @QueryField(changeById, () => ChangeRequestType)
  changeRequest(
    @QueryArgs(changeById) args: InputOf<typeof changeById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ChangeView> {
    return ask(changeById, actor, args);
  }

  @QueryField(listChanges, () => ChangeRequestPage)
  changeRequests(
    @QueryArgs(listChanges) args: InputOf<typeof listChanges>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ChangeView>> {
    return ask(listChanges, actor, args);
  }

  @QueryField(promotionCheck, () => PromotionCheckType)
  promotionCheck(
    @QueryArgs(promotionCheck) args: InputOf<typeof promotionCheck>,
    @Ctx() { ask, actor }: Context,
  ): Promise<PromotionCheck> {
    return ask(promotionCheck, actor, args);
  }

  @QueryField(policyNow, () => ApprovalPolicyType)
  approvalPolicy(@Ctx() { ask, actor }: Context): Promise<PolicyInForce> {
    return ask(policyNow, actor, {});
  }

  @QueryField(listPolicies, () => ApprovalPolicyPage)
  approvalPolicies(
    @QueryArgs(listPolicies) args: InputOf<typeof listPolicies>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<PolicyInForce>> {
    return ask(listPolicies, actor, args);
  }

  @QueryField(replayPolicy, () => PolicyReplayType, { complexity: 50 })
  replayPolicy(
    @QueryArgs(replayPolicy) args: InputOf<typeof replayPolicy>,
    @Ctx() { ask, actor }: Context,
  ): Promise<PolicyReplay> {
    return ask(replayPolicy, actor, args);
  }

  @QueryField(policyImpact, () => PolicyReplayType, { complexity: 50 })
  policyImpact(
    @QueryArgs(policyImpact) args: InputOf<typeof policyImpact>,
    @Ctx() { ask, actor }: Context,
  ): Promise<PolicyReplay> {
    return ask(policyImpact, actor, args);
  }

  @CommandField(breakGlass, () => GlassBrokenType)
  breakGlass(
    @Input(breakGlass) input: InputOf<typeof breakGlass>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; incidentId: string }> {
    return run(breakGlass, actor, input);
  }

  @CommandField(requestPromotion, () => ChangedType)
  requestPromotion(
    @Input(requestPromotion) input: InputOf<typeof requestPromotion>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(requestPromotion, actor, input);
  }

  @CommandField(proposePolicy, () => PolicyProposedType)
  proposePolicy(
    @Input(proposePolicy) input: InputOf<typeof proposePolicy>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; impact: PolicyReplay }> {
    return run(proposePolicy, actor, input);
  }

  @CommandField(requestRiskTier, () => ChangedType)
  requestRiskTier(
    @Input(requestRiskTier) input: InputOf<typeof requestRiskTier>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(requestRiskTier, actor, input);
  }

  @CommandField(decideChange, () => ChangeDecidedType)
  decideChange(
    @Input(decideChange) input: InputOf<typeof decideChange>,
    @Ctx() { run, actor }: Context,
  ): Promise<Decided> {
    return run(decideChange, actor, input);
  }

  @CommandField(withdrawDecision, () => ChangedType)
  withdrawDecision(
    @Input(withdrawDecision) input: InputOf<typeof withdrawDecision>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(withdrawDecision, actor, input);
  }

  @CommandField(withdrawChange, () => ChangedType)
  withdrawChange(
    @Input(withdrawChange) input: InputOf<typeof withdrawChange>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(withdrawChange, actor, input);
  }

  @CommandField(executeChange, () => ChangedType)
  executeChange(
    @Input(executeChange) input: InputOf<typeof executeChange>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(executeChange, actor, input);
  }
}
