import type { UserActor } from '../../../kernel/actor.js';
import type { JobContext } from '../../../kernel/job.js';
import { addSlackComment } from '../slack.commands/add-comment.js';

/** What a linked person answered in the thread of a request. */
export interface ThreadAnswer {
  readonly changeRequestId: string;
  readonly text: string;
  readonly channel: string;
  /** Slack's key of the answer: the same key is kept once. */
  readonly ts: string;
}

/** The one place where an answer in a thread becomes a comment on the request, as the person who wrote it. */
export const addComment = async (
  { run }: Pick<JobContext<unknown>, 'run'>,
  person: UserActor,
  answer: ThreadAnswer,
): Promise<void> => {
  await run(addSlackComment, person, answer);
};
