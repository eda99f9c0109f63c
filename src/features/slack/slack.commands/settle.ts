import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { SlackDelivery } from '../slack-delivery.entity.js';
import { SlackMessage } from '../slack-message.entity.js';
import { wakeJob } from '../slack.jobs/wake.js';

const outcome = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('SENT'),
    place: z.object({ channel: z.string(), ts: z.string() }).nullable(),
    /** What the message of the request shows now. */
    shownSha256: z.string().nullable(),
  }),
  z.object({ state: z.literal('NOT_SENT'), reason: z.string().min(1).max(1000) }),
  z.object({ state: z.literal('WAITING'), notBefore: z.coerce.date(), uncertain: z.boolean() }),
]);

/** How a try ended. */
export type DeliveryOutcome = z.output<typeof outcome>;

type Sent = Extract<DeliveryOutcome, { state: 'SENT' }>;

/** Remembers where the message of a request stands and what it shows. */
const noteMessage = async (
  tx: Tx,
  delivery: SlackDelivery,
  { place, shownSha256 }: Sent,
  now: Date,
): Promise<void> => {
  const { changeRequestId, workspaceId, content } = delivery;
  if (changeRequestId === null || shownSha256 === null || place === null) return;
  if (content.kind === 'REQUEST') {
    const row = {
      id: newId(),
      workspaceId,
      changeRequestId,
      ...place,
      shownSha256,
      createdAt: now,
      updatedAt: now,
    };
    await tx.insert(SlackMessage, row);
  }
  if (content.kind === 'UPDATE')
    await tx.update(SlackMessage, { changeRequestId }, { shownSha256, updatedAt: now });
};

/** Writes down how a try ended; one that has to be made again is made when Slack said. */
export const settleDelivery = defineCommand({
  name: 'slackDelivery.settle',
  describe: 'Writes down whether Slack has it.',
  permission: 'slack:deliver',
  input: z.object({ id: z.uuid(), holder: z.uuid(), outcome }),
  target: async (tx, input) => {
    const delivery = await tx.lock(SlackDelivery, { id: input.id });
    if (!delivery) throw notFound('The delivery');
    return delivery;
  },
  handle: async ({ tx, input, target, now, enqueue }) => {
    const result = { id: target.id };
    // Another job took it over when this one seemed to have ended.
    if (target.state !== 'SENDING' || target.holder !== input.holder)
      return { result, audit: nothingChanged };
    const free = { holder: null, heldUntil: null };
    const ended = input.outcome;
    if (ended.state === 'WAITING') {
      const { notBefore: nextAt } = ended;
      const uncertain = target.uncertain || ended.uncertain;
      await tx.update(SlackDelivery, { id: target.id }, { ...free, state: 'WAITING', nextAt, uncertain });
      enqueue(wakeJob, {}, { notBefore: nextAt });
    } else if (ended.state === 'NOT_SENT') {
      const { reason } = ended;
      await tx.update(
        SlackDelivery,
        { id: target.id },
        { ...free, state: 'NOT_SENT', reason, settledAt: now },
      );
    } else {
      const ts = ended.place?.ts ?? null;
      await tx.update(SlackDelivery, { id: target.id }, { ...free, state: 'SENT', ts, settledAt: now });
      await noteMessage(tx, target, ended, now);
    }
    return {
      result,
      audit: {
        subject: { kind: 'slackDelivery', id: target.id },
        changes: { state: { from: 'SENDING', to: ended.state } },
        facts: { kind: target.content.kind, reason: ended.state === 'NOT_SENT' ? ended.reason : null },
      },
    };
  },
});
