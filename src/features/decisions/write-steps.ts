import { hostname } from 'node:os';
import { leafHash, merkleRoot } from '../../analysis/index.js';
import type { AuditEntry } from '../../kernel/audit.js';
import type { Tx } from '../../kernel/db.js';
import { newId } from '../../kernel/id.js';
import { runHashOf, type StepPlace } from './pipeline.js';

/** Which process worked, for the trace. */
export const workerId = `${hostname()}/${String(process.pid)}/${newId().slice(-8)}`;

/** A row of `agent_step`, ready to be written. */
export interface StepRow extends StepPlace {
  readonly decisionId: string;
  readonly attempt: number;
  readonly status: 'started' | 'done' | 'failed';
  readonly agent: string;
  readonly agentVersion: string;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly sealedOutput: string | null;
  readonly inputSha256: string | null;
  readonly outputSha256: string | null;
  readonly prevHash: string | null;
  readonly hash: string | null;
}

/**
 * Adds steps. A finished step that another worker finished first is left out; the answer names the decisions whose
 * rows were added.
 */
export const writeSteps = async (
  tx: Tx,
  workspaceId: string,
  rows: readonly StepRow[],
): Promise<ReadonlySet<string>> => {
  if (rows.length === 0) return new Set();
  const written = await tx.sql<{ decision_id: string }>(
    `insert into agent_step (workspace_id, worker_id, decision_id, seq, iteration, attempt, status, agent,
                             agent_version, started_at, ended_at, facts, sealed_output, input_sha256, output_sha256,
                             prev_hash, hash)
     select $1, $2, * from unnest($3::uuid[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[], $9::text[],
       $10::timestamptz[], $11::timestamptz[], $12::jsonb[], $13::text[], $14::text[], $15::text[], $16::text[],
       $17::text[])
     on conflict do nothing returning decision_id`,
    [
      workspaceId,
      workerId,
      rows.map((row) => row.decisionId),
      rows.map((row) => row.seq),
      rows.map((row) => row.iteration),
      rows.map((row) => row.attempt),
      rows.map((row) => row.status),
      rows.map((row) => row.agent),
      rows.map((row) => row.agentVersion),
      rows.map((row) => row.startedAt),
      rows.map((row) => row.endedAt),
      rows.map((row) => JSON.stringify(row.facts)),
      rows.map((row) => row.sealedOutput),
      rows.map((row) => row.inputSha256),
      rows.map((row) => row.outputSha256),
      rows.map((row) => row.prevHash),
      rows.map((row) => row.hash),
    ],
    'decision.addSteps',
  );
  return new Set(written.map((row) => row.decision_id));
};

/**
 * Lets the commit return before the disk has it. Only for steps in the middle of a run: the end of the run and of its
 * job are written after them and wait for the disk, and with them everything before. What a crash of the server takes
 * away before that is done again.
 */
export const letCommitBeLazy = async (tx: Tx): Promise<void> => {
  await tx.sql(`select set_config('synchronous_commit', 'off', true)`, [], 'decision.lazy');
};

/** How a run ended. */
export interface RunEnd {
  readonly decisionId: string;
  readonly state: 'WAITING' | 'DONE' | 'FAILED' | 'REFUSED';
  readonly failure: object | null;
  readonly action: string | null;
  readonly decidedBy: string | null;
  readonly probability: number | null;
  readonly reasons: readonly object[];
  readonly policyDigest: string | null;
  /** The last link of its chain. */
  readonly lastLink: string;
}

/** Ends runs: their state, and their heads under one Merkle root that the entry of the batch carries into the trail. */
export const endRuns = async (
  tx: Tx,
  workspaceId: string,
  ends: readonly RunEnd[],
  now: Date,
): Promise<AuditEntry | null> => {
  if (ends.length === 0) return null;
  const sealed = await withRunHashes(tx, ends);
  await tx.sql(
    `update decision d set state = e.state, failure = e.failure, action = e.action, decided_by = e.decided_by,
            probability = e.probability, reasons = e.reasons, policy_digest = coalesce(e.policy_digest, d.policy_digest),
            run_hash = e.run_hash, finished_at = case when e.state = 'WAITING' then null else $1::timestamptz end
       from unnest($2::uuid[], $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::float8[], $8::jsonb[], $9::text[],
                   $10::text[]) as e (id, state, failure, action, decided_by, probability, reasons, policy_digest, run_hash)
      where d.id = e.id`,
    [
      now,
      ends.map((end) => end.decisionId),
      ends.map((end) => end.state),
      ends.map((end) => (end.failure === null ? null : JSON.stringify(end.failure))),
      ends.map((end) => end.action),
      ends.map((end) => end.decidedBy),
      ends.map((end) => end.probability),
      ends.map((end) => JSON.stringify(end.reasons)),
      ends.map((end) => end.policyDigest),
      sealed.map((end) => end.runHash),
    ],
    'decision.end',
  );
  await sealRuns(tx, workspaceId, sealed);
  return batchEntry(sealed);
};

interface Pinned {
  readonly id: string;
  readonly version_id: string | null;
  readonly version_digest: string | null;
  readonly policy_digest: string | null;
}

/** The hashes of whole runs, over what their rows will say. */
const withRunHashes = async (
  tx: Tx,
  ends: readonly RunEnd[],
): Promise<(RunEnd & { readonly runHash: string })[]> => {
  const rows = await tx.sql<Pinned>(
    'select id, version_id, version_digest, policy_digest from decision where id = any($1)',
    [ends.map((end) => end.decisionId)],
    'decision.pinned',
  );
  const pinned = new Map(rows.map((row) => [row.id, row]));
  return ends.map((end) => {
    const row = pinned.get(end.decisionId);
    const runHash = runHashOf(end.lastLink, {
      action: end.action,
      decidedBy: end.decidedBy,
      probability: end.probability,
      rules: end.reasons,
      failure: end.failure,
      versionId: row?.version_id ?? null,
      versionDigest: row?.version_digest ?? null,
      policyDigest: end.policyDigest ?? row?.policy_digest ?? null,
    });
    return { ...end, runHash };
  });
};

/** Keeps which leaf of which batch a run became, so that its place under the root can be proved. */
export const sealRuns = async (
  tx: Tx,
  workspaceId: string,
  ends: readonly { readonly decisionId: string; readonly runHash: string }[],
): Promise<void> => {
  await tx.sql(
    `insert into decision_seal (workspace_id, command_id, position, decision_id, run_hash)
     select $1, current_setting('app.command_id')::uuid, position - 1, id, hash
       from unnest($2::uuid[], $3::text[]) with ordinality as run (id, hash, position)`,
    [workspaceId, ends.map((end) => end.decisionId), ends.map((end) => end.runHash)],
    'decision.seal',
  );
};

/** The root over the heads of runs (RFC 9162), in the order in which they were sealed. */
export const rootOf = (runHashes: readonly string[]): string =>
  Buffer.from(merkleRoot(runHashes.map((hash) => leafHash(Buffer.from(hash, 'hex'))))).toString('hex');

/** The entry of a batch: through it, every run in it stands in the trail. */
export const batchEntry = (
  ends: readonly { readonly runHash: string; readonly state: string }[],
): AuditEntry => {
  const states: Record<string, number> = {};
  for (const { state } of ends) states[state] = (states[state] ?? 0) + 1;
  return {
    subject: { kind: 'decisionBatch', id: newId() },
    facts: { runs: ends.length, states, merkleRoot: rootOf(ends.map(({ runHash }) => runHash)) },
  };
};
