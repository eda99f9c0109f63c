import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { notificationEvent, notificationMode } from '../events.js';
import { markAllRead, markRead, setPreference } from '../notifications.commands/inbox.js';
import {
  countUnread,
  readInbox,
  readPreferences,
  type InboxView,
  type PreferencesView,
} from '../notifications.queries/inbox.js';

const EventEnum = enumType(notificationEvent);
const ModeEnum = enumType(notificationMode);

@ObjectType('InboxItem', { description: 'Something that you were told.' })
export class InboxItemType {
  @Field(() => ID)
  id!: string;

  @Field(() => EventEnum)
  event!: string;

  @Field(() => String)
  title!: string;

  @Field(() => [String])
  lines!: string[];

  @Field(() => String, { description: 'Where it is looked at.' })
  link!: string;

  @Field(() => String, { description: 'Why you are told.' })
  why!: string;

  @Field(() => String)
  subjectKind!: string;

  @Field(() => ID)
  subjectId!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  readAt!: Date | null;

  @Field(() => [String], {
    description: 'Channels in which it could not be delivered to you, and why.',
  })
  undelivered!: string[];
}

@ObjectType('NotificationPreference', { description: 'How you are told of an event.' })
export class PreferenceType {
  @Field(() => EventEnum)
  event!: string;

  @Field(() => ModeEnum)
  inApp!: string;

  @Field(() => ModeEnum)
  email!: string;

  @Field(() => ModeEnum)
  slack!: string;

  @Field(() => Boolean, { description: 'Whether it may be kept out of your inbox.' })
  silenceable!: boolean;
}

@ObjectType('NotificationPreferences', { description: 'How you are told of things.' })
export class PreferencesType {
  @Field(() => Boolean, {
    description: 'Whether Slack knows you; without that nothing is sent to you there.',
  })
  slackLinked!: boolean;

  @Field(() => [PreferenceType])
  events!: PreferenceType[];
}

@ObjectType('ChangedCount', { description: 'How many were changed.' })
export class ChangedCountType {
  @Field(() => Int)
  changed!: number;
}

const InboxPage = pageType('InboxItem', InboxItemType);

@Resolver()
export class InboxResolver {
  @QueryField(readInbox, () => InboxPage)
  inbox(
    @QueryArgs(readInbox) args: InputOf<typeof readInbox>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<InboxView>> {
    return ask(readInbox, actor, args);
  }

  @QueryField(countUnread, () => Int)
  inboxUnread(@Ctx() { ask, actor }: Context): Promise<number> {
    return ask(countUnread, actor, {});
  }

  @QueryField(readPreferences, () => PreferencesType)
  notificationPreferences(@Ctx() { ask, actor }: Context): Promise<PreferencesView> {
    return ask(readPreferences, actor, {});
  }

  @CommandField(markRead, () => ChangedCountType)
  markRead(
    @Input(markRead) input: InputOf<typeof markRead>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ changed: number }> {
    return run(markRead, actor, input);
  }

  @CommandField(markAllRead, () => ChangedCountType)
  markAllRead(
    @Input(markAllRead) input: InputOf<typeof markAllRead>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ changed: number }> {
    return run(markAllRead, actor, input);
  }

  @CommandField(setPreference, () => ChangedType)
  setNotificationPreference(
    @Input(setPreference) input: InputOf<typeof setPreference>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(setPreference, actor, input);
  }
}
