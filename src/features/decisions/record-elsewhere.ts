import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { canonicalBytes } from '../../kernel/audit.js';
import { conflict, invalidInput, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import type { RecordContext, RecordOutcome } from '../../kernel/record.js';
import { encrypt } from '../../kernel/sealing.js';
import { Endpoint } from '../deployments/index.js';
import { refuseErased, type AcceptedDecision } from './accept.js';
import {
  agentVersions,
  genesis,
  linkOf,
  requestPlace,
  sealedSha256,
  stepPlace,
  type StepFacts,
  runHashOf,
} from './pipeline.js';
import { requirePseudonyms } from './pseudonyms.js';
import { subjectRef } from './request-schema.js';
import { batchEntry, sealRuns, workerId, writeSteps } from './write-steps.js';

/** JSON cannot write Infinity, but 1e999 is read as it. */
const isFiniteThroughout = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isFiniteThroughout);
};

/** A decision as another platform tells of it. */
export const elsewhereDecision = z.object({
  idempotencyKey: z.string().trim().min(1).max(200).describe("The other platform's own id of the decision."),
  subjectRef: subjectRef.nullish(),
  action: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be capital letters, digits and underscores')
    .describe('What was decided.'),
  probability: z.number().min(0).max(1).nullish(),
  decidedAt: z.coerce.date().describe('When it was decided there.'),
  platform: z.string().trim().min(1).max(200).describe('Which platform decided.'),
  model: z.string().trim().max(200).nullish().describe('Which model decided, in the words of that platform.'),
  versionId: z.uuid().nullish().describe('The version of a model registered here, where it was one.'),
  inputs: z
    .record(z.string(), z.unknown())
    .refine(isFiniteThroughout, 'must hold numbers that are finite')
    .nullish()
    .describe('What it was decided on; sealed.'),
  reasons: z.array(z.string().max(500)).max(50).nullish().describe('Why; sealed.'),
});

type Elsewhere = z.output<typeof elsewhereDecision>;

interface Prepared {
  readonly id: string;
  readonly given: Elsewhere;
  readonly subject: string;
  readonly digest: string;
  readonly version: string | null;
  readonly sealedRequest: string;
  readonly sealedOutput: string;
  readonly facts: StepFacts;
  readonly prev: string;
  readonly link: string;
  readonly runHash: string;
}

/** Writes decisions made elsewhere: one step, one link, and the batch's root in the trail like any other run's. */
export const recordElsewhere = async (
  context: RecordContext,
  actor: Actor,
  slug: string,
  decisions: readonly Elsewhere[],
): Promise<RecordOutcome<AcceptedDecision[]>> => {
  const { tx, now, keysOf } = context;
  const endpoint = await tx.findOne(Endpoint, { slug });
  if (!endpoint) throw notFound(`The endpoint ${slug}`);
  checkDecisions(decisions, now);
  const versions = await versionDigests(context, endpoint, decisions);
  const earlier = await recordedBefore(context, endpoint, decisions);
  const named = decisions.map((given) => ({
    given,
    old: earlier.get(given.idempotencyKey),
    subject: earlier.get(given.idempotencyKey)?.subject_ref ?? given.subjectRef ?? newId(),
  }));
  await refuseErased(
    tx,
    named.map(({ subject }) => subject),
  );
  const keys = await keysOf(named.map(({ subject }) => subject));
  const prepared = named.map(({ given, subject, old }) => {
    const key = keys.get(subject);
    if (!key) throw new Error('A person of this batch has no key');
    const digest = createHmac('sha256', key)
      .update(canonicalBytes({ endpoint: endpoint.id, ...given }))
      .digest('hex');
    if (old && old.request_digest !== digest) throw otherBefore(given);
    const version = versions.get(given.versionId ?? '') ?? null;
    return { old, ...prepare({ id: old?.id ?? newId(), given, subject, digest, version }, key, now) };
  });
  const inserted = await insertAll(
    context,
    actor,
    endpoint,
    prepared.filter(({ old }) => old === undefined),
  );
  const fresh = prepared.filter(({ id }) => inserted.has(id));
  // Somebody else recorded the same keys at the same moment; now they are there, to be compared with.
  const late = prepared.filter(({ id, old }) => old === undefined && !inserted.has(id));
  const others = await recordedLate(
    context,
    actor,
    slug,
    late.map(({ given }) => given),
  );
  const result = prepared.map(({ id, given, old }): AcceptedDecision => {
    const { idempotencyKey } = given;
    const isRepeated = old !== undefined;
    return others.get(idempotencyKey) ?? { id, idempotencyKey, state: 'DONE', isRepeated };
  });
  if (fresh.length === 0) return { result, audit: null };
  const heads = fresh.map(({ id, runHash }) => ({ decisionId: id, runHash, state: 'ELSEWHERE' }));
  await sealRuns(tx, endpoint.workspaceId, heads);
  return { result, audit: batchEntry(heads) };
};

