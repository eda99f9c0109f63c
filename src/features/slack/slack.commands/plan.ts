import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { SlackDelivery, slackContent, type SlackDeliveryContent } from '../slack-delivery.entity.js';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;

/** How long something is worth sending. An answer to a click that comes an hour later answers nothing. */
const lifetimeOf = ({ kind }: SlackDeliveryContent): number =>
  kind === 'WHISPER' || kind === 'LINK' ? 10 * minuteMs : 3 * dayMs;

const planned = z.object({ content: slackContent, dedupeKey: z.string().min(1).max(200) });

type Planned = z.output<typeof planned>;

/**
 * What was planned before is not planned again. A drawing that has not begun will show the present anyway; a request has
 * one message, unless it could not be sent.
 */
const isNew = async (tx: Tx, changeRequestId: string | null, one: Planned): Promise<boolean> => {
  const [known] = await tx.sql(
    `select 1 from slack_delivery
      where dedupe_key = $1
         or (change_request_id = $2 and content->>'kind' = $3
             and ($3 = 'UPDATE' and state = 'WAITING' or $3 = 'REQUEST' and state <> 'NOT_SENT'))
      limit 1`,
    [one.dedupeKey, changeRequestId, one.content.kind],
  );
  return known === undefined;
};

/** Writes down what Slack is to be told; the same key is told once. */
export const planDeliveries = defineCommand({
  name: 'slackDelivery.plan',
  describe: 'Writes down what is to be told in Slack.',
  permission: 'slack:deliver',
  input: z.object({ changeRequestId: z.uuid().nullable(), deliveries: z.array(planned).max(500) }),
  target: (_tx, _input, actor) => Promise.resolve({ id: actor.workspaceId ?? '' }),
  handle: async ({ tx, input, target, now }) => {
    const { changeRequestId } = input;
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('slack_delivery/' || $1, 0))`, [target.id]);
    const audit: AuditEntry[] = [];
    for (const { content, dedupeKey } of input.deliveries) {
      if (!(await isNew(tx, changeRequestId, { content, dedupeKey }))) continue;
      const id = newId();
      await tx.insert(SlackDelivery, {
        id,
        workspaceId: target.id,
        changeRequestId,
        content,
        dedupeKey,
        state: 'WAITING',
        attempts: 0,
        uncertain: false,
        nextAt: now,
        expiresAt: new Date(now.getTime() + lifetimeOf(content)),
        createdAt: now,
      });
      audit.push({
        subject: { kind: 'slackDelivery', id },
        changes: { state: { from: null, to: 'WAITING' } },
        facts: { kind: content.kind, changeRequestId },
      });
    }
    const [first, ...others] = audit;
    return {
      result: { id: target.id, planned: audit.length },
      audit: first ? [first, ...others] : nothingChanged,
    };
  },
});
