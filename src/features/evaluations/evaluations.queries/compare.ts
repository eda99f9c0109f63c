import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { defineQuery } from '../../../kernel/query.js';
import { compareEntries, type Compared } from '../../registry/index.js';
import { useCaseOr404 } from '../../usecases/index.js';
import { evidenceFor } from '../evidence-for.js';

const standings = async (
  db: ReadDb,
  versionId: string,
  useCaseId: string,
  now: Date,
): Promise<Record<string, unknown>> => {
  const evidence = await evidenceFor(db, versionId, useCaseId, now);
  return Object.fromEntries(
    evidence
      .filter(({ id }) => id !== null)
      .map(({ kind, verdict, resultSha256 }) => [kind, { verdict, resultSha256 }]),
  );
};

export const compareEvidence = defineQuery({
  name: 'evidence.compare',
  describe: 'The evidence of two versions in a use case, held against each other as it stands now.',
  permission: 'evidence:read',
  input: z.object({ fromVersionId: z.uuid(), toVersionId: z.uuid(), useCaseId: z.uuid() }),
  handle: async ({ db, input, now }): Promise<Compared> => {
    const { fromVersionId, toVersionId, useCaseId } = input;
    await useCaseOr404(db, useCaseId);
    return compareEntries(
      await standings(db, fromVersionId, useCaseId, now),
      await standings(db, toVersionId, useCaseId, now),
    );
  },
});