const recordedLate = async (
  context: RecordContext,
  actor: Actor,
  slug: string,
  decisions: readonly Elsewhere[],
): Promise<ReadonlyMap<string, AcceptedDecision>> => {
  if (decisions.length === 0) return new Map();
  const { result } = await recordElsewhere(context, actor, slug, decisions);
  return new Map(result.map((accepted) => [accepted.idempotencyKey, accepted]));
};

const earliest = new Date('2000-01-01T00:00:00Z');

/** How far the clock of another platform may be ahead of ours. */
const mostAheadMs = 5 * 60_000;

const checkDecisions = (decisions: readonly Elsewhere[], now: Date): void => {
  const keys = new Set<string>();
  decisions.forEach((decision, index) => {
    const { idempotencyKey, decidedAt } = decision;
    const path = `decisions.${String(index)}`;
    requirePseudonyms(decision, `${path}.`);
    if (decidedAt < earliest || decidedAt.getTime() > now.getTime() + mostAheadMs) {
      throw invalidInput('A decision was made neither in the future nor before the year 2000', [
        { path: `${path}.decidedAt`, message: 'must lie between the year 2000 and now' },
      ]);
    }
    if (keys.has(idempotencyKey)) {
      throw invalidInput('Two decisions of one call have the same idempotency key', [
        { path: `${path}.idempotencyKey`, message: 'stands in this call already' },
      ]);
    }
    keys.add(idempotencyKey);
  });
};

const otherBefore = ({ idempotencyKey }: Elsewhere): Error =>
  conflict('The idempotency key was used before for another decision', {
    rule: 'idempotency',
    idempotencyKey,
  });

