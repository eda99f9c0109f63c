import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { pageType } from '../../graphql/page-type.js';
import { listActivity, type ActivityView } from './activity.queries.js';

@ObjectType('Activity', { description: 'What somebody did, as a sentence.' })
export class ActivityType {
  @Field(() => ID, { description: 'The entry of the trail that tells it.' })
  id!: string;

  @Field(() => GraphQLDateTimeISO)
  at!: Date;

  @Field(() => String, { description: '`user`, `service` or `system`.' })
  actorKind!: string;

  @Field(() => ID)
  actorId!: string;

  @Field(() => String)
  actorName!: string;

  @Field(() => String, { description: '`Ada approved change request #7`' })
  sentence!: string;

  @Field(() => String)
  command!: string;

  @Field(() => String)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => String, { nullable: true, description: 'Where it is looked at.' })
  link!: string | null;
}

const ActivityPage = pageType('Activity', ActivityType);

@Resolver()
export class ActivityResolver {
  @QueryField(listActivity, () => ActivityPage)
  activity(
    @QueryArgs(listActivity) args: InputOf<typeof listActivity>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<ActivityView>> {
    return ask(listActivity, actor, args);
  }
}
