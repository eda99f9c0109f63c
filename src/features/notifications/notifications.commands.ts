import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../kernel/command.js';
import { newId } from '../../kernel/id.js';
import { Notification } from './notification.entity.js';

const sent = z.object({ state: z.literal('SENT'), externalId: z.string().min(1) });
const notSent = z.object({ state: z.literal('NOT_SENT'), reason: z.string().min(1).max(1000) });

/** Writes down that people were told, or why not; run by reactions only. */
export const recordNotification = defineCommand({
  name: 'notification.record',
  describe: 'Records what people were told, or why not.',
  permission: 'notification:record',
  input: z.object({
    channel: z.string().min(1),
    subjectKind: z.string(),
    subjectId: z.uuid(),
    title: z.string(),
    dedupeKey: z.string(),
    outcome: z.discriminatedUnion('state', [sent, notSent]),
  }),
  target: (_, input) => Promise.resolve({ id: input.subjectId }),
  handle: async ({ tx, actor, input, now }) => {
    const { outcome, ...told } = input;
    const earlier = await tx.findOne(Notification, { dedupeKey: told.dedupeKey });
    if (earlier) return { result: { id: earlier.id }, audit: nothingChanged };
    const id = newId();
    const workspaceId = actor.workspaceId ?? '';
    await tx.insert(Notification, { ...told, ...outcome, id, workspaceId, createdAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'notification', id },
        changes: { state: { from: null, to: outcome.state } },
        facts: { ...told, ...outcome },
      },
    };
  },
});
