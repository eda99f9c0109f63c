import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';

/** Something that is about to be due, or is late. */
export interface Ahead {
  readonly kind: 'changeRequest' | 'finding';
  readonly id: string;
  readonly ownerId: string | null;
  readonly dueAt: Date;
  readonly late: boolean;
  readonly dedupeKey: string;
}

const mostAtOnce = 500;

export const whatIsAhead = defineQuery({
  name: 'news.ahead',
  describe:
    'Requests about to expire and findings about to be due, of which nobody was told yet; asked by the clock only.',
  permission: 'notification:record',
  input: z.object({}),
  handle: ({ db, now }): Promise<Ahead[]> =>
    db.sql<Ahead>(
      `select a.* from (
         select 'changeRequest' as kind, c.id, null::uuid as "ownerId", c.expires_at as "dueAt", false as late,
                'expiring:' || c.id || ':' || extract(epoch from c.expires_at)::bigint as "dedupeKey"
           from change_request c
          where c.state = 'OPEN' and c.expires_at > $1 and c.expires_at <= $1::timestamptz + interval '2 days'
         union all
         select 'finding', f.id, f.owner_id, f.due_at, f.due_at <= $1,
                'due:' || f.id || ':' || extract(epoch from f.due_at)::bigint || case when f.due_at <= $1 then ':late' else ':soon' end
           from finding f where f.state = 'OPEN' and f.due_at <= $1::timestamptz + interval '3 days') a
        where not exists (select from news n where n.dedupe_key = a."dedupeKey")
        order by a."dueAt" limit $2`,
      [now, mostAtOnce],
    ),
});
