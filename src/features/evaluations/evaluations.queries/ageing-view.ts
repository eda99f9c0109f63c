import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery } from '../../../kernel/query.js';
import type { EvidenceKind } from '../evidence.entity.js';

/** What people are told of evidence that grows old. */
export interface AgeingView {
  readonly kind: EvidenceKind;
  readonly modelName: string;
  readonly version: number;
  readonly useCaseName: string;
  readonly expiresAt: Date;
  /** The last warning; 0 says that its date has passed. */
  readonly daysAhead: number;
}

export const evidenceAgeing = defineQuery({
  name: 'evidence.ageing',
  describe: 'What people are told of evidence that grows old.',
  permission: 'evidence:read',
  input: z.object({ evidenceId: z.uuid() }),
  handle: async ({ db, input }): Promise<AgeingView> => {
    const [row] = await db.sql<AgeingView>(
      `select e.kind, m.name as "modelName", v.version, u.name as "useCaseName", e.expires_at as "expiresAt",
              (select min(w.days_ahead) from evidence_warning w where w.evidence_id = e.id) as "daysAhead"
         from evidence e
         join model_version v on v.id = e.version_id
         join registered_model m on m.id = v.model_id
         join use_case u on u.id = e.use_case_id
        where e.id = $1`,
      [input.evidenceId],
    );
    if (!row) throw notFound('The evidence');
    return row;
  },
});
