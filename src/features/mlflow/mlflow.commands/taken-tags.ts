import type { Tx } from '../../../kernel/db.js';
import { newId } from '../../../kernel/id.js';
import { isReservedTag } from '../../registry/index.js';

/** The tags of another server without those that we say ourselves. */
export const ownTags = (tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !isReservedTag(key)));

/** Lets a model or a version have exactly these tags. */
export const replaceTags = async (
  { tx, workspaceId, by, now }: { tx: Tx; workspaceId: string; by: string; now: Date },
  { modelId, versionId }: { modelId: string; versionId: string | null },
  tags: Readonly<Record<string, string>>,
): Promise<void> => {
  const keys = Object.keys(tags);
  await tx.sql(
    'delete from model_tag where model_id = $1 and version_id is not distinct from $2 and not key = any($3)',
    [modelId, versionId, keys],
  );
  if (keys.length === 0) return;
  tx.atCommit(
    `insert into model_tag (id, workspace_id, model_id, version_id, key, value, set_by, set_at)
     select id, $1, $2, $3, key, value, $4, $5 from unnest($6::uuid[], $7::text[], $8::text[]) as tag (id, key, value)
     on conflict (model_id, version_id, key)
     do update set value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at
      where model_tag.value <> excluded.value`,
    [workspaceId, modelId, versionId, by, now, keys.map(() => newId()), keys, Object.values(tags)],
  );
};
