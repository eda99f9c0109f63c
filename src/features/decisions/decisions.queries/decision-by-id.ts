import { z } from 'zod';
import { notFound } from '../../../kernel/errors.js';
import { defineQuery, type QueryContext } from '../../../kernel/query.js';
import { decrypt } from '../../../kernel/sealing.js';
import type { ExplanationOutput } from '../agents/run-facts.js';
import { requestPlace, stepPlace } from '../pipeline.js';
import { foldName } from '../../registry/index.js';
import type { DecisionState } from '../request-schema.js';
import { rowFault } from './row-fault.js';
import { chainOf, readTrace, sealOf, wasSealed, type RunVerification, type StoredStep } from './trace.js';

/** One step as shown. */
export interface StepView {
  readonly seq: number;
  readonly iteration: number;
  readonly attempt: number;
  readonly status: string;
  readonly agent: string;
  readonly agentVersion: string;
  readonly workerId: string;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly facts: Record<string, unknown>;
  /** Null while it runs, and for ever when the person's key was erased. */
  readonly output: unknown;
  readonly inputSha256: string | null;
  readonly outputSha256: string | null;
  readonly prevHash: string | null;
  readonly hash: string | null;
}

/** A decision as shown in lists: nothing of the person but the pseudonym. */
export interface DecisionSummary {
  readonly id: string;
  readonly endpointId: string;
  readonly endpoint: string;
  readonly useCaseId: string;
  readonly source: string;
  readonly idempotencyKey: string;
  readonly subjectRef: string;
  readonly state: DecisionState;
  readonly failure: { rule: string; message: string } | null;
  readonly versionId: string | null;
  readonly versionDigest: string | null;
  readonly pipelineVersion: string;
  readonly policyDigest: string | null;
  readonly action: string | null;
  readonly decidedBy: string | null;
  readonly probability: number | null;
  readonly rules: unknown;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly finishedAt: Date | null;
  readonly runHash: string | null;
}

/** A decision with everything that belongs to it. */
export interface DecisionView extends DecisionSummary {
  readonly isErased: boolean;
  readonly request: unknown;
  readonly reasons: unknown;
  readonly note: string | null;
  readonly sentences: unknown;
  readonly steps: readonly StepView[];
  readonly verification: RunVerification;
  /** The approved change that made the version the champion, when there was one. */
  readonly changeRequestId: string | null;
  readonly evidenceIds: readonly string[];
  readonly reviewId: string | null;
  readonly outcome: { positive: boolean; observedAt: Date; source: string } | null;
}

/** Columns of a summary, of `decision d join endpoint e`. */
export const summaryColumns = `d.id, d.endpoint_id as "endpointId", e.slug as endpoint, d.use_case_id as "useCaseId",
  d.source, d.idempotency_key as "idempotencyKey", d.subject_ref as "subjectRef", d.state, d.failure,
  d.version_id as "versionId", d.version_digest as "versionDigest", d.pipeline_version as "pipelineVersion",
  d.policy_digest as "policyDigest", d.action, d.decided_by as "decidedBy", d.probability, d.reasons as rules,
  d.requested_by as "requestedBy", d.requested_at as "requestedAt", d.finished_at as "finishedAt",
  d.run_hash as "runHash"`;

interface Row extends DecisionSummary {
  readonly sealed_request: string;
  readonly is_erased: boolean;
  readonly review_id: string | null;
  /** The alias that the endpoint serves. */
  readonly alias: string;
}

export const decisionById = defineQuery({
  name: 'decision.read',
  describe:
    'A decision with its trace, its reasons and the proof of its place in the trail; the reading is recorded.',
  permission: 'decision:read',
  input: z.object({ id: z.uuid() }),
  recordAccess: (_, result: DecisionView) => ({
    subject: { kind: 'decision', id: result.id },
    facts: { isErased: result.isErased },
  }),
  handle: async ({ db, input, unsealer }): Promise<DecisionView> => {
    const [row] = await db.sql<Row>(
      `select ${summaryColumns}, d.sealed_request, r.id as review_id, e.alias,
              not exists (select from subject_key k where k.subject_id = d.subject_ref
                             and k.workspace_id = d.workspace_id and k.wrapped_key is not null) as is_erased
         from decision d join endpoint e on e.id = d.endpoint_id left join human_review r on r.decision_id = d.id
        where d.id = $1`,
      [input.id],
    );
    if (!row) throw notFound('The decision');
    const stored = await readTrace(db, row.id);
    const open = opener((await unsealer.keysOf([row.subjectRef])).get(row.subjectRef));
    const steps = viewsOf(open, row, stored);
    const { sealed_request, is_erased, review_id, alias, ...summary } = row;
    return {
      ...summary,
      isErased: is_erased,
      request: open(requestPlace(row.id), sealed_request),
      ...explained(steps),
      steps,
      verification: await verify(db, row, stored, steps),
      reviewId: review_id,
      ...(await around(db, row, alias, pinnedAt(row, stored))),
    };
  },
});

