import { z } from 'zod';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';

/** A lent role as shown. */
export interface DelegationView {
  readonly id: string;
  readonly fromUserId: string;
  readonly fromName: string | null;
  readonly toUserId: string;
  readonly toName: string | null;
  readonly role: string;
  readonly reason: string;
  readonly createdAt: Date;
  readonly endsAt: Date;
  readonly revokedAt: Date | null;
  readonly revokeReason: string | null;
  readonly active: boolean;
}

export const listDelegations = defineQuery({
  name: 'delegation.list',
  describe: 'Roles that members lent to others, newest first; all of them, or those that count now.',
  permission: 'delegation:read',
  input: z.object({ ...pageInput, active: z.boolean().nullish() }),
  handle: async ({ db, input, now }): Promise<Page<DelegationView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<DelegationView>(
      `select d.id, d.from_user_id as "fromUserId", f.display_name as "fromName", d.to_user_id as "toUserId",
              t.display_name as "toName", d.role, d.reason, d.created_at as "createdAt", d.ends_at as "endsAt",
              d.revoked_at as "revokedAt", d.revoke_reason as "revokeReason", n.active
         from delegation d
         left join app_user f on f.id = d.from_user_id
         left join app_user t on t.id = d.to_user_id
         cross join lateral (select d.revoked_at is null and d.ends_at > $1::timestamptz as active) n
        where ($2::uuid is null or d.id < $2::uuid) and ($3::boolean is null or n.active = $3)
        order by d.id desc limit $4`,
      [now, after?.[0] ?? null, input.active ?? null, input.first + 1],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});
