import { z } from 'zod';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import type { Permission } from '../../kernel/permissions.js';
import { defineQuery } from '../../kernel/query.js';
import { decrypt, type Unsealer } from '../../kernel/sealing.js';
import { Comment, commentSubject, type CommentSubject, type CommentVia } from './comment.entity.js';
import type { Mentioned } from './mentions.js';
import { bodyPlace, subjectOr404 } from './write-comment.js';

/** A comment as shown. */
export interface CommentView {
  readonly id: string;
  readonly subjectKind: CommentSubject;
  readonly subjectId: string;
  readonly authorId: string;
  readonly authorName: string | null;
  readonly via: CommentVia;
  /** Null when it was deleted, or when the data of the person was erased. */
  readonly text: string | null;
  readonly revision: number;
  readonly mentioned: readonly Mentioned[];
  readonly createdAt: Date;
  readonly editedAt: Date | null;
  readonly deletedAt: Date | null;
  readonly deletedBy: string | null;
  readonly deleteReason: string | null;
  readonly viewerCanEdit: boolean;
}

interface Stored {
  readonly revisionId: string;
  readonly sealedFor: string | null;
  readonly body: string;
}

type CommentRow = Omit<CommentView, 'text' | 'viewerCanEdit'> & Stored;

/** The texts of revisions; the keys of all persons in them are read in one go. */
const textsOf = async (
  rows: readonly Stored[],
  unsealer: Unsealer,
): Promise<ReadonlyMap<string, string | null>> => {
  const persons = rows.flatMap(({ sealedFor }) => (sealedFor === null ? [] : [sealedFor]));
  const keys = persons.length === 0 ? new Map<string, Buffer>() : await unsealer.keysOf(persons);
  return new Map(
    rows.map(({ revisionId, sealedFor, body }) => {
      if (sealedFor === null) return [revisionId, body];
      const key = keys.get(sealedFor);
      return [revisionId, key ? z.string().parse(decrypt(key, bodyPlace(revisionId), body)) : null];
    }),
  );
};

const mentionedNow = `
  array(select json_build_object('userId', m.user_id, 'handle', m.handle, 'name', p.display_name)
          from member m join app_user p on p.id = m.user_id where m.user_id = any(r.mentions) order by m.handle)`;

/** What is said about a decision is for those who see reviews; to others it looks as if it were not there. */
const requireReadable = (kind: CommentSubject, may: (permission: Permission) => boolean): void => {
  if (kind === 'review' && !may('review:read')) throw notFound('What the comment is about');
};

export const listComments = defineQuery({
  name: 'comment.list',
  describe: 'What was said about a thing, oldest first. Deleted comments are shown as tombstones.',
  permission: 'comment:read',
  input: z.object({ ...pageInput, subjectKind: commentSubject, subjectId: z.uuid() }),
  handle: async ({ db, actor, input, may, unsealer }): Promise<Page<CommentView>> => {
    requireReadable(input.subjectKind, may);
    await subjectOr404(db, input.subjectKind, input.subjectId, may('audit:read'));
    const after = readCursor(input.after);
    const rows = await db.sql<CommentRow>(
      `select c.id, c.subject_kind as "subjectKind", c.subject_id as "subjectId", c.author_id as "authorId",
              u.display_name as "authorName", c.via, c.revision, c.created_at as "createdAt", c.edited_at as "editedAt",
              c.deleted_at as "deletedAt", c.deleted_by as "deletedBy", c.delete_reason as "deleteReason",
              c.sealed_for as "sealedFor", r.id as "revisionId", r.body, ${mentionedNow} as mentioned
         from comment c join comment_revision r on r.comment_id = c.id and r.revision = c.revision
         left join app_user u on u.id::text = c.author_id
        where c.subject_id = $1 and c.subject_kind = $2 and ($3::uuid is null or c.id > $3::uuid)
        order by c.id limit $4`,
      [input.subjectId, input.subjectKind, after?.[0] ?? null, input.first + 1],
    );
    const texts = await textsOf(rows, unsealer);
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      ({ revisionId, sealedFor: _, body: __, ...row }) => ({
        ...row,
        text: row.deletedAt === null ? (texts.get(revisionId) ?? null) : null,
        mentioned: row.deletedAt === null ? row.mentioned : [],
        viewerCanEdit: row.deletedAt === null && row.authorId === actor.id && may('comment:create'),
      }),
    );
  },
});

/** What a comment said at one time. */
export interface RevisionView {
  readonly id: string;
  readonly revision: number;
  readonly text: string | null;
  readonly writtenAt: Date;
}

type RevisionRow = Omit<RevisionView, 'text'> & Stored;

export const commentHistory = defineQuery({
  name: 'comment.history',
  describe:
    'Everything a comment has said, oldest first. Of a deleted comment only for those who read the trail.',
  permission: 'comment:read',
  input: z.object({ ...pageInput, commentId: z.uuid() }),
  handle: async ({ db, input, may, unsealer }): Promise<Page<RevisionView>> => {
    const comment = await db.findOne(Comment, { id: input.commentId });
    if (!comment || (comment.deletedAt !== null && !may('audit:read'))) throw notFound('The comment');
    requireReadable(comment.subjectKind, may);
    const after = readCursor(input.after);
    const rows = await db.sql<RevisionRow>(
      `select r.id, r.id as "revisionId", r.revision, r.body, r.written_at as "writtenAt", c.sealed_for as "sealedFor"
         from comment_revision r join comment c on c.id = r.comment_id
        where r.comment_id = $1 and ($2::uuid is null or r.id > $2::uuid) order by r.id limit $3`,
      [input.commentId, after?.[0] ?? null, input.first + 1],
    );
    const texts = await textsOf(rows, unsealer);
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      ({ id, revision, writtenAt, revisionId }) => ({
        id,
        revision,
        writtenAt,
        text: texts.get(revisionId) ?? null,
      }),
    );
  },
});
