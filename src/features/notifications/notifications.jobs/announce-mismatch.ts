import { defineReaction } from '../../../kernel/job.js';
import { reconcileRuntime } from '../../attestations/index.js';
import { findingById } from '../../findings/index.js';
import { attempts, tellChannel } from './tell-channel.js';

/** Tells the channel that something runs which is not approved, once per finding. */
export const announceMismatch = defineReaction({
  name: 'notifications.announceMismatch',
  follows: [reconcileRuntime],
  attempts,
  timeoutMs: 30_000,
  handle: (context) =>
    tellChannel(context, 'finding', async (id) => {
      const { title, detail, severity, dueAt } = await context.ask(findingById, context.actor, { id });
      const due = dueAt.toISOString().slice(0, 10);
      return { title, lines: [detail, `Severity: ${severity.toLowerCase()}`, `Due: ${due}`] };
    }),
});
