import type { ReadDb } from '../../../kernel/db.js';
import { factOf, filled, type Facts, type Place } from './fact.js';

interface DecisionRow {
  readonly at: Date;
  readonly [column: string]: unknown;
}

const decisions = `
  select c.number as "changeRequest", c.alias, c.state, a.verdict, a.role, a.by, u.display_name as "byName", a.reason,
         a.created_at as at, a.voided_at is null as valid, a.manifest_sha256 as "manifestSha256",
         c.manifest #> '{entries,policy,revision}' as "policyRevision", c.executed_at as "executedAt",
         (select coalesce(jsonb_agg(jsonb_build_object('title', f.title, 'state', f.state, 'dueAt', f.due_at) order by f.id), '[]')
            from finding f where f.id::text in (select x ->> 'findingId' from jsonb_array_elements(a.conditions) x)) as conditions
    from approval a
    join change_request c on c.id = a.change_request_id
    left join app_user u on u.id = a.by
   where c.version_id = $1 and c.use_case_id = $2 and a.created_at <= $3 order by a.id desc limit 200`;

const findings = `
  select f.title, f.severity, f.due_at as "dueAt", f.created_at as "openedAt" from finding f
   where f.created_at <= $2 and (f.resolved_at is null or f.resolved_at > $2)
     and ((f.subject_kind = 'modelVersion' and f.subject_id = $1::uuid)
       or f.change_request_id in (select id from change_request where version_id = $1::uuid))
   order by f.id limit 200`;

interface PreviousRow {
  readonly previous: object | null;
  readonly approved: (object & { readonly versionId: string }) | null;
}

/** The version before, and the one that was approved for this use before this one was. */
const previous = `
  with this as (
    select v.id, v.model_id, v.version,
           (select min(c.executed_at) from change_request c where c.version_id = v.id and c.use_case_id = $2
               and c.kind = 'ALIAS' and c.state = 'EXECUTED' and c.executed_at <= $3) as executed
      from model_version v where v.id = $1)
  select (select jsonb_build_object('versionId', p.id, 'version', p.version, 'digest', p.digest, 'state', p.state)
            from model_version p, this where p.model_id = this.model_id and p.version < this.version
           order by p.version desc limit 1) as previous,
         (select jsonb_build_object('versionId', p.id, 'version', p.version, 'digest', p.digest, 'alias', c.alias,
                                    'changeRequest', c.number, 'executedAt', c.executed_at)
            from change_request c join this on this.model_id = c.model_id join model_version p on p.id = c.version_id
           where c.kind = 'ALIAS' and c.state = 'EXECUTED' and c.use_case_id = $2 and c.version_id <> this.id
             and c.executed_at <= $3 and (this.executed is null or c.executed_at < this.executed)
           order by c.executed_at desc limit 1) as approved`;

/** What was decided on the version for this use, what is open, and what came before it. */
export const approvalFacts = async (
  db: ReadDb,
  { versionId, useCaseId, at }: Place,
): Promise<Facts & { readonly approvedVersionId: string | null }> => {
  const decided = await db.sql<DecisionRow>(decisions, [versionId, useCaseId, at]);
  const open = await db.sql<object>(findings, [versionId, at]);
  const [before] = await db.sql<PreviousRow>(previous, [versionId, useCaseId, at]);
  return {
    'approvals.decisions': factOf(filled(decided), { at: decided[0]?.at ?? null }),
    'approvals.findings': factOf(open),
    'lineage.previous': factOf({
      previous: before?.previous ?? null,
      lastApproved: before?.approved ?? null,
    }),
    approvedVersionId: before?.approved?.versionId ?? null,
  };
};
