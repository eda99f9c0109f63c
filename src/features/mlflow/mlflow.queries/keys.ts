import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';
import { foldName } from '../../registry/index.js';
import { askedName, modelNotFound } from './models.js';

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
