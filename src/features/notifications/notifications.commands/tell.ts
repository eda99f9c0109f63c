import { z } from 'zod';
import { defineCommand, nothingChanged, type CommandOutcome } from '../../../kernel/command.js';
import { newsEvent } from '../events.js';
import { deliverJob } from '../notifications.jobs/deliver.js';
import { graceMs } from '../retry.js';
import { tellIn } from '../tell-in.js';

/** Tells people and other systems; run by reactions and by the clock only. */
export const tellPeople = defineCommand({
  name: 'news.tell',
  describe: 'Tells people and other systems of something.',
  permission: 'notification:record',
  input: z.object({
    event: newsEvent.exclude(['WEBHOOK_TEST']),
    subject: z.object({ kind: z.string(), id: z.uuid() }),
    title: z.string().min(1).max(1000),
    lines: z.array(z.string().max(5000)).max(20),
    link: z.string().startsWith('/').max(1000),
    actorId: z.string().nullable(),
    dedupeKey: z.string().min(1).max(500),
    people: z.array(z.object({ userId: z.uuid(), why: z.string() })).max(10_000),
    outside: z.boolean(),
  }),
  target: (_, input) => Promise.resolve({ id: input.subject.id }),
  handle: async ({ tx, actor, input, now, enqueue }): Promise<CommandOutcome<{ newsId: string | null }>> => {
    const { outside, ...told } = input;
    const done = await tellIn(tx, {
      ...told,
      workspaceId: actor.workspaceId ?? '',
      webhooks: outside ? 'subscribed' : 'none',
      now,
      nextTryAt: new Date(now.getTime() + graceMs),
    });
    if (!done) return { result: { newsId: null }, audit: nothingChanged };
    for (const deliveryId of done.deliveryIds) enqueue(deliverJob, { deliveryId, attempt: 1 });
    return { result: { newsId: done.newsId }, audit: done.audit };
  },
});
