export { assessRisk, setRiskTier, type ApprovedTier, type Assessed } from './risk.commands.js';
export { assessmentOr404, currentAssessment, type RiskAssessmentView } from './risk.queries.js';
export { RiskAssessment } from './risk-assessment.entity.js';
