import { DriftBaseline } from './drift-baseline.entity.js';
import { DriftWindow } from './drift-window.entity.js';
import { Evaluation } from './evaluation.entity.js';
import { EvidenceInvalidation } from './evidence-invalidation.entity.js';
import { EvidenceWarning } from './evidence-warning.entity.js';
import { Evidence } from './evidence.entity.js';

/** All tables of this feature. */
export const evaluationEntities = [
  Evaluation,
  Evidence,
  EvidenceInvalidation,
  EvidenceWarning,
  DriftBaseline,
  DriftWindow,
] as const;

export { Evaluation } from './evaluation.entity.js';
export { invalidateEvidence, makeStale, type Invalidating } from './evaluations.commands/invalidate.js';
export { evidenceAgeing, type AgeingView } from './evaluations.queries/ageing-view.js';
export { warnOfAge } from './evaluations.commands/warn.js';
export { recordEvaluation } from './evaluations.commands/record.js';
export { startEvaluation } from './evaluations.commands/start.js';
export { newestEvidence, type EvidenceView } from './evaluations.queries/lists.js';
export { EvidenceInvalidation, type InvalidationCause } from './evidence-invalidation.entity.js';
export { EvidenceWarning } from './evidence-warning.entity.js';
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
