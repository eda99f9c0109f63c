import { defineReaction } from '../../../kernel/job.js';
import { evidenceAgeing, warnOfAge } from '../../evaluations/index.js';
import { attempts, tellChannel } from './tell-channel.js';

/** Tells the channel once for each warning that evidence behind a protected alias grows old. */
export const announceAgeing = defineReaction({
  name: 'notifications.announceAgeing',
  follows: [warnOfAge],
  attempts,
  timeoutMs: 30_000,
  handle: (context) =>
    tellChannel(context, 'evidence', async (evidenceId) => {
      const view = await context.ask(evidenceAgeing, context.actor, { evidenceId });
      const named = `Evidence of ${view.kind.toLowerCase()} about ${view.modelName} version ${String(view.version)}`;
      const days = view.daysAhead === 1 ? '1 day' : `${String(view.daysAhead)} days`;
      return {
        title: `${named} ${view.daysAhead === 0 ? 'is out of date' : `ends in ${days}`}`,
        lines: [
          `Use case: ${view.useCaseName}`,
          `Valid until: ${view.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
          'It stands behind a protected alias. Stale evidence blocks new promotions; what it means for an endpoint was approved.',
        ],
      };
    }),
});
