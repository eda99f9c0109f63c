import type { AuditEntry } from '../../../kernel/audit.js';
import type { RecordContext, RecordOutcome } from '../../../kernel/record.js';
import { encrypt } from '../../../kernel/sealing.js';
import { createHash } from 'node:crypto';
import {
  agentVersions,
  linkOf,
  sealedSha256,
  stepPlace,
  type StepFacts,
  type StepPlace,
} from '../pipeline.js';
import { endRules } from '../agents/end-rules.js';
import { startedRow } from './load.js';
import { agentAt, keyOf, made, nextStep, type Failure, type Run, type StepResult } from './run.js';
import { endRuns, letCommitBeLazy, workerId, writeSteps, type RunEnd, type StepRow } from '../write-steps.js';

interface Advance {
  readonly run: Run;
  readonly row: StepRow;
  readonly link: string;
  readonly output: object | null;
  readonly failure: Failure | null;
}

/** What happened to the runs in the transaction; told to them once it is committed. */
export interface Committed {
  readonly apply: () => void;
  /** Decisions that now wait for a person. */
  readonly referred: readonly string[];
  readonly decided: readonly Decided[];
}

/** A decision that is finished, for the metrics. */
export interface Decided {
  readonly action: string;
  /** From the request to the end; null when a person decided: how long people take is another matter. */
  readonly seconds: number | null;
}

/**
 * Ends one step of many runs in one transaction: seals the outputs, adds the links, begins the next steps or ends the
 * runs. An endpoint that was suspended meanwhile refuses what it has not decided yet.
 */
export const commitStep = async (
  { tx, now }: RecordContext,
  workspaceId: string,
  place: StepPlace,
  results: ReadonlyMap<Run, StepResult>,
): Promise<RecordOutcome<Committed>> => {
  const open = await openAmong(tx, [...results.keys()]);
  const runs = [...results.keys()].filter(({ id }) => open.has(id));
  const isStopped = (run: Run): boolean => place.seq !== 6 && open.get(run.id) !== 'ACTIVE';
  const advances = runs.map((run) => advanceOf(run, place, results.get(run), isStopped(run), now));
  const written = await writeSteps(
    tx,
    workspaceId,
    advances.map(({ row }) => row),
  );
  const won = advances.filter(({ run }) => written.has(run.id));
  const after = won.map((advance) => ({ advance, next: stateAfter(advance, place, now) }));
  await writeSteps(
    tx,
    workspaceId,
    after.flatMap(({ next }) => next.started),
  );
  const ends = after.flatMap(({ next }) => next.end ?? []);
  if (ends.length === 0) await letCommitBeLazy(tx);
  const audit: AuditEntry | null = await endRuns(tx, workspaceId, ends, now);
  return {
    result: {
      referred: ends.filter(({ state }) => state === 'WAITING').map(({ decisionId }) => decisionId),
      decided: after.flatMap(({ advance, next }) => decidedIn(advance.run, next.end, now)),
      apply: () => {
        for (const { advance, next } of after) applyTo(advance, next, place, now);
        // Another worker has finished this step before us and goes on with the run, or the run was ended.
        for (const run of results.keys()) if (!written.has(run.id)) run.isOver = true;
      },
    },
    audit,
  };
};

const decidedIn = (run: Run, end: RunEnd | null, now: Date): Decided[] => {
  if (end?.state !== 'DONE' || end.action === null) return [];
  const seconds = (now.getTime() - run.requestedAt.getTime()) / 1000;
  return [{ action: end.action, seconds: run.review === null ? seconds : null }];
};

/**
 * The state of the endpoint for each run that is still open. The rows are locked, always in one order: nobody ends a
 * run while a step of it is written, and nothing is written to a run that was ended meanwhile.
 */
