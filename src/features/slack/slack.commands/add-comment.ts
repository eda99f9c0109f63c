import { z } from 'zod';
import { defineCommand } from '../../../kernel/command.js';
import { notFound } from '../../../kernel/errors.js';
import { ChangeRequest } from '../../approvals/index.js';
import { writeComment } from '../../comments/index.js';

/** An answer in the thread of a request is a comment on it, like one that was written here. */
export const addSlackComment = defineCommand({
  name: 'slackComment.add',
  describe: 'Keeps what you answered in the thread of a change request in Slack.',
  permission: 'slack:comment',
  input: z.object({ changeRequestId: z.uuid(), text: z.string().trim().min(1).max(10_000) }),
  target: async (tx, input) => {
    const change = await tx.findOne(ChangeRequest, { id: input.changeRequestId });
    if (!change) throw notFound('The change request');
    return change;
  },
  handle: async ({ tx, actor, input, target, now, sealer }) => {
    const { written, audit } = await writeComment(tx, sealer, {
      workspaceId: target.workspaceId,
      subject: { kind: 'changeRequest', id: target.id },
      author: actor,
      text: input.text,
      via: 'SLACK',
      now,
    });
    return { result: { id: written.id }, audit };
  },
});
