import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, Float, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { jobById, jobState, listJobs, type JobView } from './jobs.queries.js';

// Registered when the module loads: inside of a field it would come too late for the schema.
const JobStateEnum = enumType(jobState);

@ObjectType('Job', { description: 'Work that was asked for and runs by itself.' })
export class JobType {
  @Field(() => ID)
  id!: string;

  @Field(() => String, { description: 'What is done, such as `registry.intake`.' })
  name!: string;

  @Field(() => String, { description: 'What it is about, such as `modelVersion`.' })
  subjectKind!: string;

  @Field(() => String)
  subjectId!: string;

  @Field(() => JobStateEnum)
  state!: JobView['state'];

  @Field(() => Float, { description: 'From 0 to 1.' })
  progress!: number;

  @Field(() => String, { description: 'What it is doing, or why it failed.' })
  message!: string;

  @Field(() => Int, { description: 'How often it was begun, failures included.' })
  attempts!: number;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  startedAt!: Date | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  finishedAt!: Date | null;
}

export const JobPage = pageType('Job', JobType);

@Resolver()
export class JobsResolver {
  @QueryField(jobById, () => JobType)
  job(@QueryArgs(jobById) args: InputOf<typeof jobById>, @Ctx() { ask, actor }: Context): Promise<JobView> {
    return ask(jobById, actor, args);
  }

  @QueryField(listJobs, () => JobPage)
  jobs(
    @QueryArgs(listJobs) args: InputOf<typeof listJobs>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<JobView>> {
    return ask(listJobs, actor, args);
  }
}
