import { Ctx, Resolver } from 'type-graphql';
import type { Page } from '../../../kernel/page.js';
import { ChangedType } from '../../../graphql/changed-type.js';
import type { Context } from '../../../graphql/context.js';
import { CommandField, Input, QueryArgs, QueryField, type InputOf } from '../../../graphql/fields.js';
import { replayDeliveries, replayDelivery } from '../notifications.commands/replay.js';
import {
  createWebhook,
  deleteWebhook,
  pauseWebhook,
  resumeWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook,
} from '../notifications.commands/webhooks.js';
import {
  listDeliveries,
  listWebhooks,
  type DeliveryView,
  type WebhookView,
} from '../notifications.queries/webhooks.js';
import { ChangedCountType } from './inbox.graphql.js';
import { DeliveryPage, WebhookPage, WebhookSecretType } from './webhook-types.graphql.js';

@Resolver()
export class WebhooksResolver {
  @QueryField(listWebhooks, () => WebhookPage)
  webhooks(
    @QueryArgs(listWebhooks) args: InputOf<typeof listWebhooks>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<WebhookView>> {
    return ask(listWebhooks, actor, args);
  }

  @QueryField(listDeliveries, () => DeliveryPage)
  deliveries(
    @QueryArgs(listDeliveries) args: InputOf<typeof listDeliveries>,
    @Ctx() { ask, actor }: Context,
  ): Promise<Page<DeliveryView>> {
    return ask(listDeliveries, actor, args);
  }

  @CommandField(createWebhook, () => WebhookSecretType)
  createWebhook(
    @Input(createWebhook) input: InputOf<typeof createWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; secret: string }> {
    return run(createWebhook, actor, input);
  }

  @CommandField(updateWebhook, () => ChangedType)
  updateWebhook(
    @Input(updateWebhook) input: InputOf<typeof updateWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(updateWebhook, actor, input);
  }

  @CommandField(rotateWebhookSecret, () => WebhookSecretType)
  rotateWebhookSecret(
    @Input(rotateWebhookSecret) input: InputOf<typeof rotateWebhookSecret>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string; secret: string }> {
    return run(rotateWebhookSecret, actor, input);
  }

  @CommandField(pauseWebhook, () => ChangedType)
  pauseWebhook(
    @Input(pauseWebhook) input: InputOf<typeof pauseWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(pauseWebhook, actor, input);
  }

  @CommandField(resumeWebhook, () => ChangedType)
  resumeWebhook(
    @Input(resumeWebhook) input: InputOf<typeof resumeWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(resumeWebhook, actor, input);
  }

  @CommandField(deleteWebhook, () => ChangedType)
  deleteWebhook(
    @Input(deleteWebhook) input: InputOf<typeof deleteWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(deleteWebhook, actor, input);
  }

  @CommandField(testWebhook, () => ChangedType)
  testWebhook(
    @Input(testWebhook) input: InputOf<typeof testWebhook>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(testWebhook, actor, input);
  }

  @CommandField(replayDelivery, () => ChangedType)
  replayDelivery(
    @Input(replayDelivery) input: InputOf<typeof replayDelivery>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ id: string }> {
    return run(replayDelivery, actor, input);
  }

  @CommandField(replayDeliveries, () => ChangedCountType)
  replayDeliveries(
    @Input(replayDeliveries) input: InputOf<typeof replayDeliveries>,
    @Ctx() { run, actor }: Context,
  ): Promise<{ changed: number }> {
    return run(replayDeliveries, actor, input);
  }
}
