export { dueSchedules } from './due-schedules.js';
export { ReportSchedule } from './report-schedule.entity.js';
export { ReportScheduleRun } from './report-schedule-run.entity.js';
export { Report } from './report.entity.js';
export { renderReport } from './reports.commands/render.js';
export { createReportSchedule, pauseReportSchedule, resumeReportSchedule } from './reports.commands/schedules.js';
export { listReports } from './reports.queries/lists.js';
