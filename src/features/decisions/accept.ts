import { createHmac } from 'node:crypto';
import type { Actor } from '../../kernel/actor.js';
import { canonicalBytes } from '../../kernel/audit.js';
import type { ReadDb, Tx } from '../../kernel/db.js';
import { AppError, conflict, invalidInput } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import type { Job } from '../../kernel/job.js';
import type { RecordContext } from '../../kernel/record.js';
import { encrypt } from '../../kernel/sealing.js';
import { endpointNamed, requireActive, type Endpoint } from '../deployments/index.js';
import type { DecisionRequest } from './agents/run-facts.js';
import { normaliseApplication } from './application.js';
import { championOf } from './champion.js';
import { pipelineVersion, requestPlace } from './pipeline.js';
import { requirePseudonyms } from './pseudonyms.js';
import type { DecisionRequestInput, DecisionState } from './request-schema.js';

/** What a caller learns at once. */
export interface AcceptedDecision {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly state: DecisionState;
  /** Whether it had been accepted before, under the same key. */
  readonly isRepeated: boolean;
}

/** The payload of the job that runs accepted decisions. */
export interface RunPayload {
  readonly decisionIds: string[];
}

/** Decisions that one job carries through the pipeline together. */
export const batchSize = 50;

interface Prepared {
  readonly id: string;
  readonly given: DecisionRequestInput;
  readonly subjectRef: string;
}

/**
 * Accepts requests in one transaction. A key that was used before gives what it gave then, whatever has become of the
 * endpoint: who repeats a call for want of an answer must not be told that nothing was accepted. For the others the
 * endpoint is active, and each application fits the version that it serves. Sealed requests and jobs are written with
 * them.
 */
export const acceptDecisions = async (
  context: RecordContext,
  actor: Actor,
  slug: string,
  requests: readonly DecisionRequestInput[],
  job: Job<RunPayload>,
): Promise<AcceptedDecision[]> => {
  const { tx } = context;
  refuseRepeatedKeys(requests);
  const endpoint = await endpointNamed(tx, slug);
  const earlier = await acceptedBefore(tx, endpoint, requests);
  const isFresh = ({ idempotencyKey }: DecisionRequestInput): boolean => !earlier.has(idempotencyKey);
  if (requests.some(isFresh)) await checkFresh(context, endpoint, requests, isFresh);
  const fresh = requests
    .filter(isFresh)
    .map((given): Prepared => ({ id: newId(), given, subjectRef: given.subjectRef ?? newId() }));
  const inserted = await insertFresh(context, actor, endpoint, fresh, job);
  // Somebody else may have sent the same keys at the same moment.
  const meanwhile = fresh.filter(({ id }) => !inserted.has(id)).map(({ given }) => given);
  const all = new Map([...earlier, ...(await acceptedBefore(tx, endpoint, meanwhile))]);
  await requireSameRequests(context, endpoint, requests, all);
  const byKey = new Map(
    fresh.filter(({ id }) => inserted.has(id)).map(({ id, given }) => [given.idempotencyKey, id]),
  );
  return requests.map(({ idempotencyKey }) => {
    const old = all.get(idempotencyKey);
    if (old) return { id: old.id, idempotencyKey, state: old.state, isRepeated: true };
    return { id: byKey.get(idempotencyKey) ?? '', idempotencyKey, state: 'ACCEPTED', isRepeated: false };
  });
};

const refuseRepeatedKeys = (requests: readonly DecisionRequestInput[]): void => {
  const seen = new Set<string>();
  requests.forEach(({ idempotencyKey }, index) => {
    if (seen.has(idempotencyKey)) {
      throw invalidInput('Two requests of one call have the same idempotency key', [
        { path: `requests.${String(index)}.idempotencyKey`, message: 'stands in this call already' },
      ]);
    }
    seen.add(idempotencyKey);
  });
};

/** What is asked for the first time fits the endpoint as it is now. */
const checkFresh = async (
  { tx, now }: Pick<RecordContext, 'tx' | 'now'>,
  endpoint: Endpoint,
  requests: readonly DecisionRequestInput[],
  isFresh: (request: DecisionRequestInput) => boolean,
): Promise<void> => {
  requireActive(endpoint);
  const { signature } = await championOf(tx, endpoint, now);
  requests.forEach((request, index) => {
    if (!isFresh(request)) return;
    checkRequest(request, requests.length === 1 ? '' : `requests.${String(index)}.`, () =>
      normaliseApplication(signature, request.application),
    );
  });
};

const checkRequest = (request: DecisionRequestInput, prefix: string, validate: () => void): void => {
  if (!request.consent) {
    throw new AppError(
      'PRECONDITION_FAILED',
      'Without consent to automated processing nothing is processed; let a person handle the case',
      { rule: 'consent', fields: [{ path: `${prefix}consent`, message: 'must be given' }] },
    );
  }
  requirePseudonyms(request, prefix);
  try {
    validate();
  } catch (error) {
    throw error instanceof AppError ? withPrefix(error, `${prefix}application.`) : error;
  }
};

const withPrefix = (error: AppError, prefix: string): AppError => {
  const { fields } = error.details;
  const moved = Array.isArray(fields)
    ? fields.map((field: { path: string; message: string }) => ({ ...field, path: `${prefix}${field.path}` }))
    : [];
  return new AppError(error.code, error.message, { ...error.details, fields: moved });
};

