import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Ctx, Field, ID, Int, ObjectType, Resolver } from 'type-graphql';
import type { Page } from '../../kernel/page.js';
import { ChangedType } from '../../graphql/changed-type.js';
import type { Context } from '../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../graphql/fields.js';
import { enumType } from '../../graphql/input-types.js';
import { pageType } from '../../graphql/page-type.js';
import type { SlackSettings } from './settings.js';
import { slackDeliveryState } from './slack-delivery.entity.js';
import { removeSlackLink, unlinkSlack } from './slack.commands/links.js';
import { updateSlackSettings } from './slack.commands/settings.js';
import { listSlackLinks, type SlackLinkView } from './slack.queries/people.js';
import { listSlackDeliveries, slackSettings, type SlackDeliveryView } from './slack.queries/requests.js';

// Enums that no input uses are made known before the schema is built.
const states = enumType(slackDeliveryState);

@ObjectType('SlackSettings', { description: 'How the workspace uses Slack.' })
export class SlackSettingsType {
  @Field(() => String, { nullable: true, description: 'Null: the channel of the installation.' })
  channel!: string | null;

  @Field(() => Int, { nullable: true })
  remindAfterHours!: number | null;

  @Field(() => Int, { nullable: true })
  escalateAfterHours!: number | null;

  @Field(() => String, { nullable: true, description: 'Null: the thread of the request.' })
  escalationChannel!: string | null;

  @Field(() => String, { nullable: true, description: 'Null: those who are asked.' })
  escalationRole!: string | null;
}

@ObjectType('SlackLink', { description: 'Whose account in Slack it is, as the person showed by signing in.' })
export class SlackLinkType {
  @Field(() => ID)
  id!: string;

  @Field(() => ID)
  userId!: string;

  @Field(() => String)
  userName!: string;

  @Field(() => String)
  teamId!: string;

  @Field(() => String)
  slackUserId!: string;

  @Field(() => GraphQLDateTimeISO)
  linkedAt!: Date;
}

@ObjectType('SlackDelivery', { description: 'Something that was to be told in Slack.' })
export class SlackDeliveryType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  kind!: string;

  @Field(() => ID, { nullable: true })
  changeRequestId!: string | null;

  @Field(() => states)
  state!: string;

  @Field(() => Int)
  attempts!: number;

  @Field(() => String, { nullable: true, description: 'Why it was not sent.' })
  reason!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  settledAt!: Date | null;
}

const SlackLinkPage = pageType('SlackLink', SlackLinkType);
const SlackDeliveryPage = pageType('SlackDelivery', SlackDeliveryType);

@Resolver()
export class SlackResolver {
  @QueryField(slackSettings, () => SlackSettingsType)
  slackSettings(@Ctx() { ask, actor }: Context): Promise<SlackSettings> {
    return ask(slackSettings, actor, {});
  }

  @QueryField(listSlackLinks, () => SlackLinkPage)
  slackLinks(
    @QueryArgs(listSlackLinks) args: InputOf<typeof listSlackLinks>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<SlackLinkView>> {
    return ask(listSlackLinks, actor, args);
  }

  @QueryField(listSlackDeliveries, () => SlackDeliveryPage)
  slackDeliveries(
    @QueryArgs(listSlackDeliveries) args: InputOf<typeof listSlackDeliveries>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<SlackDeliveryView>> {
    return ask(listSlackDeliveries, actor, args);
  }

  @CommandField(updateSlackSettings, () => ChangedType)
  updateSlackSettings(
    @Input(updateSlackSettings) input: InputOf<typeof updateSlackSettings>,
    @Ctx() { run, actor }: Context,
  ): Promise<ChangedType> {
    return run(updateSlackSettings, actor, input);
  }

  @CommandField(unlinkSlack, () => ChangedType)
  unlinkSlack(
    @Input(unlinkSlack) input: InputOf<typeof unlinkSlack>,
    @Ctx() { run, actor }: Context,
  ): Promise<ChangedType> {
    return run(unlinkSlack, actor, input);
  }

  @CommandField(removeSlackLink, () => ChangedType)
  removeSlackLink(
    @Input(removeSlackLink) input: InputOf<typeof removeSlackLink>,
    @Ctx() { run, actor }: Context,
  ): Promise<ChangedType> {
    return run(removeSlackLink, actor, input);
  }
}
