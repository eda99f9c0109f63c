import { z } from 'zod';
import { defineJob } from '../../kernel/job.js';
import { defineTick } from '../../kernel/tick.js';
import { forgetRuntimes, reconcileRuntime } from './attestations.commands/reconcile-runtime.js';
import { runtimesToReconcile } from './attestations.queries/runtimes.js';

/** Asked for by a report that says something new. */
export const reconcileRuntimeJob = defineJob({
  name: 'attestations.reconcileRuntime',
  queue: 'light',
  payload: z.object({ runtimeId: z.uuid() }),
  attempts: 8,
  timeoutMs: 30_000,
  handle: async ({ payload, run, actor }) => {
    await run(reconcileRuntime, actor, payload);
  },
});

/** Looks at the runtimes of a workspace for what time or a revocation has changed. Twice is the same as once. */
export const watchRuntimesJob = defineJob({
  name: 'attestations.watchRuntimes',
  queue: 'light',
  payload: z.object({}),
  attempts: 3,
  timeoutMs: 120_000,
  handle: async ({ run, ask, actor, signal }) => {
    let after: string | null = null;
    do {
      const part: { ids: readonly string[]; next: string | null } = await ask(runtimesToReconcile, actor, {
        after,
      });
      for (const runtimeId of part.ids) {
        signal.throwIfAborted();
        await run(reconcileRuntime, actor, { runtimeId });
      }
      after = part.next;
    } while (after !== null);
    await run(forgetRuntimes, actor, {});
  },
});

const minuteMs = 60_000;

/** Has the runtimes of each workspace looked at, once a minute. */
export const runtimeTick = defineTick({
  name: 'attestations.runtimes',
  everyMs: minuteMs,
  look: async ({ tx, now, enqueue }) => {
    const rows = await tx.sql<{ workspaceId: string; organizationId: string }>(
      `select w.id as "workspaceId", w.organization_id as "organizationId" from workspace w
        where exists (select from runtime r where r.workspace_id = w.id)`,
    );
    const dueAt = new Date(Math.floor(now.getTime() / minuteMs) * minuteMs);
    for (const { workspaceId, organizationId } of rows) {
      const key = `attestations.watchRuntimes/${workspaceId}`;
      enqueue(watchRuntimesJob, {}, { workspaceId, organizationId, key, dueAt });
    }
  },
});
