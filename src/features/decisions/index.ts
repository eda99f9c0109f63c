export { decideReview, recordOutcome } from './decisions.commands/index.js';
export { openReviews } from './decisions.commands/open-reviews.js';
export { endAbandoned, runDecisions } from './decisions.jobs/index.js';
export { recordDecisions, requestDecision, requestDecisions } from './decisions.records.js';
export {
  decisionById,
  endpointStats,
  listDecisions,
  listReviews,
  reviewById,
} from './decisions.queries/index.js';
export { HumanReview } from './human-review.entity.js';
export { Outcome } from './outcome.entity.js';
export { decisionAction, installedPolicy, type DecisionAction, type DecisionPolicy } from './policy.js';
