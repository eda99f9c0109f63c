import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, Float, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { catchUp, scheduleState } from './report-schedule.entity.js';
import { reportState } from './report.entity.js';
import { renderReport } from './reports.commands/render.js';
import { createReportSchedule, pauseReportSchedule, resumeReportSchedule } from './reports.commands/schedules.js';
import {
  listReports,
  listReportSchedules,
  reportById,
  type ReportView,
  type ScheduleView,
} from './reports.queries/lists.js';

// Enums that no input uses are made known before the schema is built.
const scheduleStates = enumType(scheduleState);

@ObjectType('Report', {
  description: 'A rendered document; its files are at /v1/reports/<id>.pdf, .xlsx and .json when it is DONE.',
})
export class ReportType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  template!: string;

  @Field(() => String)
  title!: string;

  @Field(() => String)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  periodFrom!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  periodTo!: Date | null;

  @Field(() => GraphQLDateTimeISO, { description: 'Nothing later than this is in it.' })
  cutOff!: Date;

  @Field(() => enumType(reportState))
  state!: string;

  @Field(() => String, { nullable: true })
  failure!: string | null;

  @Field(() => ID)
  jobId!: string;

  @Field(() => Float, { description: 'How far the rendering is, 0 to 1.' })
  progress!: number;

  @Field(() => String)
  requestedBy!: string;

  @Field(() => String)
  requestedByName!: string;

  @Field(() => ID, { nullable: true })
  scheduleId!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'sha256 of the data that PDF and workbook show (the .json file).' })
  dataSha256!: string | null;

  @Field(() => String, { nullable: true })
  pdfSha256!: string | null;

  @Field(() => Int, { nullable: true })
  pdfBytes!: number | null;

  @Field(() => String, { nullable: true })
  xlsxSha256!: string | null;

  @Field(() => Int, { nullable: true })
  xlsxBytes!: number | null;
}

@ObjectType('ReportSchedule', { description: 'Asks for a report at the times of a cron expression.' })
export class ReportScheduleType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String)
  template!: string;

  @Field(() => String)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => String)
  cron!: string;

  @Field(() => String)
  timeZone!: string;

  @Field(() => enumType(catchUp))
  catchUp!: string;

  @Field(() => scheduleStates)
  state!: string;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  nextRunAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  lastRunAt!: Date | null;

  @Field(() => ID, { nullable: true })
  lastReportId!: string | null;

  @Field(() => String)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('ReportAsked', { description: 'The report, and the job under which its rendering can be watched.' })
export class ReportAskedType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  jobId!: string;
}

const ReportPage = pageType('Report', ReportType);
const ReportSchedulePage = pageType('ReportSchedule', ReportScheduleType);

@Resolver()
export class ReportsResolver {
  @QueryField(reportById, () => ReportType)
  report(
    @QueryArgs(reportById) args: InputOf<typeof reportById>,
    @Ctx() { ask, actor }: Context,
  ): Promise<ReportView> {
    return ask(reportById, actor, args);
  }

  @QueryField(listReports, () => ReportPage)
  reports(
    @QueryArgs(listReports) args: InputOf<typeof listReports>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ReportView>> {
    return ask(listReports, actor, args);
  }

  @QueryField(listReportSchedules, () => ReportSchedulePage)
  reportSchedules(
    @QueryArgs(listReportSchedules) args: InputOf<typeof listReportSchedules>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ScheduleView>> {
    return ask(listReportSchedules, actor, args);
  }

  @CommandField(renderReport, () => ReportAskedType)
  renderReport(
    @Input(renderReport) input: InputOf<typeof renderReport>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; jobId: string }> {
    return run(renderReport, actor, input);
  }

  @CommandField(createReportSchedule, () => ChangedType)
  createReportSchedule(
    @Input(createReportSchedule) input: InputOf<typeof createReportSchedule>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(createReportSchedule, actor, input);
  }

  @CommandField(pauseReportSchedule, () => ChangedType)
  pauseReportSchedule(
    @Input(pauseReportSchedule) input: InputOf<typeof pauseReportSchedule>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(pauseReportSchedule, actor, input);
  }

  @CommandField(resumeReportSchedule, () => ChangedType)
  resumeReportSchedule(
    @Input(resumeReportSchedule) input: InputOf<typeof resumeReportSchedule>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(resumeReportSchedule, actor, input);
  }
}
