import { z } from 'zod';
import type { Actor } from '../../../kernel/actor.js';
import type { CommandContext } from '../../../kernel/command.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { isDuplicate, type Tx } from '../../../kernel/db.js';
import { urlFault } from '../../../kernel/egress.js';
import { AppError, conflict, invalidInput, notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { webhookEvent } from '../events.js';
import { deliverJob } from '../notifications.jobs/deliver.js';
import { graceMs } from '../retry.js';
import { tellIn } from '../tell-in.js';
import { newSecret, sealedAs, secretPlace, shownTarget, urlPlace } from '../webhook-sealing.js';
import { WebhookSecret } from '../webhook-secret.entity.js';
import { Webhook, webhookFormat, type WebhookState } from '../webhook.entity.js';

const mostWebhooks = 50;

const name = z.string().trim().min(1).max(100);
const address = z.string().trim().min(1).max(2000).describe('https on port 443 or 8443, at a public host.');
const events = z.array(webhookEvent).min(1).max(50);

/**
 * Refuses what no installation lets through. Whether this very machine may be called is asked when it is called, as is
 * everything that a name resolves to.
 */
const readAddress = (text: string): URL => {
  const fault = URL.canParse(text)
    ? urlFault(new URL(text), { allowLoopback: true })
    : 'the address cannot be read';
  if (fault === null) return new URL(text);
  throw invalidInput(`A webhook cannot lead there: ${fault}`, [{ path: 'url', message: fault }]);
};

const lockWebhook = async (tx: Tx, id: string): Promise<Webhook> => {
  const found = await tx.lock(Webhook, { id });
  if (!found || found.state === 'DELETED') throw notFound('The webhook');
  return found;
};

const named = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (!isDuplicate(error, 'webhook_by_name')) throw error;
    throw conflict('A webhook of this workspace has this name already', { rule: 'name-taken' });
  }
};

type Hands = Pick<CommandContext<unknown, unknown>, 'tx' | 'sealer' | 'now'>;

const addSecret = async ({ tx, sealer, now }: Hands, webhook: { id: string; workspaceId: string }) => {
  const id = newId();
  const secret = newSecret();
  const sealed = await sealer.seal(sealedAs(webhook.id), secretPlace(id), secret);
  const { workspaceId } = webhook;
  await tx.insert(WebhookSecret, {
    id,
    workspaceId,
    webhookId: webhook.id,
    sealed,
    createdAt: now,
    expiresAt: null,
  });
  return { id, secret };
};

