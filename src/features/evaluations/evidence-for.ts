import type { ReadDb } from '../../kernel/db.js';
import { evidenceKind, type EvidenceKind, type EvidenceVerdict } from './evidence.entity.js';

/** Where evidence of one kind stands at a time. */
export interface EvidenceStanding {
  readonly kind: EvidenceKind;
  readonly verdict: EvidenceVerdict;
  /** The newest evidence; null when there is none, and then the verdict is MISSING. */
  readonly id: string | null;
  readonly resultSha256: string | null;
  readonly createdAt: Date | null;
  readonly expiresAt: Date | null;
}

interface NewestRow {
  readonly id: string;
  readonly kind: EvidenceKind;
  readonly verdict: EvidenceVerdict;
  readonly resultSha256: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/**
 * SQL for the verdict of the row `e` at the time of a parameter: evidence grows old by itself, and what happens (drift,
 * other data, an advisory) can make it old before its time.
 */
export const verdictAt = (parameter: string): string =>
  `case when e.expires_at <= ${parameter}::timestamptz
          or exists (select from evidence_invalidation gone where gone.evidence_id = e.id) then 'STALE'
        else e.verdict end`;

/**
 * The newest evidence of each kind about a version in a use case, and where it stands at `now`: PASS, FAIL, STALE when
 * it has expired, MISSING when there is none or it could not be judged. Always one entry per kind.
 */
export const evidenceFor = async (
  db: ReadDb,
  versionId: string,
  useCaseId: string,
  now: Date,
): Promise<readonly EvidenceStanding[]> => {
  const rows = await db.sql<NewestRow>(
    `select distinct on (e.kind) e.id, e.kind, ${verdictAt('$3')} as verdict, e.result_sha256 as "resultSha256",
            e.created_at as "createdAt", e.expires_at as "expiresAt"
       from evidence e where e.version_id = $1 and e.use_case_id = $2 order by e.kind, e.id desc`,
    [versionId, useCaseId, now],
  );
  return evidenceKind.options.map(
    (kind) =>
      rows.find((row) => row.kind === kind) ?? {
        kind,
        verdict: 'MISSING',
        id: null,
        resultSha256: null,
        createdAt: null,
        expiresAt: null,
      },
  );
};
