import { z } from 'zod';
import { defineQuery } from '../../../kernel/query.js';

/** How to measure a version again as it was measured before. */
export interface Reevaluation {
  readonly versionId: string;
  readonly useCaseId: string;
  readonly datasetPath: string;
}

/**
 * Null when newer evidence of the kind is there, when it was not computed here, and when an event made it stale: that
 * is for a person to look at, the same computation would only hide it.
 */
export const reevaluation = defineQuery({
  name: 'evidence.reevaluation',
  describe: 'How old evidence is made anew, for the job.',
  permission: 'evidence:read',
  input: z.object({ evidenceId: z.uuid() }),
  handle: async ({ db, input }): Promise<Reevaluation | null> => {
    const [row] = await db.sql<Reevaluation>(
      `select e.version_id as "versionId", e.use_case_id as "useCaseId", v.dataset ->> 'path' as "datasetPath"
         from evidence e
         join evaluation v on v.id = e.evaluation_id
        where e.id = $1 and v.predictions is null
          and not exists (select from evidence_invalidation i where i.evidence_id = e.id)
          and not exists (select from evidence n where n.version_id = e.version_id
                             and n.use_case_id = e.use_case_id and n.kind = e.kind and n.id > e.id)`,
      [input.evidenceId],
    );
    return row ?? null;
  },
});
