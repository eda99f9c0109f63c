import { defineReaction } from '../../../kernel/job.js';
import type { ChatMessage } from '../../../kernel/ports.js';
import { evidenceAgeing, warnOfAge, type AgeingView } from '../../evaluations/index.js';
import { recordNotification } from '../notifications.commands.js';
import { attempts, tell } from '../notifications.jobs.js';
import { wasTold } from '../notifications.queries.js';

const messageOf = (view: AgeingView, dedupeKey: string): ChatMessage => {
  const named = `Evidence of ${view.kind.toLowerCase()} about ${view.modelName} version ${String(view.version)}`;
  const days = view.daysAhead === 1 ? '1 day' : `${String(view.daysAhead)} days`;
  const when = view.daysAhead === 0 ? 'is out of date' : `ends in ${days}`;
  return {
    // The configured channel.
    channel: '',
    title: `${named} ${when}`,
    lines: [
      `Use case: ${view.useCaseName}`,
      `Valid until: ${view.expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
      'It stands behind a protected alias. Stale evidence blocks new promotions; what it means for an endpoint was approved.',
    ],
    dedupeKey,
  };
};

/** Tells people once for each warning that evidence behind a protected alias grows old. */
export const announceAgeing = defineReaction({
  name: 'notifications.announceAgeing',
  follows: [warnOfAge],
  attempts,
  timeoutMs: 30_000,
  handle: async (context) => {
    const { payload, ask, run, actor } = context;
    const [subject] = payload.subjects;
    if (!subject || (await ask(wasTold, actor, { dedupeKey: payload.commandId }))) return;
    const view = await ask(evidenceAgeing, actor, { evidenceId: subject.id });
    const message = messageOf(view, payload.commandId);
    const outcome = await tell(context, message);
    const told = {
      outcome,
      channel: 'slack',
      subjectKind: 'evidence',
      subjectId: subject.id,
      title: message.title,
      dedupeKey: payload.commandId,
    };
    await run(recordNotification, actor, told, { effectKey: `${payload.commandId}:announced` });
  },
});
