import { z } from 'zod';
import { defineJob, defineReaction } from '../../../kernel/job.js';
import { defineTick } from '../../../kernel/tick.js';
import { findingById } from '../../findings/index.js';
import { tellChannel } from '../../notifications/index.js';
import { compareUpstream } from '../mlflow.commands/differences.js';
import { frontFinder } from '../upstream/front.js';
import { reconcile } from '../upstream/reconcile.js';

/** Looks at the server that the workspace stands in front of. Twice is the same as once. */
export const reconcileUpstreamJob = defineJob({
  name: 'mlflow.reconcileUpstream',
  queue: 'light',
  payload: z.object({}),
  attempts: 2,
  timeoutMs: 10 * 60_000,
  handle: async ({ run, ask, actor, signal, outside }) => {
    const server = await frontFinder(outside.modelServers)(ask, actor);
    if (server !== null) await reconcile({ run, ask, actor, signal }, server);
  },
});

const everyMs = 5 * 60_000;

/** Has the servers behind the gate looked at, every five minutes. */
export const upstreamTick = defineTick({
  name: 'mlflow.upstream',
  everyMs,
  look: async ({ tx, now, enqueue }) => {
    const rows = await tx.sql<{ workspaceId: string; organizationId: string }>(
      `select w.id as "workspaceId", w.organization_id as "organizationId" from workspace w
        where exists (select from upstream_copy c where c.workspace_id = w.id)`,
    );
    const dueAt = new Date(Math.floor(now.getTime() / everyMs) * everyMs);
    for (const { workspaceId, organizationId } of rows) {
      const key = `mlflow.reconcileUpstream/${workspaceId}`;
      enqueue(reconcileUpstreamJob, {}, { workspaceId, organizationId, key, dueAt });
    }
  },
});

/** Tells the channel that something was changed behind the gate, once per finding. */
export const announceDifference = defineReaction({
  name: 'mlflow.announceDifference',
  follows: [compareUpstream],
  attempts: 8,
  timeoutMs: 30_000,
  handle: (context) =>
    tellChannel(context, 'finding', async (id) => {
      const { title, detail, severity, dueAt } = await context.ask(findingById, context.actor, { id });
      const due = dueAt.toISOString().slice(0, 10);
      return { title, lines: [detail, `Severity: ${severity.toLowerCase()}`, `Due: ${due}`] };
    }),
});
