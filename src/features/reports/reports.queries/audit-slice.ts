import type { ReadDb } from '../../../kernel/db.js';
import { actorName, rowsOf, type DataRow } from '../report-data.js';

/** So many entries of the trail at most are in a report; more are said to be left out. */
export const mostAuditEntries = 5000;

/** What the trail is cut to. */
export interface AuditCut {
  /** A statement that gives `kind` and `id` (text) of the subjects, with $1 as its only value. */
  readonly subjects: string;
  /** A condition over an entry `e` that adds to them, with $1 as its only value. */
  readonly also?: string;
  readonly subjectId: string;
  readonly from: Date | null;
  readonly to: Date;
}

/**
 * What was done to the subjects, oldest first, with the leaf hash under which each entry stands in the log. Attempts
 * that were refused are in the trail and not in a report: those who may read the trail see them there.
 */
export const auditSlice = async (db: ReadDb, cut: AuditCut): Promise<{ rows: DataRow[]; leftOut: boolean }> => {
  const rows = await rowsOf(
    db,
    `select e.id, e.at, e.command, ${actorName('e.actor_id')} as actor, e.actor_kind as "actorKind",
            e.subject_kind as "subjectKind", e.subject_id as "subjectId", encode(e.leaf_hash, 'hex') as "leafHash"
       from audit_event e
      where e.outcome = 'done' and e.at <= $3 and ($2::timestamptz is null or e.at >= $2)
        and ((e.subject_kind, e.subject_id) in (${cut.subjects}) or (${cut.also ?? 'false'}))
      order by e.id limit ${String(mostAuditEntries + 1)}`,
    [cut.subjectId, cut.from, cut.to],
  );
  return { rows: rows.slice(0, mostAuditEntries), leftOut: rows.length > mostAuditEntries };
};
