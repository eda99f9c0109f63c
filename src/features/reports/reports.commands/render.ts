import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { reportTemplate } from '../report.entity.js';
import { openReport, requirePeriod, subjectName } from './open-report.js';

export const renderReport = defineCommand({
  name: 'report.render',
  describe: 'Asks for a report as PDF and workbook; it is rendered by a job that can be watched.',
  permission: 'report:render',
  input: z.object({
    template: z.string().pipe(reportTemplate).describe('`model-version` or `endpoint-period`.'),
    subjectId: z.uuid().describe('The version, or the endpoint.'),
    from: z.coerce.date().nullish().describe('First moment of the period; for `endpoint-period`.'),
    to: z.coerce.date().nullish().describe('First moment after the period.'),
  }),
  target: async (tx, input) => ({ id: input.subjectId, name: await subjectName(tx, input.template, input.subjectId) }),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    const { template, subjectId } = input;
    const period = { from: input.from ?? null, to: input.to ?? null };
    requirePeriod(template, period, now);
    const asked = { template, subjectId, subjectName: target.name, ...period, scheduleId: null };
    const { id, jobId, audit } = await openReport({ tx, actor, now, enqueue }, asked);
    return { result: { id, jobId }, audit };
  },
});
