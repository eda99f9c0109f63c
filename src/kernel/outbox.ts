import type { Actor } from './actor.js';
import type { Subject } from './audit.js';
import type { Tx } from './db.js';
import { newId } from './id.js';
import type { AnyJob, Change, Job, OutboxRow, Reaction } from './job.js';
import { runNow, type Statement } from './statement.js';
import { currentTrace } from './trace.js';

/** Work a handler asked for. */
export interface Enqueued {
  readonly id: string;
  readonly job: AnyJob;
  readonly payload: unknown;
  readonly options: { readonly subject?: Subject; readonly notBefore?: Date };
}

/** Gives a handler the means to ask for work: parsed at once, so that a wrong payload refuses the change. */
export const enqueuer =
  (enqueued: Enqueued[]) =>
  <Payload>(job: Job<Payload>, payload: Payload, options: Enqueued['options'] = {}): string => {
    const id = newId();
    enqueued.push({ id, job, payload: job.parse(payload), options });
    return id;
  };

/** The rows of the outbox for what a command asked for and for those who follow it. */
export const outboxFor = (
  actor: Actor,
  enqueued: readonly Enqueued[],
  followers: readonly { reaction: Reaction; change: Change }[],
): OutboxRow[] => {
  const scope = {
    workspaceId: actor.workspaceId,
    organizationId: actor.organizationId,
    requestId: currentTrace()?.requestId ?? null,
  };
  const asked = enqueued.map(({ id, job, payload, options }): OutboxRow => ({
    ...scope,
    id,
    job: job.name,
    queue: job.queue,
    payload,
    availableAt: options.notBefore ?? null,
    shown: job.visible && options.subject ? { subject: options.subject } : null,
  }));
  const caused = followers.map(({ reaction, change }): OutboxRow => ({
    ...scope,
    id: newId(),
    job: reaction.name,
    queue: reaction.queue,
    payload: change,
    availableAt: null,
    shown: null,
  }));
  return [...asked, ...caused];
};

/** The statements that write outbox rows, and the rows people watch, to be run in the transaction of the change. */
export const outboxStatements = (rows: readonly OutboxRow[]): Statement[] => {
  if (rows.length === 0) return [];
  const shown = rows.flatMap((row) => (row.shown ? [{ ...row, subject: row.shown.subject }] : []));
  const posted: Statement = {
    text: `insert into outbox (id, job, queue, payload, workspace_id, organization_id, request_id, available_at)
       select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[],
                            $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])`,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.job),
      rows.map((row) => row.queue),
      rows.map((row) => JSON.stringify(row.payload)),
      rows.map((row) => row.workspaceId),
      rows.map((row) => row.organizationId),
      rows.map((row) => row.requestId),
      rows.map((row) => row.availableAt ?? new Date(0)),
    ],
  };
  const watched: Statement = {
    text: `insert into job (id, workspace_id, name, subject_kind, subject_id)
       select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])`,
    values: [
      shown.map((row) => row.id),
      shown.map((row) => row.workspaceId),
      shown.map((row) => row.job),
      shown.map((row) => row.subject.kind),
      shown.map((row) => row.subject.id),
    ],
  };
  return shown.length > 0 ? [posted, watched] : [posted];
};

/** Writes outbox rows, and the rows people watch, in the transaction of the change. */
export const writeOutbox = (tx: Tx, rows: readonly OutboxRow[]): Promise<void> =>
  runNow(tx, outboxStatements(rows));

/**
 * How many seconds the oldest row that could go has been waiting; 0 when none waits. An id begins with the time at
 * which it was made, which counts for rows that could go at once.
 */
export const oldestWaitingSeconds = async (tx: Pick<Tx, 'sql'>): Promise<number> => {
  const [row] = await tx.sql<{ seconds: number | null }>(
    `select extract(epoch from clock_timestamp() - min(greatest(available_at, made_at)))::float8 as seconds
       from outbox, lateral (
         select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) as made_at
       ) made
      where available_at <= clock_timestamp()`,
  );
  return Math.max(0, row?.seconds ?? 0);
};
