export { Evaluation } from './evaluation.entity.js';
export { recordEvaluation } from './evaluations.commands/record.js';
export { startEvaluation } from './evaluations.commands/start.js';
export { newestEvidence, type EvidenceView } from './evaluations.queries/lists.js';
export { evidenceFor, verdictAt, type EvidenceStanding } from './evidence-for.js';
export {
  evidenceResult,
  readResult,
  type CheckResult,
  type EvidenceResult,
  type Figure,
} from './evidence-result.js';
export {
  Evidence,
  evidenceKind,
  evidenceVerdict,
  type EvidenceKind,
  type EvidenceVerdict,
} from './evidence.entity.js';
