import { AppError } from '../../../kernel/errors.js';
import type { RecordContext, RecordOutcome } from '../../../kernel/record.js';
import { decrypt } from '../../../kernel/sealing.js';
import type { DecisionRequest } from '../agents/run-facts.js';
import { championOf } from '../champion.js';
import { agentVersions, genesis, requestPlace, sealedSha256, stepPlace } from '../pipeline.js';
import { installedPolicy, type DecisionAction, type PolicyInForce } from '../policy.js';
import { Endpoint } from '../../deployments/index.js';
import { failureOf } from './perform-step.js';
import { agentAt, keyOf, nextStep, type Failure, type Run } from './run.js';
import { endRuns, letCommitBeLazy, writeSteps, type RunEnd, type StepRow } from '../write-steps.js';

interface DecisionRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly endpoint_id: string;
  readonly subject_ref: string;
  readonly sealed_request: string;
  readonly requested_at: Date;
  readonly state: string;
  readonly version_id: string | null;
  readonly version_digest: string | null;
  readonly review_id: string | null;
  readonly review_action: DecisionAction | null;
  readonly review_by: string | null;
}

interface KnownStep {
  readonly decision_id: string;
  readonly seq: number;
  readonly iteration: number;
  readonly status: 'started' | 'done' | 'failed';
  readonly sealed_output: string | null;
  readonly output_sha256: string | null;
  readonly hash: string | null;
}

/** What a worker has taken up. */
export interface Loaded {
  readonly runs: readonly Run[];
  /** Referred, but killed before the review was opened. */
  readonly unopened: readonly string[];
}

interface Serving {
  readonly versionId: string;
  readonly versionDigest: string;
  readonly inForce: PolicyInForce;
  readonly referAll: boolean;
}

/**
 * Takes up runs: reads what is finished of them, pins the version of those that begin, and writes down that their next
 * step was started. A finished step is read back and never done again.
 */
export const loadRuns = async (
  context: RecordContext,
  decisionIds: readonly string[],
): Promise<RecordOutcome<Loaded>> => {
  const { tx, now } = context;
  const rows = await readDecisions(context, decisionIds);
  const unopened = rows.filter(isUnopened).map(({ id }) => id);
  const open = rows.filter((row) => !isUnopened(row));
  const [first] = open;
  if (!first) return { result: { runs: [], unopened }, audit: null };
  const keys = await keysFor(context, open);
  const serving = await servingOf(context, open);
  const steps = Map.groupBy(await readSteps(context, open), (step) => step.decision_id);
  const runs: Run[] = [];
  const failed: { row: DecisionRow; failure: Failure; steps: readonly KnownStep[] }[] = [];
  for (const row of open) {
    const known = steps.get(row.id) ?? [];
    const key = keys.get(row.subject_ref);
    const served = serving.get(row.id);
    if (!key) failed.push({ row, failure: erased, steps: known });
    else if (!served || 'state' in served) failed.push({ row, failure: served ?? lost, steps: known });
    else {
      const run = opened(() => runOf(row, key, served, known, now));
      if (run) runs.push(run);
      else failed.push({ row, failure: unreadable, steps: known });
    }
  }
  await pinVersions(context, runs);
  await writeSteps(tx, first.workspace_id, runs.flatMap(startedRow));
  const ends = failed.map(({ row, failure, steps: known }) => endOf(row, failure, known));
  if (ends.length === 0) await letCommitBeLazy(tx);
  return { result: { runs, unopened }, audit: await endRuns(tx, first.workspace_id, ends, now) };
};

const erased: Failure = {
  state: 'REFUSED',
  code: 'PRECONDITION_FAILED',
  rule: 'subject-erased',
  message: 'The data of this person was erased before the decision was made',
};

const unreadable: Failure = {
  state: 'FAILED',
  code: 'INTERNAL',
  rule: 'sealed-data-unreadable',
  message: 'What was sealed of this decision cannot be opened with the key of its person',
};

/** The key was opened, so it is the right one: what it does not open was changed, and stays so at every try. */
const opened = <Value>(open: () => Value): Value | null => {
  try {
    return open();
  } catch {
    return null;
  }
};

const lost: Failure = {
  state: 'FAILED',
  code: 'INTERNAL',
  rule: 'endpoint-lost',
  message: 'The endpoint was not found',
};

const isUnopened = (row: DecisionRow): boolean => row.state === 'WAITING' && row.review_id === null;

const readDecisions = ({ tx }: RecordContext, ids: readonly string[]): Promise<DecisionRow[]> =>
  tx.sql<DecisionRow>(
    `select d.id, d.workspace_id, d.endpoint_id, d.subject_ref, d.sealed_request, d.requested_at, d.state,
            d.version_id, d.version_digest, r.id as review_id, r.action as review_action, r.decided_by::text as review_by
       from decision d left join human_review r on r.decision_id = d.id
      where d.id = any($1) and d.source = 'HERE'
        and (d.state in ('ACCEPTED', 'RUNNING') or (d.state = 'WAITING' and (r.id is null or r.state = 'DECIDED')))
      order by d.id for no key update of d`,
    [ids],
    'decision.take',
  );

const readSteps = async ({ tx }: RecordContext, rows: readonly DecisionRow[]): Promise<KnownStep[]> => {
  const begun = rows.filter(({ state }) => state !== 'ACCEPTED').map(({ id }) => id);
  if (begun.length === 0) return [];
  return tx.sql<KnownStep>(
    `select decision_id, seq, iteration, status, sealed_output, output_sha256, hash
       from agent_step where decision_id = any($1) order by decision_id, (seq = 6), iteration, seq`,
    [begun],
    'decision.steps',
  );
};