interface Earlier {
  readonly id: string;
  readonly idempotency_key: string;
  readonly state: DecisionState;
  readonly request_digest: string;
  readonly subject_ref: string;
}

const acceptedBefore = async (
  db: ReadDb,
  endpoint: Endpoint,
  requests: readonly DecisionRequestInput[],
): Promise<Map<string, Earlier>> => {
  if (requests.length === 0) return new Map();
  const rows = await db.sql<Earlier>(
    `select id, idempotency_key, state, request_digest, subject_ref from decision
      where endpoint_id = $1 and idempotency_key = any($2)`,
    [endpoint.id, requests.map(({ idempotencyKey }) => idempotencyKey)],
    'decision.earlier',
  );
  return new Map(rows.map((row) => [row.idempotency_key, row]));
};

/** Keyed with the person's key: equal requests compare equal, and without the key it says nothing. */
const digestOf = (key: Buffer, endpoint: Endpoint, given: DecisionRequestInput): string =>
  createHmac('sha256', key)
    .update(
      canonicalBytes({
        endpoint: endpoint.id,
        subjectRef: given.subjectRef ?? null,
        ...requestOf(given),
      }),
    )
    .digest('hex');

const requestOf = ({ application, statedIncome, note, consent }: DecisionRequestInput): DecisionRequest => ({
  application,
  statedIncome: statedIncome ?? null,
  note: note ?? null,
  consent,
});

/** Refuses persons whose key was erased: nothing more is recorded under it. */
export const refuseErased = async (tx: Tx, subjectRefs: readonly string[]): Promise<void> => {
  const [erased] = await tx.sql(
    `select 1 from subject_key where subject_id = any($1) and wrapped_key is null limit 1`,
    [subjectRefs],
    'decision.erased',
  );
  if (!erased) return;
  throw new AppError(
    'PRECONDITION_FAILED',
    'The data of this person was erased; nothing more is recorded about them',
    {
      rule: 'subject-erased',
    },
  );
};

const insertFresh = async (
  { tx, now, keysOf, enqueue }: RecordContext,
  actor: Actor,
  endpoint: Endpoint,
  fresh: readonly Prepared[],
  job: Job<RunPayload>,
): Promise<ReadonlySet<string>> => {
  if (fresh.length === 0) return new Set();
  const subjects = fresh.map(({ subjectRef }) => subjectRef);
  await refuseErased(tx, subjects);
  const keys = await keysOf(subjects);
  const jobs = fresh.flatMap((_, start) => {
    if (start % batchSize !== 0) return [];
    const chunk = fresh.slice(start, start + batchSize);
    const jobId = enqueue(job, { decisionIds: chunk.map(({ id }) => id) });
    return chunk.map(() => jobId);
  });
  const sealed = fresh.map(({ id, given, subjectRef }) => {
    const key = keyOf(keys, subjectRef);
    return {
      digest: digestOf(key, endpoint, given),
      request: encrypt(key, requestPlace(id), requestOf(given)),
    };
  });
  const rows = await tx.sql<{ id: string }>(
    `insert into decision (id, workspace_id, endpoint_id, use_case_id, source, idempotency_key, request_digest,
                           subject_ref, sealed_request, state, job_id, pipeline_version, requested_by, requested_at)
     select id, $1, $2, $3, 'HERE', key, digest, subject, request, 'ACCEPTED', job, $4, $5, $6
       from unnest($7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::uuid[])
            as fresh (id, key, digest, subject, request, job)
     on conflict (endpoint_id, idempotency_key) do nothing returning id`,
    [
      endpoint.workspaceId,
      endpoint.id,
      endpoint.useCaseId,
      pipelineVersion,
      actor.id,
      now,
      fresh.map(({ id }) => id),
      fresh.map(({ given }) => given.idempotencyKey),
      sealed.map(({ digest }) => digest),
      subjects,
      sealed.map(({ request }) => request),
      jobs,
    ],
    'decision.accept',
  );
  return new Set(rows.map(({ id }) => id));
};

const keyOf = (keys: ReadonlyMap<string, Buffer>, subjectRef: string): Buffer => {
  const key = keys.get(subjectRef);
  if (!key) throw new Error('A person of this batch has no key');
  return key;
};

const requireSameRequests = async (
  { tx, keysOf }: RecordContext,
  endpoint: Endpoint,
  requests: readonly DecisionRequestInput[],
  earlier: ReadonlyMap<string, Earlier>,
): Promise<void> => {
  const repeated = requests.flatMap((given) => {
    const old = earlier.get(given.idempotencyKey);
    return old ? [{ given, old }] : [];
  });
  if (repeated.length === 0) return;
  const subjects = repeated.map(({ old }) => old.subject_ref);
  await refuseErased(tx, subjects);
  const keys = await keysOf(subjects);
  const other = repeated.find(
    ({ given, old }) => digestOf(keyOf(keys, old.subject_ref), endpoint, given) !== old.request_digest,
  );
  if (!other) return;
  throw conflict('The idempotency key was used before for another request', {
    rule: 'idempotency',
    idempotencyKey: other.given.idempotencyKey,
    decisionId: other.old.id,
  });
};
