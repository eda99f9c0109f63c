export { Incident } from './incident.entity.js';
export { openIncident, reviewIncident } from './incidents.commands.js';
export { overdueReview } from './incidents.queries.js';