const requireRoom = async (tx: Tx, actor: Actor): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('webhook/' || $1, 0))`, [actor.workspaceId]);
  const [row] = await tx.sql<{ count: number }>(
    `select count(*)::int as count from webhook where state <> 'DELETED'`,
  );
  if ((row?.count ?? 0) < mostWebhooks) return;
  throw conflict(`A workspace has at most ${String(mostWebhooks)} webhooks`, { rule: 'most-webhooks' });
};

export const createWebhook = defineCommand({
  name: 'webhook.create',
  describe: 'Tells another system of events from now on. The secret that signs is shown this once.',
  permission: 'webhook:manage',
  input: z.object({ name, url: address, events, format: webhookFormat.default('STANDARD') }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, actor, input, now, sealer }) => {
    const url = readAddress(input.url);
    await requireRoom(tx, actor);
    const id = newId();
    const workspaceId = actor.workspaceId ?? '';
    const sealedUrl = await sealer.seal(sealedAs(id), urlPlace(id), url.href);
    const wanted = [...new Set(input.events)];
    const row = {
      id,
      workspaceId,
      name: input.name,
      target: shownTarget(url),
      sealedUrl,
      format: input.format,
    };
    const by = { createdBy: actor.id, createdAt: now, updatedAt: now };
    await named(tx.insert(Webhook, { ...row, events: wanted, state: 'ACTIVE', ...by }));
    const { secret } = await addSecret({ tx, sealer, now }, { id, workspaceId });
    return {
      result: { id, secret },
      audit: {
        subject: { kind: 'webhook', id },
        changes: { state: { from: null, to: 'ACTIVE' } },
        facts: { name: input.name, target: row.target, format: input.format, events: wanted },
      },
    };
  },
});

export const updateWebhook = defineCommand({
  name: 'webhook.update',
  describe: 'Changes the name, the address, the form or the events of a webhook.',
  permission: 'webhook:manage',
  input: z.object({
    webhookId: z.uuid(),
    name: name.nullish(),
    url: address.nullish(),
    events: events.nullish(),
    format: webhookFormat.nullish(),
  }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: async ({ tx, input, target, now, sealer }) => {
    const url = input.url ? readAddress(input.url) : null;
    const next = {
      name: input.name ?? target.name,
      target: url === null ? target.target : shownTarget(url),
      format: input.format ?? target.format,
      events: input.events ? [...new Set(input.events)] : target.events,
    };
    const sealedUrl =
      url === null ? target.sealedUrl : await sealer.seal(sealedAs(target.id), urlPlace(target.id), url.href);
    await named(tx.update(Webhook, { id: target.id }, { ...next, sealedUrl, updatedAt: now }));
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'webhook', id: target.id },
        changes: {
          name: { from: target.name, to: next.name },
          target: { from: target.target, to: next.target },
          format: { from: target.format, to: next.format },
          events: { from: target.events, to: next.events },
        },
        facts: { addressChanged: url !== null },
      },
    };
  },
});

export const rotateWebhookSecret = defineCommand({
  name: 'webhook.rotateSecret',
  describe: 'Makes another secret, shown this once. The present one signs beside it for as long as you say.',
  permission: 'webhook:manage',
  input: z.object({
    webhookId: z.uuid(),
    keepOldHours: z.int().min(0).max(168).default(24).describe('0 ends the present secret at once.'),
  }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: async ({ tx, input, target, now, sealer }) => {
    const expiresAt = new Date(now.getTime() + input.keepOldHours * 3_600_000);
    // Two live at most: what was kept from an earlier rotation ends now.
    await tx.sql(`delete from webhook_secret where webhook_id = $1 and expires_at is not null`, [target.id]);
    await tx.sql(`update webhook_secret set expires_at = $2 where webhook_id = $1 and expires_at is null`, [
      target.id,
      expiresAt,
    ]);
    const { id, secret } = await addSecret({ tx, sealer, now }, target);
    return {
      result: { id: target.id, secret },
      audit: {
        subject: { kind: 'webhook', id: target.id },
        facts: { newSecret: id, oldSecretEndsAt: expiresAt.toISOString() },
      },
    };
  },
});

const moved = async (tx: Tx, target: Webhook, to: WebhookState, now: Date, reason: string | null) => {
  const result = { id: target.id };
  if (target.state === to) return { result, audit: nothingChanged } as const;
  const fresh = to === 'ACTIVE' ? { failingSince: null } : {};
  await tx.update(Webhook, { id: target.id }, { state: to, stateReason: reason, updatedAt: now, ...fresh });
  return {
    result,
    audit: {
      subject: { kind: 'webhook', id: target.id },
      changes: { state: { from: target.state, to } },
      facts: { reason },
    },
  };
};

export const pauseWebhook = defineCommand({
  name: 'webhook.pause',
  describe:
    'Sends nothing to a webhook until it is resumed; what happens meanwhile can be replayed if it was due.',
  permission: 'webhook:manage',
  input: z.object({
    webhookId: z.uuid(),
    reason: z.string().trim().min(1).max(500).default('paused by hand'),
  }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: ({ tx, input, target, now }) => moved(tx, target, 'PAUSED', now, input.reason),
});

export const resumeWebhook = defineCommand({
  name: 'webhook.resume',
  describe: 'Sends to a webhook again that was paused, or that was disabled after days of failures.',
  permission: 'webhook:manage',
  input: z.object({ webhookId: z.uuid() }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: ({ tx, target, now }) => moved(tx, target, 'ACTIVE', now, null),
});

export const deleteWebhook = defineCommand({
  name: 'webhook.delete',
  describe: 'Ends a webhook for good. Its address and its secrets are forgotten; its deliveries stay listed.',
  permission: 'webhook:manage',
  input: z.object({ webhookId: z.uuid() }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: async ({ tx, target, now }) => {
    await tx.remove(WebhookSecret, { webhookId: target.id });
    await tx.update(Webhook, { id: target.id }, { sealedUrl: '' });
    return moved(tx, target, 'DELETED', now, null);
  },
});

export const testWebhook = defineCommand({
  name: 'webhook.test',
  describe: 'Sends a message to a webhook that says nothing, to see whether it arrives.',
  permission: 'webhook:manage',
  input: z.object({ webhookId: z.uuid() }),
  target: (tx, input) => lockWebhook(tx, input.webhookId),
  handle: async ({ tx, actor, target, now, enqueue }) => {
    if (target.state !== 'ACTIVE') {
      throw new AppError('CONFLICT', 'Resume the webhook first', { rule: 'not-active', state: target.state });
    }
    const told = await tellIn(tx, {
      workspaceId: target.workspaceId,
      event: 'WEBHOOK_TEST',
      subject: { kind: 'webhook', id: target.id },
      title: `A test of the webhook ${target.name}`,
      lines: ['If you can read this, it works.'],
      link: '/settings/webhooks',
      actorId: actor.id,
      dedupeKey: `test:${newId()}`,
      people: [],
      webhooks: [target.id],
      now,
      nextTryAt: new Date(now.getTime() + graceMs),
    });
    const deliveryId = told?.deliveryIds[0];
    if (!told || deliveryId === undefined) throw new Error('A test of a webhook made no delivery');
    enqueue(deliverJob, { deliveryId, attempt: 1 });
    return { result: { id: deliveryId }, audit: told.audit };
  },
});
