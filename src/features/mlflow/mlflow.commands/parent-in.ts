import type { ReadDb } from '../../../kernel/db.js';
import { foldName } from '../../registry/index.js';

/** The version that a source `models:/name/version` is a copy of, when it is known here. */
export const parentIn = async (db: ReadDb, source: string): Promise<string | null> => {
  const [, name, version] = /^models:\/+([^/@]+)\/(\d{1,9})$/.exec(source) ?? [];
  if (name === undefined || version === undefined) return null;
  const [row] = await db.sql<{ id: string }>(
    `select v.id from model_version v join registered_model m on m.id = v.model_id
      where m.folded = $1 and m.name = $2 and m.deleted_at is null and v.version = $3`,
    [foldName(name), name, Number(version)],
  );
  return row?.id ?? null;
};
