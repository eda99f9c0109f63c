import { z } from 'zod';
import type { ReadDb } from '../../../kernel/db.js';
import { notFound } from '../../../kernel/errors.js';
import { pageInput, pageOf, readCursor, type Page } from '../../../kernel/page.js';
import { defineQuery } from '../../../kernel/query.js';
import type { EvaluationDataset, EvaluationState } from '../evaluation.entity.js';
import { evaluationState } from '../evaluation.entity.js';
import { verdictAt } from '../evidence-for.js';
import type { EvidenceResult } from '../evidence-result.js';
import { evidenceKind, type EvidenceKind, type EvidenceVerdict } from '../evidence.entity.js';

/** An evaluation as shown. */
export interface EvaluationView {
  readonly id: string;
  readonly versionId: string;
  readonly useCaseId: string;
  readonly suite: string;
  readonly dataset: EvaluationDataset;
  readonly state: EvaluationState;
  readonly failure: string | null;
  readonly jobId: string;
  /** How far the job is, 0 to 1. */
  readonly progress: number;
  readonly message: string;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** Evidence as shown. */
export interface EvidenceView {
  readonly id: string;
  readonly evaluationId: string | null;
  readonly versionId: string;
  readonly versionDigest: string;
  readonly useCaseId: string;
  readonly kind: EvidenceKind;
  readonly provenance: string;
  /** Who sent what it rests on; null when it was computed here. */
  readonly submittedBy: string | null;
  readonly verdict: EvidenceVerdict;
  readonly judgedVerdict: EvidenceVerdict;
  readonly inputSha256: string;
  readonly resultSha256: string;
  readonly engineVersion: string;
  readonly seed: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** Why it was said to be stale before its date. */
  readonly staleCause: string | null;
  readonly staleReason: string | null;
  readonly result: EvidenceResult;
}

const evaluationSelect = `
  select e.id, e.version_id as "versionId", e.use_case_id as "useCaseId", e.suite, e.dataset, e.state, e.failure,
         e.job_id as "jobId", coalesce(j.progress, 0)::float8 as progress, coalesce(j.message, '') as message,
         e.requested_by as "requestedBy", e.created_at as "createdAt", e.finished_at as "finishedAt"
    from evaluation e left join job j on j.id = e.job_id`;

const evidenceSelect = (now: string): string => `
  select e.id, e.evaluation_id as "evaluationId", e.version_id as "versionId", e.version_digest as "versionDigest",
         e.use_case_id as "useCaseId", e.kind, e.provenance,
         case when e.provenance = 'SUBMITTED' then v.requested_by end as "submittedBy", ${verdictAt(now)} as verdict,
         e.verdict as "judgedVerdict", e.input_sha256 as "inputSha256", e.result_sha256 as "resultSha256",
         e.engine_version as "engineVersion", e.seed, e.created_at as "createdAt", e.expires_at as "expiresAt", e.result,
         gone.cause as "staleCause", gone.reason as "staleReason"
    from evidence e
    left join evaluation v on v.id = e.evaluation_id
    left join evidence_invalidation gone on gone.evidence_id = e.id`;

export const evaluationById = defineQuery({
  name: 'evaluation.byId',
  describe: 'One evaluation, with the progress of its job.',
  permission: 'evaluation:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input }): Promise<EvaluationView> => {
    const [row] = await db.sql<EvaluationView>(`${evaluationSelect} where e.id = $1`, [input.id]);
    if (!row) throw notFound('The evaluation');
    return row;
  },
});

export const listEvaluations = defineQuery({
  name: 'evaluation.list',
  describe: 'Evaluations, newest first; all of them, or those of a version, in a use case or in one state.',
  permission: 'evaluation:read',
  input: z.object({
    ...pageInput,
    versionId: z.uuid().nullish(),
    useCaseId: z.uuid().nullish(),
    state: evaluationState.nullish(),
  }),
  handle: async ({ db, input }): Promise<Page<EvaluationView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<EvaluationView>(
      `${evaluationSelect}
        where ($1::uuid is null or e.id < $1::uuid) and ($2::uuid is null or e.version_id = $2::uuid)
          and ($3::uuid is null or e.use_case_id = $3::uuid) and ($4::text is null or e.state = $4)
        order by e.id desc limit $5`,
      [
        after?.[0] ?? null,
        input.versionId ?? null,
        input.useCaseId ?? null,
        input.state ?? null,
        input.first + 1,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

export const evidenceById = defineQuery({
  name: 'evidence.byId',
  describe: 'One piece of evidence with its figures, checks and tables.',
  permission: 'evidence:read',
  input: z.object({ id: z.uuid() }),
  handle: async ({ db, input, now }): Promise<EvidenceView> => {
    const [row] = await db.sql<EvidenceView>(`${evidenceSelect('$2')} where e.id = $1`, [input.id, now]);
    if (!row) throw notFound('The evidence');
    return row;
  },
});

export const listEvidence = defineQuery({
  name: 'evidence.list',
  describe:
    'Evidence about a version, newest first; `newest` gives the newest of each kind in each use case only.',
  permission: 'evidence:read',
  input: z.object({
    ...pageInput,
    versionId: z.uuid(),
    useCaseId: z.uuid().nullish(),
    kind: evidenceKind.nullish(),
    newest: z.boolean().default(false),
  }),
  handle: async ({ db, input, now }): Promise<Page<EvidenceView>> => {
    const after = readCursor(input.after);
    const rows = await db.sql<EvidenceView>(
      `${evidenceSelect('$6')}
        where e.version_id = $1 and ($2::uuid is null or e.use_case_id = $2::uuid)
          and ($3::text is null or e.kind = $3) and ($4::uuid is null or e.id < $4::uuid)
          and (not $5::boolean or not exists (
            select 1 from evidence later where later.version_id = e.version_id and later.use_case_id = e.use_case_id
               and later.kind = e.kind and later.id > e.id))
        order by e.id desc limit $7`,
      [
        input.versionId,
        input.useCaseId ?? null,
        input.kind ?? null,
        after?.[0] ?? null,
        input.newest,
        now,
        input.first + 1,
      ],
    );
    return pageOf(
      rows,
      input,
      (row) => [row.id],
      (row) => row,
    );
  },
});

/** The newest evidence of each kind about a version in a use case, with its result; for reports. */
export const newestEvidence = async (
  db: ReadDb,
  versionId: string,
  useCaseId: string | null,
  now: Date,
): Promise<EvidenceView[]> =>
  db.sql<EvidenceView>(
    `select distinct on (x."useCaseId", x.kind) x.* from (${evidenceSelect('$3')}) x
      where x."versionId" = $1 and ($2::uuid is null or x."useCaseId" = $2::uuid)
      order by x."useCaseId", x.kind, x.id desc`,
    [versionId, useCaseId, now],
  );
