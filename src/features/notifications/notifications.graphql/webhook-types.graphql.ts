import { GraphQLDateTimeISO } from 'graphql-scalars';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import { enumType } from '../../../graphql/input-types.js';
import { pageType } from '../../../graphql/page-type.js';
import { deliveryChannel, deliveryState } from '../delivery.entity.js';
import { webhookEvent } from '../events.js';
import { webhookFormat, webhookState } from '../webhook.entity.js';

const WebhookEventEnum = enumType(webhookEvent);
const FormatEnum = enumType(webhookFormat);
const StateEnum = enumType(webhookState);
const ChannelEnum = enumType(deliveryChannel);
const DeliveryStateEnum = enumType(deliveryState);

@ObjectType('Webhook', { description: 'Another system that is told of events.' })
export class WebhookType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Where it leads, without what may be a secret in it.' })
  target!: string;

  @Field(() => FormatEnum)
  format!: string;

  @Field(() => [WebhookEventEnum])
  events!: string[];

  @Field(() => StateEnum)
  state!: string;

  @Field(() => String, { nullable: true })
  stateReason!: string | null;

  @Field(() => GraphQLDateTimeISO, { nullable: true, description: 'Since when every delivery has failed.' })
  failingSince!: Date | null;

  @Field(() => GraphQLDateTimeISO, {
    nullable: true,
    description: 'Until when an earlier secret signs beside the current one.',
  })
  oldSecretEndsAt!: Date | null;

  @Field(() => Int, { description: 'Messages that never arrived.' })
  dead!: number;

  @Field(() => ID)
  createdBy!: string;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;
}

@ObjectType('WebhookSecret', { description: 'The secret of a webhook; it is not shown again.' })
export class WebhookSecretType {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  secret!: string;
}

@ObjectType('Delivery', { description: 'News on their way to one person in one channel, or to one webhook.' })
export class DeliveryType {
  @Field(() => ID, { description: 'A receiver knows the message as `msg_` and this id.' })
  id!: string;

  @Field(() => ChannelEnum)
  channel!: string;

  @Field(() => ID, { nullable: true })
  webhookId!: string | null;

  @Field(() => ID, { nullable: true })
  userId!: string | null;

  @Field(() => String)
  event!: string;

  @Field(() => String, { nullable: true, description: 'Null for what is between Countersign and a person.' })
  title!: string | null;

  @Field(() => Int, { description: 'How many news it holds: a mail of the day has several.' })
  news!: number;

  @Field(() => DeliveryStateEnum)
  state!: string;

  @Field(() => Int)
  attempts!: number;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  nextTryAt!: Date | null;

  @Field(() => Int, { nullable: true })
  lastStatus!: number | null;

  @Field(() => String, { nullable: true })
  lastReason!: string | null;

  @Field(() => GraphQLDateTimeISO)
  createdAt!: Date;

  @Field(() => GraphQLDateTimeISO, { nullable: true })
  settledAt!: Date | null;
}

export const WebhookPage = pageType('Webhook', WebhookType);
export const DeliveryPage = pageType('Delivery', DeliveryType);
