import { z } from 'zod';
import { notFound } from '../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import {
  findingState,
  findingSubject,
  type FindingSeverity,
  type FindingState,
  type FindingSubject,
} from './finding.entity.js';

/** A finding as shown. */
export interface FindingView {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly severity: FindingSeverity;
  readonly state: FindingState;
  readonly ownerId: string;
  readonly ownerName: string | null;
  readonly dueAt: Date;
  readonly overdue: boolean;
  readonly subjectKind: FindingSubject;
  readonly subjectId: string;
  readonly changeRequestId: string | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedAt: Date | null;
}

const columns = (now: string): string => `
  f.id, f.title, f.detail, f.severity, f.state, f.owner_id as "ownerId", u.display_name as "ownerName",
  f.due_at as "dueAt", (f.state = 'OPEN' and f.due_at < ${now}) as overdue, f.subject_kind as "subjectKind",
  f.subject_id as "subjectId", f.change_request_id as "changeRequestId", f.created_by as "createdBy",
  f.created_at as "createdAt", f.resolution, f.resolved_by as "resolvedBy", f.resolved_at as "resolvedAt"`;

const source = `finding f left join app_user u on u.id = f.owner_id`;

export const findingById = defineQuery({
  name: 'finding.byId',
  describe: 'One finding.',
  permission: 'finding:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input, now }): Promise<FindingView> => {
    const [row] = await db.sql<FindingView>(`select ${columns('$2')} from ${source} where f.id = $1`, [
      input.id,
      now,
    ]);
    if (!row) throw notFound('The finding');
    return row;
  },
});

export const listFindings = defineQuery({
  name: 'finding.list',
  describe: 'Findings, newest first; all of them, or those in one state, about one thing, or of one request.',
  permission: 'finding:read',
  input: z.object({
    ...pageInput,
    state: findingState.nullish(),
    subjectKind: findingSubject.nullish(),
    subjectId: z.uuid().nullish(),
    changeRequestId: z.uuid().nullish(),
  }),
  handle: async ({ db, input, now }): Promise<Page<FindingView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<FindingView>(
      `select ${columns('$7')} from ${source}
        where ($1::uuid is null or f.id < $1::uuid) and ($2::text is null or f.state = $2)
          and ($3::text is null or f.subject_kind = $3) and ($4::uuid is null or f.subject_id = $4::uuid)
          and ($5::uuid is null or f.change_request_id = $5::uuid)
        order by f.id desc limit $6`,
      [
        after?.[0] ?? null,
        input.state ?? null,
        input.subjectKind ?? null,
        input.subjectId ?? null,
        input.changeRequestId ?? null,
        input.first + 1,
        now,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