/** Versions that are named must stand in this workspace, under the endpoint's model. */
const versionDigests = async (
  { tx }: RecordContext,
  endpoint: Endpoint,
  decisions: readonly Elsewhere[],
): Promise<ReadonlyMap<string, string | null>> => {
  const ids = [...new Set(decisions.flatMap(({ versionId }) => versionId ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await tx.sql<{ id: string; digest: string | null }>(
    'select id, digest from model_version where id = any($1) and model_id = $2',
    [ids, endpoint.modelId],
  );
  if (rows.length < ids.length) throw notFound("A version of the endpoint's model that the decisions name");
  return new Map(rows.map(({ id, digest }) => [id, digest]));
};

interface Recorded {
  readonly id: string;
  readonly idempotency_key: string;
  readonly request_digest: string;
  readonly subject_ref: string;
}

const recordedBefore = async (
  { tx }: RecordContext,
  endpoint: Endpoint,
  decisions: readonly Elsewhere[],
): Promise<ReadonlyMap<string, Recorded>> => {
  const rows = await tx.sql<Recorded>(
    `select id, idempotency_key, request_digest, subject_ref from decision
      where endpoint_id = $1 and idempotency_key = any($2)`,
    [endpoint.id, decisions.map(({ idempotencyKey }) => idempotencyKey)],
  );
  return new Map(rows.map((row) => [row.idempotency_key, row]));
};

const first = { seq: 1, iteration: 0 } as const;

const prepare = (
  base: Pick<Prepared, 'id' | 'given' | 'subject' | 'digest' | 'version'>,
  key: Buffer,
  now: Date,
): Prepared => {
  const { id, given } = base;
  const sealedRequest = encrypt(key, requestPlace(id), { inputs: given.inputs ?? null });
  const output = {
    action: given.action,
    probability: given.probability ?? null,
    reasons: given.reasons ?? [],
  };
  const sealedOutput = encrypt(key, stepPlace(id, first), output);
  const facts: StepFacts = {
    decisionId: id,
    ...first,
    attempt: 1,
    agent: 'elsewhere',
    agentVersion: agentVersions.elsewhere,
    status: 'done',
    workerId,
    startedAt: given.decidedAt,
    endedAt: now,
    inputSha256: sealedSha256(sealedRequest),
    facts: {
      platform: given.platform,
      model: given.model ?? null,
      versionId: given.versionId ?? null,
      action: given.action,
    },
  };
  const prev = genesis(id, sealedRequest);
  const link = linkOf(prev, facts, sealedSha256(sealedOutput));
  const runHash = runHashOf(link, {
    action: given.action,
    decidedBy: 'elsewhere',
    probability: given.probability ?? null,
    rules: [],
    failure: null,
    versionId: given.versionId ?? null,
    versionDigest: base.version,
    policyDigest: null,
  });
  return { ...base, sealedRequest, sealedOutput, facts, prev, link, runHash };
};

const insertAll = async (
  { tx, now }: RecordContext,
  actor: Actor,
  endpoint: Endpoint,
  rows: readonly Prepared[],
): Promise<ReadonlySet<string>> => {
  if (rows.length === 0) return new Set();
  const added = await tx.sql<{ id: string }>(
    `insert into decision (id, workspace_id, endpoint_id, use_case_id, source, idempotency_key, request_digest,
                           subject_ref, sealed_request, state, version_id, version_digest, pipeline_version, action,
                           decided_by, probability, requested_by, requested_at, finished_at, run_hash)
     select id, $1, $2, $3, 'ELSEWHERE', key, digest, subject, request, 'DONE', version, version_digest,
            'elsewhere/1', action, 'elsewhere', probability, $4, decided, $5, hash
       from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::text[], $13::text[],
                   $14::float8[], $15::timestamptz[], $16::text[])
            as row (id, key, digest, subject, request, version, version_digest, action, probability, decided, hash)
     on conflict (endpoint_id, idempotency_key) do nothing returning id`,
    [
      endpoint.workspaceId,
      endpoint.id,
      endpoint.useCaseId,
      actor.id,
      now,
      rows.map(({ id }) => id),
      rows.map(({ given }) => given.idempotencyKey),
      rows.map(({ digest }) => digest),
      rows.map(({ subject }) => subject),
      rows.map(({ sealedRequest }) => sealedRequest),
      rows.map(({ given }) => given.versionId ?? null),
      rows.map(({ version }) => version),
      rows.map(({ given }) => given.action),
      rows.map(({ given }) => given.probability ?? null),
      rows.map(({ given }) => given.decidedAt),
      rows.map(({ runHash }) => runHash),
    ],
  );
  const inserted = new Set(added.map(({ id }) => id));
  const fresh = rows.filter(({ id }) => inserted.has(id));
  await writeSteps(
    tx,
    endpoint.workspaceId,
    fresh.map(({ facts, sealedOutput, prev, link }) => ({
      ...facts,
      sealedOutput,
      outputSha256: sealedSha256(sealedOutput),
      prevHash: prev,
      hash: link,
    })),
  );
  return inserted;
};
