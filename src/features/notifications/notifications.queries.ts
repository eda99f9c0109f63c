import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page } from '../../kernel/page.js';
import { defineQuery } from '../../kernel/query.js';
import type { NotificationState } from './notification.entity.js';

/** A notification as shown. */
export interface NotificationView {
  readonly id: string;
  readonly channel: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly title: string;
  readonly state: NotificationState;
  readonly reason: string | null;
  readonly createdAt: Date;
}

export const listNotifications = defineQuery({
  name: 'notification.list',
  describe: 'What people were told, or why not; newest first, all of it or about one thing.',
  permission: 'notification:read',
  input: z.object({ ...pageInput, subjectId: z.uuid().nullish() }),
  handle: async ({ db, input }): Promise<Page<NotificationView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<NotificationView>(
      `select id, channel, subject_kind as "subjectKind", subject_id as "subjectId", title, state, reason,
              created_at as "createdAt"
         from notification
        where ($1::uuid is null or id < $1::uuid) and ($2::uuid is null or subject_id = $2::uuid)
        order by id desc limit $3`,
      [after?.[0] ?? null, input.subjectId ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
