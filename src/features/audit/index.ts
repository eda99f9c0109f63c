export { eraseSubject } from './audit.commands.js';
export { listAuditEvents } from './audit.queries.js';