type Open = (place: string, sealed: string | null) => unknown;

/** What was changed does not open. It is shown as not there, and the verification says where the trace is broken. */
const opener =
  (key: Buffer | undefined): Open =>
  (place, sealed) => {
    if (key === undefined || sealed === null) return null;
    try {
      return decrypt(key, place, sealed);
    } catch {
      return null;
    }
  };

const viewsOf = (open: Open, row: Row, stored: readonly StoredStep[]): StepView[] =>
  stored.map((step) => ({
    seq: step.seq,
    iteration: step.iteration,
    attempt: step.attempt,
    status: step.status,
    agent: step.agent,
    agentVersion: step.agent_version,
    workerId: step.worker_id,
    startedAt: step.started_at,
    endedAt: step.ended_at,
    facts: step.facts,
    output: open(stepPlace(row.id, step), step.sealed_output),
    inputSha256: step.input_sha256,
    outputSha256: step.output_sha256,
    prevHash: step.prev_hash,
    hash: step.hash,
  }));

/** Reasons and note of the last explanation; another platform's reasons for decisions made elsewhere. */
const explained = (steps: readonly StepView[]): Pick<DecisionView, 'reasons' | 'note' | 'sentences'> => {
  const last = steps.findLast(({ agent, output }) => agent === 'explanation' && output !== null);
  if (!last) {
    const elsewhere = steps.find(({ agent }) => agent === 'elsewhere')?.output as
      { reasons?: unknown } | null | undefined;
    return { reasons: elsewhere?.reasons ?? null, note: null, sentences: null };
  }
  const { reasons, note } = last.output as ExplanationOutput;
  return { reasons, note: note.map(({ text }) => text).join(' '), sentences: note };
};

type Db = QueryContext<unknown>['db'];

const verify = async (
  db: Db,
  row: Row,
  stored: readonly StoredStep[],
  steps: readonly StepView[],
): Promise<RunVerification> => {
  const chain = chainOf(row, stored);
  const fault = chain.fault ?? rowFault(row, steps, chain.lastLink, await wasSealed(db, row.id));
  const isChainIntact = fault === null;
  if (row.runHash === null)
    return { isChainIntact, isInTrail: null, fault, runHash: null, auditCommandId: null };
  const seal = await sealOf(db, row.id, row.runHash);
  const isInTrail = seal?.isProved ?? false;
  const unproved = isInTrail ? null : 'The head of the run stands under no root of the trail';
  return {
    isChainIntact,
    isInTrail,
    fault: fault ?? unproved,
    runHash: row.runHash,
    auditCommandId: seal?.commandId ?? null,
  };
};

/** When the version was chosen: the champion may have moved between the request and the first step. */
const pinnedAt = ({ requestedAt }: Row, stored: readonly StoredStep[]): Date =>
  stored.find(({ status }) => status === 'started')?.started_at ?? requestedAt;

/** The way from a decision to the approval and the evidence of the version that made it. */
const around = async (
  db: Db,
  row: Row,
  alias: string,
  chosenAt: Date,
): Promise<Pick<DecisionView, 'changeRequestId' | 'evidenceIds' | 'outcome'>> => {
  const changes = await db.sql<{ id: string; alias: string }>(
    `select id, alias from change_request
      where kind = 'ALIAS' and state = 'EXECUTED' and version_id = $1 and use_case_id = $2 and executed_at <= $3
      order by executed_at desc`,
    [row.versionId, row.useCaseId, chosenAt],
  );
  const change = changes.find((one) => foldName(one.alias) === foldName(alias));
  const evidence = await db.sql<{ id: string }>(
    'select id from evidence where version_id = $1 and use_case_id = $2 order by id',
    [row.versionId, row.useCaseId],
  );
  const [outcome] = await db.sql<{ positive: boolean; observedAt: Date; source: string }>(
    `select positive, observed_at as "observedAt", source from outcome where decision_id = $1 order by id desc limit 1`,
    [row.id],
  );
  return {
    changeRequestId: change?.id ?? null,
    evidenceIds: evidence.map(({ id }) => id),
    outcome: outcome ?? null,
  };
};
