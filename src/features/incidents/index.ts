export { Incident } from './incident.entity.js';
export { openIncident } from './incidents.commands.js';
export { overdueReview } from './incidents.queries.js';
