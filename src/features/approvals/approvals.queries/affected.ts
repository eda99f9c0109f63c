import { z } from 'zod';
import { maxPageSize } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';

/** Requests that are open or in force, by what changed, in the words of the trail. A changed policy matters to all of them. */
const affected = `
  select c.id from change_request c
   where (c.state = 'OPEN' or (c.state = 'EXECUTED' and exists (
           select 1 from model_alias a where a.change_request_id = c.id)))
     and ($3::uuid is null or c.id > $3::uuid) and exists (
     select 1 from unnest($1::text[], $2::text[]) as s(kind, id)
      where (s.kind = 'policy')
         or (s.kind = 'modelVersion' and s.id in (c.version_id::text, c.from_version_id::text))
         or (s.kind = 'model' and s.id = c.model_id::text)
         or (s.kind = 'useCase' and s.id = c.use_case_id::text)
         or (s.kind = 'endpoint' and s.id = c.endpoint_id::text)
         or (s.kind = 'alias' and exists (
               select 1 from model_alias a where a.id::text = s.id and a.model_id = c.model_id))
         or (s.kind = 'card' and exists (
               select 1 from model_card k where k.id::text = s.id and k.version_id = c.version_id))
         or (s.kind = 'evaluation' and exists (
               select 1 from evaluation e where e.id::text = s.id and e.version_id = c.version_id))
         or (s.kind = 'evidence' and exists (
               select 1 from evidence e where e.id::text = s.id and e.version_id = c.version_id)))
   order by c.id limit $4`;

export const affectedRequests = defineQuery({
  name: 'changeRequest.affected',
  describe: 'The change requests, open or in force, that a change can matter to.',
  permission: 'changeRequest:read',
  input: z.object({
    subjects: z.array(z.object({ kind: z.string(), id: z.string() })),
    after: z.uuid().nullable(),
    first: z.int().min(1).max(maxPageSize),
  }),
  handle: async ({ db, input }): Promise<string[]> => {
    const kinds = input.subjects.map((one) => one.kind);
    const ids = input.subjects.map((one) => one.id);
    const rows = await db.sql<{ id: string }>(affected, [kinds, ids, input.after, input.first]);
    return rows.map((row) => row.id);
  },
});
