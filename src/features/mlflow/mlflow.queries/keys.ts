import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { defineQuery } from '../../../kernel/query.js';
import { foldName } from '../../registry/index.js';
import { askedName, modelNotFound, versionNotFound, versionNumber } from './models.js';

export const modelKey = defineQuery({
  name: 'mlflow.modelKey',
  describe: 'The id of a model by its name.',
  permission: 'model:read',
  input: z.object({ name: askedName }),
  handle: async ({ db, input: { name } }): Promise<{ readonly id: string }> => {
    const [row] = await db.sql<{ id: string; name: string }>(
      'select id, name from registered_model where deleted_at is null and folded = $1',
      [foldName(name)],
      'mlflow.modelKey',
    );
    if (row?.name !== name) throw modelNotFound(name, row?.name);
    return row;
  },
});

/** A version as far as its name goes. */
export interface NamedVersion {
  readonly id: string;
  readonly modelId: string;
  readonly name: string;
  readonly version: number;
  readonly stage: string;
}

/** Input that names a version. */
export const versionName = { name: askedName, version: z.string() };

/** The version of a name and a number, or NOT_FOUND. */
export const findVersion = async (
  db: ReadDb,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<NamedVersion> => {
  const [row] = await db.sql<NamedVersion>(
    `select v.id, v.model_id as "modelId", m.name, v.version, v.stage
       from registered_model m join model_version v on v.model_id = m.id
      where m.folded = $1 and m.name = $2 and m.deleted_at is null and v.version = $3 and v.deleted_at is null`,
    [foldName(name), name, versionNumber(version)],
    'mlflow.versionKey',
  );
  if (!row) throw versionNotFound(name, version);
  return row;
};

export const versionKey = defineQuery({
  name: 'mlflow.versionKey',
  describe: 'The ids of a version by the name of its model and its number.',
  permission: 'modelVersion:read',
  input: z.object(versionName),
  handle: ({ db, input }): Promise<NamedVersion> => findVersion(db, input),
});