/** Keys of the persons whose key was not erased. */
const keysFor = async (
  { tx, keysOf }: RecordContext,
  rows: readonly DecisionRow[],
): Promise<ReadonlyMap<string, Buffer>> => {
  const subjects = rows.map((row) => row.subject_ref);
  const gone = await tx.sql<{ subject_id: string }>(
    'select subject_id from subject_key where subject_id = any($1) and wrapped_key is null',
    [subjects],
    'decision.gone',
  );
  const without = new Set(gone.map((row) => row.subject_id));
  return keysOf(subjects.filter((subject) => !without.has(subject)));
};

/** What decides each run: the version it was pinned to, else the champion of this moment. */
const servingOf = async (
  { tx, now }: RecordContext,
  rows: readonly DecisionRow[],
): Promise<Map<string, Serving | Failure>> => {
  const result = new Map<string, Serving | Failure>();
  for (const [endpointId, group] of Map.groupBy(rows, (row) => row.endpoint_id)) {
    const endpoint = await tx.findOne(Endpoint, { id: endpointId });
    if (!endpoint) continue;
    const inForce = installedPolicy();
    const fresh = await resolved(tx, endpoint, inForce, now);
    for (const { id, version_id, version_digest } of group) {
      if (version_id !== null && version_digest !== null) {
        const pinned = { versionId: version_id, versionDigest: version_digest, inForce };
        result.set(id, { ...pinned, referAll: refers(fresh, version_id) });
      } else result.set(id, fresh);
    }
  }
  return result;
};

/** What began before its evidence grew old is looked at by a person, whatever was approved for what begins after. */
const refers = (present: Serving | Failure, versionId: string): boolean =>
  'state' in present
    ? present.rule === 'evidence-stale'
    : present.referAll && present.versionId === versionId;

const resolved = async (
  tx: RecordContext['tx'],
  endpoint: Endpoint,
  inForce: PolicyInForce,
  now: Date,
): Promise<Serving | Failure> => {
  try {
    const { versionId, digest, referAll } = await championOf(tx, endpoint, now);
    return { versionId, versionDigest: digest, inForce, referAll };
  } catch (error) {
    if (error instanceof AppError) return failureOf(error);
    throw error;
  }
};

const runOf = (
  row: DecisionRow,
  key: Buffer,
  serving: Serving,
  steps: readonly KnownStep[],
  now: Date,
): Run => ({
  id: row.id,
  subjectRef: row.subject_ref,
  requestedAt: row.requested_at,
  key,
  request: decrypt(key, requestPlace(row.id), row.sealed_request) as DecisionRequest,
  requestSha256: sealedSha256(row.sealed_request),
  ...serving,
  review: reviewOf(row),
  ...replay(row, key, steps),
  startedAt: now,
  isOver: false,
});

const reviewOf = ({ review_id: id, review_action: action, review_by: by }: DecisionRow): Run['review'] =>
  id !== null && action !== null && by !== null ? { id, action, by } : null;

/** How far the run is: its finished steps, read back with the person's key. */
const replay = (
  row: DecisionRow,
  key: Buffer,
  steps: readonly KnownStep[],
): Pick<Run, 'outputs' | 'attempts' | 'outputShas' | 'prevHash'> => {
  const outputs = new Map<string, unknown>();
  const attempts = new Map<string, number>();
  const outputShas: string[] = [];
  let prevHash = genesis(row.id, row.sealed_request);
  for (const step of steps) {
    const place = keyOf(step);
    if (step.status === 'started') attempts.set(place, (attempts.get(place) ?? 0) + 1);
    if (step.status !== 'done' || step.sealed_output === null) continue;
    outputs.set(place, decrypt(key, stepPlace(row.id, step), step.sealed_output));
    outputShas.push(step.output_sha256 ?? '');
    prevHash = step.hash ?? prevHash;
  }
  return { outputs, attempts, outputShas, prevHash };
};

/** Pinned at the first step: a champion that moves later moves no run that began before. */
const pinVersions = async ({ tx }: RecordContext, runs: readonly Run[]): Promise<void> => {
  if (runs.length === 0) return;
  await tx.sql(
    `update decision d set state = 'RUNNING', version_id = run.version, version_digest = run.digest
       from unnest($1::uuid[], $2::uuid[], $3::text[]) as run (id, version, digest)
      where d.id = run.id and d.state = 'ACCEPTED'`,
    [
      runs.map(({ id }) => id),
      runs.map(({ versionId }) => versionId),
      runs.map(({ versionDigest }) => versionDigest),
    ],
    'decision.pin',
  );
};

/** The row that says that the next step of a run was begun. */
export const startedRow = (run: Run): StepRow[] => {
  const place = nextStep(run.outputs, run.review);
  if (!place) return [];
  const attempt = (run.attempts.get(keyOf(place)) ?? 0) + 1;
  run.attempts.set(keyOf(place), attempt);
  const agent = agentAt(place);
  return [
    {
      ...place,
      decisionId: run.id,
      attempt,
      status: 'started',
      agent,
      agentVersion: agentVersions[agent],
      startedAt: run.startedAt,
      endedAt: null,
      facts: {},
      sealedOutput: null,
      inputSha256: null,
      outputSha256: null,
      prevHash: null,
      hash: null,
    },
  ];
};

/** A run that cannot even begin ends where its chain stands. */
const endOf = (row: DecisionRow, failure: Failure, steps: readonly KnownStep[]): RunEnd => ({
  decisionId: row.id,
  state: failure.state,
  failure,
  action: null,
  decidedBy: null,
  probability: null,
  reasons: [],
  policyDigest: null,
  lastLink: steps.findLast(({ hash }) => hash !== null)?.hash ?? genesis(row.id, row.sealed_request),
});
