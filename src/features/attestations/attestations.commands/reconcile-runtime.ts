import { z } from 'zod';
import type { AuditEntry } from '../../../kernel/audit.js';
import { defineCommand, nothingChanged } from '../../../kernel/command.js';
import type { Tx } from '../../../kernel/db.js';
import { conflict, notFound } from '../../../kernel/errors.js';
import { openFinding, type FindingSeverity } from '../../findings/index.js';
import { attestationPolicy, dayMs } from '../policy.js';
import { Runtime, type RuntimeState } from '../runtime.entity.js';
import {
  isMismatch,
  needsFinding,
  standingsOf,
  stateOf,
  type Mismatch,
  type RuntimeStanding,
} from '../runtime-standing.js';

const severities: Readonly<Record<Mismatch, FindingSeverity>> = {
  UNKNOWN_DIGEST: 'HIGH',
  REVOKED: 'HIGH',
  EXPIRED: 'MEDIUM',
  SILENT: 'LOW',
};

const sentences: Readonly<Record<Mismatch, string>> = {
  UNKNOWN_DIGEST: 'runs what was never approved',
  REVOKED: 'runs what was approved once and taken back',
  EXPIRED: 'runs what was approved for a time that is over',
  SILENT: 'said nothing for a while',
};

/** Who answers for it: the owner of the use case it is for, else an owner of the workspace. */
const ownerOf = async (
  tx: Tx,
  { useCaseId, modelId, foldedAlias }: RuntimeStanding,
): Promise<string | null> => {
  const [row] = await tx.sql<{ id: string }>(
    `select u.owner_id as id, 1 as place from use_case u
      where u.id = coalesce($1, (select use_case_id from model_alias where model_id = $2 and folded = $3),
              (select use_case_id from attestation where model_id = $2 and folded_alias = $3 order by number desc limit 1))
     union all
     select * from (select user_id, 2 from member where 'owner' = any(roles || roles_by_rule) order by id limit 1) owner
     order by place limit 1`,
    [useCaseId, modelId, foldedAlias],
  );
  return row?.id ?? null;
};

const openMismatch = async (
  tx: Tx,
  standing: RuntimeStanding,
  state: Mismatch,
  { actorId, now }: { actorId: string; now: Date },
): Promise<{ id: string; audit: AuditEntry } | null> => {
  const ownerId = await ownerOf(tx, standing);
  if (ownerId === null) return null;
  const { environment, alias, instance, digests, endpointId, modelId, workspaceId } = standing;
  return openFinding(tx, {
    workspaceId,
    title: `${instance} in ${environment} ${sentences[state]}`.slice(0, 200),
    detail: `Reported for ${alias}: ${digests.join(', ')}`,
    severity: severities[state],
    ownerId,
    dueAt: new Date(now.getTime() + attestationPolicy().runtimes.findingDueDays * dayMs),
    subject: endpointId === null ? { kind: 'model', id: modelId } : { kind: 'endpoint', id: endpointId },
    changeRequestId: null,
    createdBy: actorId,
    now,
  });
};

const write = async (
  tx: Tx,
  standing: RuntimeStanding,
  changes: { state: RuntimeState; findingId: string | null; now: Date },
): Promise<void> => {
  const { state, findingId, now } = changes;
  const moved = standing.known === state ? {} : { state, since: now };
  if (standing.known !== null) {
    await tx.update(Runtime, { id: standing.id }, { ...moved, findingId });
    return;
  }
  const { id, workspaceId, environment, modelId, alias, foldedAlias, useCaseId, endpointId, instance } =
    standing;
  const identity = {
    id,
    workspaceId,
    environment,
    modelId,
    alias,
    foldedAlias,
    useCaseId,
    endpointId,
    instance,
  };
  await tx.insert(Runtime, { ...identity, state, since: now, findingId, createdAt: now });
};

/** Until the transaction ends, nobody else judges this runtime. */
const holdRuntime = async (tx: Tx, id: string): Promise<void> => {
  await tx.sql(`select pg_advisory_xact_lock(hashtextextended('runtime ' || $1, 0))`, [id]);
};

const entryOf = (standing: RuntimeStanding, state: RuntimeState, findingId: string | null): AuditEntry => {
  const { id, known, environment, instance, modelId, alias, digests } = standing;
  return {
    subject: { kind: 'runtime', id },
    changes: { state: { from: known, to: state } },
    facts: { environment, instance, modelId, alias, digests, findingId },
  };
};

export const reconcileRuntime = defineCommand({
  name: 'runtime.reconcile',
  describe:
    'Holds what a runtime said that it runs against what was approved; a mismatch opens a finding, once.',
  permission: 'runtime:reconcile',
  input: z.object({ runtimeId: z.uuid() }),
  target: async (tx, input) => {
    await holdRuntime(tx, input.runtimeId);
    const [standing] = await standingsOf(tx, [input.runtimeId]);
    if (!standing) throw notFound('The runtime');
    return standing;
  },
  handle: async ({ tx, actor, target: standing, now }) => {
    const state = stateOf(standing, now);
    const due = isMismatch(state) && needsFinding(standing, state);
    const opened = due ? await openMismatch(tx, standing, state, { actorId: actor.id, now }) : null;
    const result = { id: standing.id, state, findingId: opened?.id ?? null };
    if (standing.known === state && !opened) return { result, audit: nothingChanged };
    await write(tx, standing, { state, findingId: opened?.id ?? standing.findingId, now });
    const entry = entryOf(standing, state, result.findingId);
    return { result, audit: opened ? [entry, opened.audit] : [entry] };
  },
});

export const retireRuntime = defineCommand({
  name: 'runtime.retire',
  describe:
    'Says that a runtime is gone, so that nobody waits for its reports. It comes back when it reports again.',
  permission: 'runtime:retire',
  input: z.object({ runtimeId: z.uuid() }),
  target: async (tx, input) => {
    await holdRuntime(tx, input.runtimeId);
    const runtime = await tx.lock(Runtime, { id: input.runtimeId });
    if (!runtime) throw notFound('The runtime');
    return runtime;
  },
  handle: async ({ tx, target, now }) => {
    if (target.state === 'STOPPED') {
      throw conflict('The runtime has stopped already', { rule: 'runtime-stopped', since: target.since });
    }
    await tx.update(Runtime, { id: target.id }, { state: 'STOPPED', since: now });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'runtime', id: target.id },
        changes: { state: { from: target.state, to: 'STOPPED' } },
      },
    };
  },
});

const mostForgotten = 200;

export const forgetRuntimes = defineCommand({
  name: 'runtime.forget',
  describe: 'Forgets runtimes that stopped long ago, with their reports.',
  permission: 'runtime:reconcile',
  input: z.object({}),
  target: () => Promise.resolve(null),
  handle: async ({ tx, now }) => {
    const before = new Date(now.getTime() - attestationPolicy().runtimes.forgetAfterDays * dayMs);
    const rows = await tx.sql<{ id: string }>(
      `delete from runtime where id in (select id from runtime where state = 'STOPPED' and since < $1 order by id limit $2
         for update skip locked) returning id`,
      [before, mostForgotten],
    );
    const ids = rows.map(({ id }) => id);
    await tx.sql('delete from deployment_report where runtime_id = any($1)', [ids]);
    const [first, ...others] = ids.map((id): AuditEntry => ({
      subject: { kind: 'runtime', id },
      changes: { state: { from: 'STOPPED', to: null } },
    }));
    return { result: { forgotten: ids.length }, audit: first ? [first, ...others] : nothingChanged };
  },
});
