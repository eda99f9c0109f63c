import type { ReadDb } from '../../../kernel/db.js';
import { genesis, linkOf, sealedSha256 } from '../pipeline.js';
import { rootOf } from '../write-steps.js';

/** A step as it is stored. */
export interface StoredStep {
  readonly seq: number;
  readonly iteration: number;
  readonly attempt: number;
  readonly status: 'started' | 'done' | 'failed';
  readonly agent: string;
  readonly agent_version: string;
  readonly worker_id: string;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly facts: Record<string, unknown>;
  readonly sealed_output: string | null;
  readonly input_sha256: string | null;
  readonly output_sha256: string | null;
  readonly prev_hash: string | null;
  readonly hash: string | null;
}

/** All steps of a decision in the order of the run; attempts that ended with their worker included. */
export const readTrace = (db: ReadDb, decisionId: string): Promise<StoredStep[]> =>
  db.sql<StoredStep>(
    `select seq, iteration, attempt, status, agent, agent_version, worker_id, started_at, ended_at, facts,
            sealed_output, input_sha256, output_sha256, prev_hash, hash
       from agent_step where decision_id = $1
      order by (seq = 6), iteration, seq, attempt, (status <> 'started'), worker_id`,
    [decisionId],
  );

/** What checking a run anew says. */
export interface RunVerification {
  /** Whether every link follows from what is stored, from the sealed request to the head. */
  readonly isChainIntact: boolean;
  /** Whether the head stands under the Merkle root of an entry of the trail; null while the run is under way. */
  readonly isInTrail: boolean | null;
  /** The first thing that is wrong. */
  readonly fault: string | null;
  readonly runHash: string | null;
  /** The entry of the trail that holds the root. */
  readonly auditCommandId: string | null;
}

/** Computes the chain anew from the stored rows. Needs no key: the digests are over sealed bytes. */
export const chainOf = (
  decision: { readonly id: string; readonly sealed_request: string },
  steps: readonly StoredStep[],
): { readonly fault: string | null; readonly lastLink: string } => {
  let head = genesis(decision.id, decision.sealed_request);
  for (const step of steps.filter(({ hash }) => hash !== null)) {
    const fault = linkFault(decision.id, head, step);
    if (fault !== null)
      return { fault: `Step ${String(step.seq)} (${step.agent}): ${fault}`, lastLink: head };
    head = step.hash ?? head;
  }
  return { fault: null, lastLink: head };
};

const linkFault = (decisionId: string, head: string, step: StoredStep): string | null => {
  const { status, ended_at: endedAt } = step;
  if (status === 'started' || endedAt === null) return 'a link that is no end of a step';
  if (step.prev_hash !== head) return 'it does not follow from the step before';
  const outputSha256 = sealedSha256(step.sealed_output ?? '');
  if (outputSha256 !== step.output_sha256) return 'its output is not the one that was sealed';
  const link = linkOf(
    head,
    {
      decisionId,
      seq: step.seq,
      iteration: step.iteration,
      attempt: step.attempt,
      agent: step.agent,
      agentVersion: step.agent_version,
      status,
      workerId: step.worker_id,
      startedAt: step.started_at,
      endedAt,
      inputSha256: step.input_sha256 ?? '',
      facts: step.facts,
    },
    outputSha256,
  );
  return link === step.hash ? null : 'its facts were changed';
};

interface Seal {
  readonly command_id: string;
  readonly run_hash: string;
}

/** Whether an end of this decision was ever sealed, under whatever hash. */
export const wasSealed = async (db: ReadDb, decisionId: string): Promise<boolean> => {
  const rows = await db.sql('select 1 from decision_seal where decision_id = $1 limit 1', [decisionId]);
  return rows.length > 0;
};

/** The newest entry of the trail under which this head stands, with its root computed anew from all of its runs. */
export const sealOf = async (
  db: ReadDb,
  decisionId: string,
  runHash: string | null,
): Promise<{ commandId: string; isProved: boolean } | null> => {
  const [own] = await db.sql<Seal>(
    `select command_id, run_hash from decision_seal where decision_id = $1 and run_hash = $2
      order by command_id desc limit 1`,
    [decisionId, runHash],
  );
  if (!own) return null;
  const [leaves, entries] = [
    await db.sql<Seal>(
      'select command_id, run_hash from decision_seal where command_id = $1 order by position',
      [own.command_id],
    ),
    await db.sql<{ canonical: Buffer }>(
      `select canonical from audit_event where command_id = $1 and outcome = 'done' and subject_kind = 'decisionBatch'`,
      [own.command_id],
    ),
  ];
  const root = rootOf(leaves.map((leaf) => leaf.run_hash));
  return { commandId: own.command_id, isProved: entries.some(({ canonical }) => rootIn(canonical) === root) };
};

const rootIn = (canonical: Buffer): unknown => {
  const body = JSON.parse(canonical.toString('utf8')) as { facts?: { merkleRoot?: unknown } };
  return body.facts?.merkleRoot;
};
