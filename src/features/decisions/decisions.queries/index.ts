export { decisionById, type DecisionSummary, type DecisionView, type StepView } from './decision-by-id.js';
export { endpointStats, type Count, type EndpointStats } from './endpoint-stats.js';
export { listDecisions, listReviews, reviewById, type ReviewDetail, type ReviewView } from './lists.js';
export type { RunVerification } from './trace.js';
