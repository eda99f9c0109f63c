import { z } from 'zod';
import type { ReadDb } from '../../kernel/db.js';
import { defineQuery } from '../../kernel/query.js';
import { compareEntries, type Compared } from '../registry/index.js';
import { useCaseOr404 } from '../usecases/index.js';
import { ModelCard } from './model-card.entity.js';

/** What people attested. What fills itself is compared where it comes from. */
const attested = async (
  db: ReadDb,
  versionId: string,
  useCaseId: string,
): Promise<Record<string, unknown>> => {
  const card = await db.findOne(ModelCard, { versionId, useCaseId });
  return Object.fromEntries(Object.entries(card?.fields ?? {}).map(([name, { value }]) => [name, value]));
};

export const compareCards = defineQuery({
  name: 'card.compare',
  describe: 'What people attested about two versions in a use case, field by field.',
  permission: 'card:read',
  input: z.object({ fromVersionId: z.uuid(), toVersionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input }): Promise<Compared> => {
    const { fromVersionId, toVersionId, useCaseId } = input;
    await useCaseOr404(db, useCaseId);
    return compareEntries(
      await attested(db, fromVersionId, useCaseId),
      await attested(db, toVersionId, useCaseId),
    );
  },
});
