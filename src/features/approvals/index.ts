export { Approval, type Verdict } from './approval.entity.js';
export { ApprovalPolicy } from './approval-policy.entity.js';
export { staleByData, staleByMember } from './approvals.commands/age-evidence.js';
export { decideChange, type Decided } from './approvals.commands/decide-change.js';
export { approvedChange, executeChange, markExecuted } from './approvals.commands/execute-change.js';
export { expireChange } from './approvals.commands/expire-change.js';
export {
  openChangeRequest,
  type NewChange,
  type OpenedChange,
  type Opening,
} from './approvals.commands/open-change.js';
export { breakGlass } from './approvals.commands/break-glass.js';
export { refreshChange } from './approvals.commands/refresh-change.js';
export { requestOrFind, type FoundRequest } from './approvals.commands/request-or-find.js';
export { leadingOn } from './leading-on.js';
export { proposePolicy } from './approvals.commands/propose-policy.js';
export { requestRiskTier } from './approvals.commands/request-risk-tier.js';
export { rollbackAlias } from './approvals.commands/rollback.js';
export { requestPromotion } from './approvals.commands/request-promotion.js';
export { withdrawChange, withdrawDecision } from './approvals.commands/withdraw.js';
export { readApprovals, type ApprovalView, type ChangeView } from './approvals.queries/change-view.js';
export { changeById } from './approvals.queries/read.js';
export { changeStandings, type Standing } from './approvals.queries/standing.js';
export { ChangeRequest, changeState, type ChangeState } from './change-request.entity.js';
export { Delegation } from './delegation.entity.js';
export type { StaleEffect } from './policy-document.js';
export { staleEffectNow } from './stale-effect.js';
export { startingPolicies } from './starting-policies.js';
export { policyInForce, type PolicyInForce } from './policy-in-force.js';
