import { z } from 'zod';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import { notFound } from '../../../kernel/errors.js';
import { newId } from '../../../kernel/id.js';
import { ChangeRequest } from '../../approvals/index.js';
import { SlackComment } from '../slack-comment.entity.js';

/** Keeps what a person answered in the thread of a request; the same message is kept once. */
export const addSlackComment = defineCommand({
  name: 'slackComment.add',
  describe: 'Keeps what you answered in the thread of a change request in Slack.',
  permission: 'slack:comment',
  input: z.object({
    changeRequestId: z.uuid(),
    text: z.string().trim().min(1).max(10_000),
    channel: z.string().min(1).max(100),
    ts: z.string().min(1).max(40),
  }),
  target: async (tx, input) => {
    const change = await tx.findOne(ChangeRequest, { id: input.changeRequestId });
    if (!change) throw notFound('The change request');
    return change;
  },
  handle: async ({ tx, actor, input, target, now }) => {
    const { channel, ts, text } = input;
    const known = await tx.findOne(SlackComment, { channel, ts });
    if (known) return { result: { id: known.id }, audit: nothingChanged };
    const id = newId();
    const { workspaceId } = target;
    const row = { id, workspaceId, changeRequestId: target.id, userId: actor.id, text, channel, ts };
    await tx.insert(SlackComment, { ...row, createdAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'changeRequest', id: target.id },
        facts: { comment: id },
        personal: { subjectId: actor.id, data: { text } },
      },
    };
  },
});
