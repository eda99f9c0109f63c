export { readCheckFacts, type CheckFacts, type FactEvidence } from './check-facts.js';
export {
  checkName,
  checkRules,
  frameworksOf,
  judgeChecks,
  type CheckName,
  type CheckResult,
} from './check-rules.js';
export { sarifSubject } from './checks.queries.js';
export { sarifOf, type SarifResult } from './sarif.js';
