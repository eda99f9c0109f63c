export { Finding, findingSeverity, type FindingSeverity, type FindingSubject } from './finding.entity.js';
export { findingById } from './findings.queries.js';
export { createFinding, openFinding, resolveFinding, type NewFinding } from './findings.commands.js';
