import { AppError } from '../../kernel/errors.js';
import { defineReaction, type Change, type JobContext } from '../../kernel/job.js';
import type { ChatMessage } from '../../kernel/ports.js';
import {
  changeById,
  changeStandings,
  proposePolicy,
  requestOrFind,
  requestPromotion,
} from '../approvals/index.js';
import { requestEndpointResume } from '../deployments/index.js';
import { announcementOf } from './announcement.js';
import { recordNotification } from './notifications.commands.js';
import { wasTold } from './notifications.queries.js';

const attempts = 8;

type Outcome =
  | { readonly state: 'SENT'; readonly externalId: string }
  | { readonly state: 'NOT_SENT'; readonly reason: string };

/** Posts, or says why not. What may pass by itself (a rate limit, a network) is thrown and tried again. */
const tell = async ({ outside, attempt }: JobContext<Change>, message: ChatMessage): Promise<Outcome> => {
  if (!outside.chat.configured) return { state: 'NOT_SENT', reason: 'not sent: Slack is not configured' };
  try {
    const { id } = await outside.chat.post(message);
    return { state: 'SENT', externalId: id };
  } catch (error) {
    const isFinal = error instanceof AppError && error.code === 'PRECONDITION_FAILED';
    if (!isFinal && attempt < attempts) throw error;
    const why = error instanceof AppError ? error.message : 'Slack could not be reached';
    return { state: 'NOT_SENT', reason: `not sent: ${why}` };
  }
};

/**
 * Tells people that a change waits for them. A try that ends between posting and recording is made again, so a message
 * may stand there twice, with the same mark in its metadata; it is never missing without a row that says so.
 */
export const announceChange = defineReaction({
  name: 'notifications.announceChange',
  follows: [requestPromotion, requestOrFind, proposePolicy, requestEndpointResume],
  attempts,
  timeoutMs: 30_000,
  handle: async (context) => {
    const { payload, ask, run, actor } = context;
    // The first subject is what was opened; others were ended by it.
    const subject = payload.subjects.find(({ kind }) => kind === 'changeRequest');
    if (!subject || (await ask(wasTold, actor, { dedupeKey: payload.commandId }))) return;
    const change = await ask(changeById, actor, { id: subject.id });
    const [standing] = await ask(changeStandings, actor, { ids: [subject.id] });
    if (!standing) return;
    const message = announcementOf(change, standing, payload.commandId);
    const outcome = await tell(context, message);
    await run(
      recordNotification,
      actor,
      {
        outcome,
        channel: 'slack',
        subjectKind: 'changeRequest',
        subjectId: subject.id,
        title: message.title,
        dedupeKey: payload.commandId,
      },
      { effectKey: `${payload.commandId}:announced` },
    );
  },
});
