import type { RecordContext, RecordOutcome } from '../../../kernel/record.js';
import { genesis } from '../pipeline.js';
import type { Failure } from './run.js';
import { endRuns } from '../write-steps.js';

interface Abandoned {
  readonly id: string;
  readonly workspace_id: string;
  readonly sealed_request: string;
  readonly head: string | null;
}

const failure: Failure = {
  state: 'FAILED',
  code: 'INTERNAL',
  rule: 'job-given-up',
  message: 'The work on this decision failed too often; ask again under a new key',
};

/** Ends the decisions of jobs that were given up. */
export const failAbandoned = async (
  { tx, now }: RecordContext,
  jobIds: readonly string[],
): Promise<RecordOutcome<number>> => {
  // Locked first and read then: a worker that nobody waits for any more may just be ending a step.
  const open = await tx.sql<{ id: string }>(
    `select id from decision where job_id = any($1) and state in ('ACCEPTED', 'RUNNING')
      order by id for no key update`,
    [jobIds],
  );
  const rows = await tx.sql<Abandoned>(
    `select d.id, d.workspace_id, d.sealed_request,
            (select s.hash from agent_step s where s.decision_id = d.id and s.hash is not null
              order by (s.seq = 6) desc, s.iteration desc, s.seq desc limit 1) as head
       from decision d where d.id = any($1)`,
    [open.map(({ id }) => id)],
  );
  const [first] = rows;
  if (!first) return { result: 0, audit: null };
  const ends = rows.map(({ id, sealed_request, head }) => ({
    decisionId: id,
    state: failure.state,
    failure,
    action: null,
    decidedBy: null,
    probability: null,
    reasons: [],
    policyDigest: null,
    lastLink: head ?? genesis(id, sealed_request),
  }));
  return { result: rows.length, audit: await endRuns(tx, first.workspace_id, ends, now) };
};
