import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import type { Context } from '../../graphql/context.js';
import { QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import { notificationState } from './notification.entity.js';
import { listNotifications, type NotificationView } from './notifications.queries.js';

// Enums that no input uses are made known before the schema is built.
const states = enumType(notificationState);

@ObjectType('Notification', { description: 'What people were told, or why not.' })
export class NotificationType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  channel!: string;

  @Field(() => String)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => String)
  title!: string;

  @Field(() => states)
  state!: string;

  @Field(() => String, { nullable: true })
  reason!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

const NotificationPage = pageType('Notification', NotificationType);

@Resolver()
export class NotificationsResolver {
  @QueryField(listNotifications, () => NotificationPage)
  notifications(
    @QueryArgs(listNotifications) args: InputOf<typeof listNotifications>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<NotificationView>> {
    return ask(listNotifications, actor, args);
  }
}