const openAmong = async (
  tx: RecordContext['tx'],
  runs: readonly Run[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = await tx.sql<{ id: string; endpoint: string }>(
    `select d.id, e.state as endpoint from decision d join endpoint e on e.id = d.endpoint_id
      where d.id = any($1) and d.state in ('ACCEPTED', 'RUNNING', 'WAITING')
      order by d.id for no key update of d`,
    [runs.map(({ id }) => id)],
    'decision.open',
  );
  return new Map(rows.map(({ id, endpoint }) => [id, endpoint]));
};

const suspension: Failure = {
  state: 'REFUSED',
  code: 'PRECONDITION_FAILED',
  rule: 'endpoint-suspended',
  message: 'The endpoint was suspended before the decision was made',
};

const advanceOf = (
  run: Run,
  place: StepPlace,
  result: StepResult | undefined,
  isStopped: boolean,
  now: Date,
): Advance => {
  const ended = endOf(result, isStopped);
  const agent = agentAt(place);
  const { failure, output } = ended;
  const sealedOutput = output === null ? null : encrypt(run.key, stepPlace(run.id, place), output);
  const facts: StepFacts = {
    decisionId: run.id,
    ...place,
    attempt: run.attempts.get(keyOf(place)) ?? 1,
    agent,
    agentVersion: agentVersions[agent],
    status: failure ? 'failed' : 'done',
    workerId,
    startedAt: run.startedAt,
    endedAt: now,
    inputSha256: inputOf(run),
    facts: ended.facts,
  };
  const outputSha256 = sealedSha256(sealedOutput ?? '');
  const link = linkOf(run.prevHash, facts, outputSha256);
  const row: StepRow = { ...facts, sealedOutput, outputSha256, prevHash: run.prevHash, hash: link };
  return { run, row, link, output, failure };
};

interface Ended {
  readonly failure: Failure | null;
  readonly output: object | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

const endOf = (result: StepResult | undefined, isStopped: boolean): Ended => {
  if (isStopped) return failedWith(suspension);
  if (!result) throw new Error('A step has no result');
  return 'failure' in result ? failedWith(result.failure) : { ...result, failure: null };
};

const failedWith = (failure: Failure): Ended => ({
  failure,
  output: null,
  facts: { rule: failure.rule, code: failure.code },
});

/** A step reads the request and everything that was made before it; their digests name them. */
const inputOf = (run: Run): string =>
  createHash('sha256')
    .update([run.requestSha256, ...run.outputShas].join('\n'))
    .digest('hex');

interface After {
  readonly outputs: Map<string, unknown>;
  readonly started: readonly StepRow[];
  readonly end: RunEnd | null;
}

const stateAfter = (advance: Advance, place: StepPlace, now: Date): After => {
  const { run, output, failure } = advance;
  const outputs = new Map(run.outputs);
  if (failure) return { outputs, started: [], end: failedEnd(advance, failure) };
  outputs.set(keyOf(place), output);
  const next = nextStep(outputs, run.review);
  if (next) return { outputs, started: startedRow({ ...run, outputs, startedAt: now }), end: null };
  return { outputs, started: [], end: decidedEnd(advance, outputs) };
};

const failedEnd = ({ run, link }: Advance, failure: Failure): RunEnd => ({
  decisionId: run.id,
  state: failure.state,
  failure,
  action: null,
  decidedBy: null,
  probability: null,
  reasons: [],
  policyDigest: run.inForce.sha256,
  lastLink: link,
});

const decidedEnd = ({ run, link }: Advance, outputs: ReadonlyMap<string, unknown>): RunEnd => {
  const person = made.person(outputs);
  const review = made.review(outputs);
  const chosen = made.policy(outputs);
  return {
    decisionId: run.id,
    state: review.action === 'REFER' && !person ? 'WAITING' : 'DONE',
    failure: null,
    action: person?.action ?? review.action,
    decidedBy: person ? 'person' : chosen.action === review.action ? chosen.decidedBy : 'review',
    probability: made.scoring(outputs).probability,
    reasons: endRules(chosen, review),
    policyDigest: run.inForce.sha256,
    lastLink: link,
  };
};

const applyTo = ({ run, row, link }: Advance, { outputs, end }: After, place: StepPlace, now: Date): void => {
  run.outputs = outputs;
  run.prevHash = link;
  run.startedAt = now;
  if (row.status === 'done' && row.outputSha256 !== null) run.outputShas.push(row.outputSha256);
  run.isOver = end !== null || nextStep(outputs, run.review) === null;
};
