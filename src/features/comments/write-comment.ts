import { createHash } from 'node:crypto';
import type { AuditEntry } from '../../kernel/audit.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import type { Sealer } from '../../kernel/sealing.js';
import { CommentRevision } from './comment-revision.entity.js';
import { Comment, type CommentSubject, type CommentVia } from './comment.entity.js';
import { resolveMentions, type Mentions } from './mentions.js';

/** What a new comment says, about what. */
export interface NewComment {
  readonly workspaceId: string;
  readonly subject: { readonly kind: CommentSubject; readonly id: string };
  readonly author: { readonly kind: 'user' | 'service' | 'system'; readonly id: string };
  readonly text: string;
  readonly via: CommentVia;
  readonly now: Date;
}

/** What came of writing: names that nobody has are said, so that nobody waits for an answer. */
export interface WrittenComment {
  readonly id: string;
  readonly mentioned: Mentions['mentioned'];
  readonly unknownMentions: readonly string[];
}

const lookups: Readonly<Record<CommentSubject, string>> = {
  changeRequest: 'select null as "sealedFor", false as deleted from change_request where id = $1',
  modelVersion:
    'select null as "sealedFor", deleted_at is not null as deleted from model_version where id = $1',
  finding: 'select null as "sealedFor", false as deleted from finding where id = $1',
  review: `select d.subject_ref as "sealedFor", false as deleted from human_review r join decision d on d.id = r.decision_id
            where r.id = $1`,
};

/**
 * What is commented on must be seen in this workspace; says whose key seals what is said about it. What was deleted is
 * seen by those who read the trail, and nothing more is said about it.
 */
export const subjectOr404 = async (
  db: ReadDb,
  kind: CommentSubject,
  id: string,
  seesDeleted = false,
): Promise<{ readonly sealedFor: string | null }> => {
  const [found] = await db.sql<{ sealedFor: string | null; deleted: boolean }>(lookups[kind], [id]);
  if (!found || (found.deleted && !seesDeleted)) throw notFound('What the comment is about');
  return found;
};

/** Where the sealed text of a revision stands. */
export const bodyPlace = (revisionId: string): string => `comment_revision.body/${revisionId}`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Revising {
  readonly comment: Pick<Comment, 'id' | 'workspaceId' | 'sealedFor' | 'subjectKind' | 'subjectId'>;
  readonly revision: number;
  readonly text: string;
  readonly now: Date;
}

/** Adds a revision. The trail gets the digest of what is stored, so that the text can be checked and is not repeated. */
export const addRevision = async (
  tx: Tx,
  sealer: Sealer,
  { comment, revision, text, now }: Revising,
): Promise<{ readonly mentions: Mentions; readonly facts: Readonly<Record<string, unknown>> }> => {
  const id = newId();
  const mentions = await resolveMentions(tx, text);
  const { sealedFor, workspaceId, subjectKind, subjectId } = comment;
  const body = sealedFor === null ? text : await sealer.seal(sealedFor, bodyPlace(id), text);
  const called = mentions.mentioned.map(({ userId }) => userId);
  await tx.insert(CommentRevision, {
    id,
    workspaceId,
    commentId: comment.id,
    revision,
    body,
    mentions: called,
    writtenAt: now,
  });
  const about = { kind: subjectKind, id: subjectId };
  return { mentions, facts: { about, mentions: called, storedSha256: sha256(body) } };
};

/** Writes a comment in the caller's transaction; returns what came of it and what the trail must say. */
export const writeComment = async (
  tx: Tx,
  sealer: Sealer,
  { workspaceId, subject, author, text, via, now }: NewComment,
): Promise<{ readonly written: WrittenComment; readonly audit: AuditEntry }> => {
  const { sealedFor } = await subjectOr404(tx, subject.kind, subject.id);
  const id = newId();
  const comment = { id, workspaceId, sealedFor, subjectKind: subject.kind, subjectId: subject.id };
  await tx.insert(Comment, {
    ...comment,
    authorKind: author.kind,
    authorId: author.id,
    via,
    revision: 1,
    createdAt: now,
  });
  const { mentions, facts } = await addRevision(tx, sealer, { comment, revision: 1, text, now });
  return {
    written: { id, mentioned: mentions.mentioned, unknownMentions: mentions.unknown },
    audit: {
      subject: { kind: 'comment', id },
      changes: { revision: { from: null, to: 1 } },
      facts: { ...facts, via },
    },
  };
};
