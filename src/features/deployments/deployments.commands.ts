import { z } from 'zod';
import { defineCommand } from '../../kernel/command.js';
import type { Tx } from '../../kernel/db.js';
import { AppError, conflict, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/id.js';
import { approvedChange, markExecuted, openChangeRequest } from '../approvals/index.js';
import { aliasName, isProtected, lockModel } from '../registry/index.js';
import { useCaseOr404 } from '../usecases/index.js';
import { slug } from '../workspaces/index.js';
import { approvedVersion } from './approved-version.js';
import { Endpoint } from './endpoint.entity.js';

const reason = z.string().trim().min(1).max(4000);

const lockEndpoint = async (tx: Tx, id: string): Promise<Endpoint> => {
  const endpoint = await tx.lock(Endpoint, { id });
  if (!endpoint) throw notFound('The endpoint');
  return endpoint;
};

/** Until the transaction ends, no endpoint of the model or the use case is opened or stopped beside this one. */
const holdDoors = async (tx: Tx, modelId: string, useCaseId: string): Promise<void> => {
  // In one order, so that two never wait for each other.
  for (const door of [`model/${modelId}`, `use case/${useCaseId}`]) {
    await tx.sql(`select pg_advisory_xact_lock(hashtextextended('endpoint of ' || $1, 0))`, [door]);
  }
};

/** A stop cannot be walked around: nobody opens a second door of the model or the use case beside a suspended one. */
const refuseWhileSuspended = async (tx: Tx, modelId: string, useCaseId: string): Promise<void> => {
  const [stopped] = await tx.sql<{ slug: string }>(
    `select slug from endpoint where state = 'SUSPENDED' and (model_id = $1 or use_case_id = $2) order by id limit 1`,
    [modelId, useCaseId],
  );
  if (!stopped) return;
  const sentence = `The endpoint ${stopped.slug} of this model or use case is suspended; resume it before another one is opened`;
  throw new AppError('PRECONDITION_FAILED', sentence, { rule: 'endpoint-suspended', endpoint: stopped.slug });
};

export const createEndpoint = defineCommand({
  name: 'endpoint.create',
  describe: 'Opens a door for decisions: it serves what a protected alias of a model names, in one use case.',
  permission: 'endpoint:create',
  input: z.object({
    slug,
    name: z.string().trim().min(1).max(200),
    useCaseId: z.uuid(),
    modelId: z.uuid(),
    alias: aliasName,
  }),
  target: (tx, input) => lockModel(tx, input.modelId),
  handle: async ({ tx, actor, input, target, now }) => {
    await useCaseOr404(tx, input.useCaseId);
    await holdDoors(tx, target.id, input.useCaseId);
    await refuseWhileSuspended(tx, target.id, input.useCaseId);
    if (!(await isProtected(tx, input.alias))) {
      const sentence = `An endpoint serves only what was approved, and ${input.alias} is not a protected alias`;
      throw new AppError('PRECONDITION_FAILED', sentence, {
        rule: 'protected-alias-only',
        alias: input.alias,
      });
    }
    // Nothing may stand there yet; what stands there must have been approved.
    await approvedVersion(tx, input, now);
    if (await tx.findOne(Endpoint, { slug: input.slug })) {
      throw conflict(`An endpoint named ${input.slug} exists already`, {
        rule: 'name-taken',
        slug: input.slug,
      });
    }
    const id = newId();
    const { slug: short, name, useCaseId, alias } = input;
    const row = {
      id,
      workspaceId: target.workspaceId,
      slug: short,
      name,
      useCaseId,
      modelId: target.id,
      alias,
    };
    await tx.insert(Endpoint, { ...row, state: 'ACTIVE', createdBy: actor.id, createdAt: now });
    return {
      result: { id },
      audit: {
        subject: { kind: 'endpoint', id },
        changes: { state: { from: null, to: 'ACTIVE' } },
        facts: { slug: short, name, useCaseId, modelId: target.id, alias },
      },
    };
  },
});

export const suspendEndpoint = defineCommand({
  name: 'endpoint.suspend',
  describe: 'Stops an endpoint at once: no request is accepted and no running decision takes another step.',
  permission: 'endpoint:suspend',
  input: z.object({ endpointId: z.uuid(), reason }),
  target: async (tx, input) => {
    const endpoint = await tx.findOne(Endpoint, { id: input.endpointId });
    if (endpoint) await holdDoors(tx, endpoint.modelId, endpoint.useCaseId);
    return lockEndpoint(tx, input.endpointId);
  },
  handle: async ({ tx, actor, input, target, now }) => {
    if (target.state === 'SUSPENDED') {
      throw conflict(`The endpoint ${target.slug} is suspended already: ${target.suspensionReason ?? ''}`, {
        rule: 'endpoint-suspended',
        since: target.suspendedAt,
      });
    }
    const suspension = { suspendedBy: actor.id, suspendedAt: now, suspensionReason: input.reason };
    await tx.update(Endpoint, { id: target.id }, { state: 'SUSPENDED', ...suspension });
    return {
      result: { id: target.id },
      audit: {
        subject: { kind: 'endpoint', id: target.id },
        changes: { state: { from: target.state, to: 'SUSPENDED' } },
        facts: { reason: input.reason },
      },
    };
  },
});

export const requestEndpointResume = defineCommand({
  name: 'endpoint.requestResume',
  describe: 'Asks that a suspended endpoint decides again; it resumes once the policy’s approval is given.',
  permission: 'changeRequest:create',
  input: z.object({ endpointId: z.uuid(), reason }),
  target: (tx, input) => lockEndpoint(tx, input.endpointId),
  handle: async ({ tx, actor, input, target, now, enqueue }) => {
    if (target.state === 'ACTIVE') {
      throw conflict(`The endpoint ${target.slug} is not suspended`, { rule: 'endpoint-active' });
    }
    const opened = await openChangeRequest(
      { tx, actor, now, enqueue },
      {
        kind: 'ENDPOINT_RESUME',
        targetKey: `endpoint:${target.id}`,
        title: `Resume the endpoint ${target.name}`,
        reason: input.reason,
        modelId: null,
        versionId: null,
        alias: null,
        useCaseId: null,
        endpointId: target.id,
        proposal: null,
      },
    );
    return { result: { id: opened.id }, audit: opened.audit };
  },
});

export const resumeEndpoint = defineCommand({
  name: 'endpoint.resume',
  describe: 'Lets an endpoint decide again as an approved change request says.',
  permission: 'changeRequest:execute',
  input: z.object({ changeRequestId: z.uuid() }),
  target: (tx, input) => approvedChange(tx, input.changeRequestId, 'ENDPOINT_RESUME'),
  handle: async ({ tx, actor, target: change, now }) => {
    if (change.endpointId === null) throw new Error('A request to resume names no endpoint');
    const endpoint = await lockEndpoint(tx, change.endpointId);
    const cleared = { suspendedBy: null, suspendedAt: null, suspensionReason: null };
    await tx.update(Endpoint, { id: endpoint.id }, { state: 'ACTIVE', ...cleared });
    const executed = await markExecuted(tx, change, actor.id, now);
    return {
      result: { id: endpoint.id },
      audit: [
        {
          subject: { kind: 'endpoint', id: endpoint.id },
          changes: { state: { from: endpoint.state, to: 'ACTIVE' } },
          facts: { changeRequestId: change.id, wasSuspendedFor: endpoint.suspensionReason },
        },
        executed,
      ],
    };
  },
});
