import type { ReadDb } from '../../kernel/db.js';
import { modelDescription } from './mlmodel.js';
import type { JsonObject } from './model-version.entity.js';

/** The checks of intake; another name with every change of what they find, so that nothing old counts for it. */
export const intakeChecks = 'intake/3';

/** What intake found of the same bytes before. */
export interface Examined {
  readonly signature: JsonObject | null;
  readonly intake: JsonObject;
  readonly message: string;
}

/**
 * A folder of MLflow whose paths and digests are those of a version that passed these very checks has passed them too:
 * they look at nothing else. Null for whatever must be examined.
 */
export const examinedBefore = async (
  db: ReadDb,
  digest: string,
  artifacts: readonly { readonly path: string }[],
): Promise<Examined | null> => {
  if (!artifacts.some(({ path }) => path === modelDescription)) return null;
  const [row] = await db.sql<{
    id: string;
    name: string;
    version: number;
    signature: JsonObject;
    intake: JsonObject;
  }>(
    `select v.id, m.name, v.version, v.signature, v.intake
       from model_version v join registered_model m on m.id = v.model_id
      where v.workspace_id = app_workspace() and v.digest = $1 and v.state = 'READY' and v.intake is not null
        and v.intake ->> 'checks' = $2
      order by v.id limit 1`,
    [digest, intakeChecks],
    'registry.examinedBefore',
  );
  if (!row) return null;
  return {
    signature: row.signature,
    intake: { ...row.intake, sameBytesAs: row.id },
    message: `The same bytes as version ${String(row.version)} of ${row.name}, which passed every check of intake`,
  };
};
