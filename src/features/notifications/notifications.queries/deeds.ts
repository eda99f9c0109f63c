import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';
import type { Deed } from '../drafts.js';

interface Row {
  readonly kind: string;
  readonly id: string;
  readonly body: Pick<Deed, 'changes' | 'facts'>;
}

export const deedsOf = defineQuery({
  name: 'news.deeds',
  describe: 'What the trail tells of one command; asked by reactions only.',
  permission: 'notification:record',
  input: z.object({ commandId: z.uuid() }),
  handle: async ({ db, input }): Promise<Deed[]> => {
    const rows = await db.sql<Row>(
      `select subject_kind as kind, subject_id as id, convert_from(canonical, 'utf8')::jsonb as body
         from audit_event where command_id = $1 and outcome = 'done' order by id`,
      [input.commandId],
    );
    return rows.map(({ kind, id, body }) => ({
      subject: { kind, id },
      changes: body.changes,
      facts: body.facts,
    }));
  },
});
