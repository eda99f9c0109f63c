import type { ReadDb } from '../../kernel/db.js';

/** The people who stand behind a machine: who made it, and who made a token of it. None for a person. */
export const creatorsOf = async (db: ReadDb, actorId: string): Promise<string[]> => {
  const rows = await db.sql<{ id: string }>(
    `select created_by as id from service_account where id::text = $1
      union select t.created_by from api_token t where t.service_account_id::text = $1`,
    [actorId],
    'approvals.creatorsOf',
  );
  return rows.map((row) => row.id);
};
