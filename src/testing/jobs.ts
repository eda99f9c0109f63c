import type { App } from '../app.js';
import type { Outside } from '../kernel/ports.js';
import { asSystem } from '../kernel/system.js';
import { perform, type Delivery } from '../worker/perform.js';

/** How to drain. */
export interface DrainOptions {
  /** Only these jobs; the others stay. */
  readonly only?: readonly string[];
  /** Keep the error of a job instead of throwing it. */
  readonly tolerant?: boolean;
}

/** What was performed. */
export interface Drained {
  readonly performed: readonly string[];
  readonly failed: readonly { job: string; error: unknown }[];
}

interface OutboxRow {
  readonly id: string;
  readonly job: string;
  readonly payload: unknown;
  readonly workspace_id: string | null;
  readonly organization_id: string | null;
  readonly request_id: string | null;
}

const maxRounds = 200;

/** Performs what waits in the outbox, one after the other, until nothing is left. */
export const drainJobs = async (
  app: App & { outside: Outside },
  options: DrainOptions = {},
): Promise<Drained> => {
  const performed: string[] = [];
  const failed: { job: string; error: unknown }[] = [];
  for (let round = 0; round < maxRounds; round += 1) {
    const rows = await take(app, options.only);
    if (rows.length === 0) return { performed, failed };
    for (const row of rows) {
      try {
        await perform(app, deliveryOf(row), new AbortController().signal);
        await finish(app, row.id, 'DONE');
        performed.push(row.job);
      } catch (error) {
        await finish(app, row.id, 'FAILED');
        if (!options.tolerant) throw error;
        failed.push({ job: row.job, error });
      }
    }
  }
  throw new Error('The jobs never end: each round caused another');
};

const take = (app: App, only: readonly string[] | undefined): Promise<OutboxRow[]> =>
  asSystem(app.db, (tx) =>
    tx.sql<OutboxRow>(
      `with due as (delete from outbox where ($1::text[] is null or job = any($1)) and available_at <= $2 returning *)
       select * from due order by id`,
      [only ?? null, app.clock.now()],
    ),
  );

const finish = (app: App, id: string, state: string): Promise<unknown> =>
  asSystem(app.db, (tx) =>
    tx.sql(
      `update job set state = $2, progress = case when $2 = 'DONE' then 1 else progress end where id = $1`,
      [id, state],
    ),
  );

const deliveryOf = (row: OutboxRow): Delivery => ({
  id: row.id,
  job: row.job,
  payload: row.payload,
  workspaceId: row.workspace_id,
  organizationId: row.organization_id,
  requestId: row.request_id,
  attempt: 1,
});
