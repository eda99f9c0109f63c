import { AppError } from '../../../kernel/errors.js';
import type { Change, JobContext } from '../../../kernel/job.js';
import type { ChatMessage } from '../../../kernel/ports.js';
import { recordNotification } from '../notifications.commands.js';
import { wasTold } from '../notifications.queries.js';

/** How often people are tried to be told. */
export const attempts = 8;

type Outcome =
  | { readonly state: 'SENT'; readonly externalId: string }
  | { readonly state: 'NOT_SENT'; readonly reason: string };

/** Posts, or says why not. What may pass by itself (a rate limit, a network) is thrown and tried again. */
const post = async ({ outside, attempt }: JobContext<Change>, message: ChatMessage): Promise<Outcome> => {
  if (!outside.chat.configured) return { state: 'NOT_SENT', reason: 'not sent: Slack is not configured' };
  try {
    const { id } = await outside.chat.post(message);
    return { state: 'SENT', externalId: id };
  } catch (error) {
    if (error instanceof AppError && error.code === 'PRECONDITION_FAILED')
      return { state: 'NOT_SENT', reason: error.message };
    if (attempt < attempts) throw error;
    return { state: 'NOT_SENT', reason: `not sent after ${String(attempts)} tries: the chat did not answer` };
  }
};

/**
 * Tells the configured channel of something, once per command. A post that succeeded before its record was written
 * happens again after a crash, with the same dedupe key in its metadata, so that it can be told.
 */
export const tellChannel = async (
  context: JobContext<Change>,
  subjectKind: string,
  read: (subjectId: string) => Promise<Omit<ChatMessage, 'channel' | 'dedupeKey'>>,
): Promise<void> => {
  const { payload, ask, run, actor } = context;
  const dedupeKey = payload.commandId;
  const subject = payload.subjects.find(({ kind }) => kind === subjectKind);
  if (!subject || (await ask(wasTold, actor, { dedupeKey }))) return;
  const message = { ...(await read(subject.id)), channel: '', dedupeKey };
  const outcome = await post(context, message);
  await run(
    recordNotification,
    actor,
    { outcome, channel: 'slack', subjectKind, subjectId: subject.id, title: message.title, dedupeKey },
    { effectKey: `${dedupeKey}:announced` },
  );
};
