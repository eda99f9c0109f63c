import type { ReadDb } from '../../kernel/db.js';
import { readManifest } from './manifest.js';
import type { PolicyDocument } from './policy-document.js';
import { replay, type PastDecision, type PastRequest, type Replayed } from './replay.js';

/** A request that would have ended otherwise. */
export interface Otherwise extends Replayed {
  readonly changeRequestId: string;
  readonly number: number;
  readonly title: string;
  readonly was: string;
  readonly requestedByName: string | null;
  readonly at: Date;
}

/** What a policy would have decided otherwise over the history of a workspace. */
export interface PolicyReplay {
  readonly requests: number;
  /** Carried out then, refused under these rules. */
  readonly wouldBeRefused: number;
  /** Not carried out then, and nothing would have stood in the way under these rules. */
  readonly wouldBeAllowed: number;
  /** Carried out then; what was written down does not tell whether these rules would have held. */
  readonly unknown: number;
  /** The newest of them, at most as many as were asked for. */
  readonly otherwise: readonly Otherwise[];
}

const pageSize = 1000;

type Row = Omit<PastRequest, 'entries' | 'decisions'> & {
  readonly manifest: object;
  readonly decisions: readonly (Omit<PastDecision, 'at'> & { readonly at: string })[];
};

/** Newest first. What people rejected or took back stays so under any rules, and what broke the glass too. */
const history = `
  select c.id, c.number, c.title, c.alias, u.slug as "useCase", c.state, p.display_name as "requestedByName",
         c.created_at as "createdAt", t.at as "endedAt", c.manifest,
         exists (
           select from finding f
            where (f.subject_kind, f.subject_id) in
                    (('modelVersion', c.version_id), ('model', c.model_id), ('useCase', c.use_case_id))
              and f.created_at <= t.at and f.due_at <= t.at and (f.resolved_at is null or f.resolved_at > t.at)
         ) as "overdueFindings",
         coalesce((
           select jsonb_agg(jsonb_build_object('verdict', a.verdict, 'role', a.role, 'by', a.by, 'at', a.created_at)
                            order by a.id)
             from approval a
            where a.change_request_id = c.id and (a.voided_at is null or a.voided_at > t.at)), '[]') as decisions
    from change_request c
    join use_case u on u.id = c.use_case_id
    left join app_user p on p.id::text = c.requested_by
    cross join lateral (select coalesce(c.executed_at, c.closed_at, $2::timestamptz) as at) t
   where c.kind = 'ALIAS' and c.state in ('EXECUTED', 'EXPIRED', 'OPEN') and c.break_glass_reason is null
     and ($1::uuid is null or c.id < $1::uuid)
   order by c.id desc limit $3`;

const pastOf = ({ manifest, decisions, ...row }: Row): PastRequest => ({
  ...row,
  entries: readManifest(manifest).entries,
  decisions: decisions.map((one) => ({ ...one, at: new Date(one.at) })),
});

/** What differs from what was decided then, or null. */
const otherwiseOf = (past: PastRequest, replayed: Replayed): Otherwise | null => {
  const executed = past.state === 'EXECUTED';
  const same = executed ? replayed.outcome === 'ALLOWED' : replayed.outcome !== 'ALLOWED';
  if (same) return null;
  const { id, number, title, state, requestedByName, endedAt } = past;
  return { changeRequestId: id, number, title, was: state, requestedByName, at: endedAt, ...replayed };
};

const countOf = (all: readonly Otherwise[], outcome: Replayed['outcome']): number =>
  all.filter((one) => one.outcome === outcome).length;

/** Replays a policy over all requests of the workspace, page by page. */
export const replayHistory = async (
  db: ReadDb,
  document: PolicyDocument,
  { now, first }: { readonly now: Date; readonly first: number },
): Promise<PolicyReplay> => {
  const all: Otherwise[] = [];
  let requests = 0;
  let after: string | null = null;
  do {
    const rows: Row[] = await db.sql<Row>(history, [after, now, pageSize]);
    requests += rows.length;
    for (const row of rows) {
      const past = pastOf(row);
      const found = otherwiseOf(past, replay(document, past));
      if (found) all.push(found);
    }
    after = rows.length === pageSize ? (rows.at(-1)?.id ?? null) : null;
  } while (after !== null);
  return {
    requests,
    wouldBeRefused: countOf(all, 'REFUSED'),
    wouldBeAllowed: countOf(all, 'ALLOWED'),
    unknown: countOf(all, 'UNKNOWN'),
    otherwise: all.slice(0, first),
  };
};
