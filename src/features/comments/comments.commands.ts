import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { defineCommand } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { AppError, conflict, notFound } from '../../kernel/errors.js';
import { CommentRevision } from './comment-revision.entity.js';
import { Comment, commentSubject } from './comment.entity.js';
import { addRevision, subjectOr404, writeComment } from './write-comment.js';

const text = z.string().trim().min(1).max(10_000).describe('Markdown. `@handle` mentions a member.');

/** What every member may comment on; a decision under review is for those who see reviews. */
const openSubject = commentSubject.exclude(['review']).meta({ id: 'OpenCommentSubjectKind' });

const workspaceOf = (actor: Actor): string => actor.workspaceId ?? '';

export const addComment = defineCommand({
  name: 'comment.add',
  describe: 'Comments on a change request, a model version or a finding.',
  permission: 'comment:create',
  input: z.object({ subjectKind: openSubject, subjectId: z.uuid(), text }),
  target: async (tx, input) => {
    await subjectOr404(tx, input.subjectKind, input.subjectId);
    return { id: input.subjectId };
  },
  handle: async ({ tx, actor, input, now, sealer }) => {
    const subject = { kind: input.subjectKind, id: input.subjectId };
    const workspaceId = workspaceOf(actor);
    const told = { workspaceId, subject, author: actor, text: input.text, via: 'COUNTERSIGN', now } as const;
    const { written, audit } = await writeComment(tx, sealer, told);
    return { result: written, audit };
  },
});

export const commentOnReview = defineCommand({
  name: 'review.comment',
  describe:
    'Comments on a decision under review. The text is sealed with the key of the person whom the decision is about.',
  permission: 'review:comment',
  input: z.object({ reviewId: z.uuid(), text }),
  target: async (tx, input) => {
    await subjectOr404(tx, 'review', input.reviewId);
    return { id: input.reviewId };
  },
  handle: async ({ tx, actor, input, now, sealer }) => {
    const subject = { kind: 'review', id: input.reviewId } as const;
    const workspaceId = workspaceOf(actor);
    const told = { workspaceId, subject, author: actor, text: input.text, via: 'COUNTERSIGN', now } as const;
    const { written, audit } = await writeComment(tx, sealer, told);
    return { result: written, audit };
  },
});

const lockComment = async (tx: Tx, id: string): Promise<Comment> => {
  const found = await tx.lock(Comment, { id });
  if (!found) throw notFound('The comment');
  return found;
};

const requireStanding = ({ deletedAt }: Comment): void => {
  if (deletedAt === null) return;
  throw conflict('The comment was deleted', { rule: 'comment-deleted', deletedAt: deletedAt.toISOString() });
};

const requireAuthor = ({ authorKind, authorId }: Comment, actor: Actor): void => {
  if (authorKind === actor.kind && authorId === actor.id) return;
  throw new AppError('FORBIDDEN', 'Only whoever wrote a comment changes it', { rule: 'not-author' });
};

export const editComment = defineCommand({
  name: 'comment.edit',
  describe: 'Says it differently. What your comment said before stays in its history.',
  permission: 'comment:create',
  input: z.object({
    commentId: z.uuid(),
    text,
    revision: z.int().min(1).nullish().describe('The revision you saw; refused when there is a newer one.'),
  }),
  target: (tx, input) => lockComment(tx, input.commentId),
  handle: async ({ tx, actor, input, target, now, sealer }) => {
    requireAuthor(target, actor);
    requireStanding(target);
    if (input.revision && input.revision !== target.revision) {
      throw conflict('The comment was changed meanwhile; look again', {
        rule: 'newer-revision',
        revision: target.revision,
      });
    }
    const before = await tx.findOne(CommentRevision, { commentId: target.id, revision: target.revision });
    const revision = target.revision + 1;
    const added = await addRevision(tx, sealer, { comment: target, revision, text: input.text, now });
    await tx.update(Comment, { id: target.id }, { revision, editedAt: now });
    const { mentioned, unknown } = added.mentions;
    const called = mentioned.map(({ userId }) => userId);
    return {
      result: { id: target.id, mentioned, unknownMentions: unknown },
      audit: {
        subject: { kind: 'comment', id: target.id },
        changes: { revision: { from: target.revision, to: revision } },
        // Whoever was called before is not called again.
        facts: { ...added.facts, mentions: called.filter((id) => !before?.mentions.includes(id)) },
      },
    };
  },
});

const bury = async (tx: Tx, target: Comment, by: string, now: Date, reason: string | null) => {
  await tx.update(Comment, { id: target.id }, { deletedAt: now, deletedBy: by, deleteReason: reason });
  return {
    result: { id: target.id },
    audit: {
      subject: { kind: 'comment', id: target.id },
      changes: { state: { from: 'WRITTEN', to: 'DELETED' } },
      facts: { about: { kind: target.subjectKind, id: target.subjectId }, reason },
    },
  };
};

export const deleteComment = defineCommand({
  name: 'comment.delete',
  describe: 'Takes your comment back. A tombstone stays; auditors still read what it said.',
  permission: 'comment:create',
  input: z.object({ commentId: z.uuid() }),
  target: (tx, input) => lockComment(tx, input.commentId),
  handle: async ({ tx, actor, target, now }) => {
    requireAuthor(target, actor);
    requireStanding(target);
    return bury(tx, target, actor.id, now, null);
  },
});

export const moderateComment = defineCommand({
  name: 'comment.moderate',
  describe: 'Takes away what somebody else wrote, and says why. A tombstone stays.',
  permission: 'comment:moderate',
  input: z.object({ commentId: z.uuid(), reason: z.string().trim().min(1).max(2000) }),
  target: (tx, input) => lockComment(tx, input.commentId),
  handle: async ({ tx, actor, input, target, now }) => {
    requireStanding(target);
    return bury(tx, target, actor.id, now, input.reason);
  },
});
