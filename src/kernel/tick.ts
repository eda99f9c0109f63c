import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { Tx } from './db.js';
import type { Job } from './job.js';

/** Where the work that a tick asks for belongs. */
export interface TickScope {
  readonly workspaceId: string;
  readonly organizationId: string | null;
}

/** What a tick is given. It reads what is due and asks for work; it changes nothing itself. */
export interface TickContext {
  /** Sees all workspaces, as the system role: a governed table needs a `select` policy for `app_system`. */
  readonly tx: Pick<Tx, 'sql' | 'find' | 'findOne'>;
  readonly now: Date;
  /**
   * Asks for work that was due at `dueAt`. The same job, key and time are the same work: asking again, from any
   * process, is ignored, so a tick may simply name everything that is due.
   */
  readonly enqueue: <Payload>(
    job: Job<Payload>,
    payload: Payload,
    options: TickScope & { readonly key: string; readonly dueAt: Date },
  ) => string;
}

/** Looks now and then for what time has made due. */
export interface Tick {
  readonly name: `${string}.${string}`;
  /** Looked at no more often than this by one worker; a worker that starts looks at once. */
  readonly everyMs: number;
  readonly look: (context: TickContext) => Promise<void>;
}

/** Declares a tick; app.ts lists it, the worker's clock runs it. */
export const defineTick = (tick: Tick): Tick => tick;

/** The id of work that was due at a time: the same for the same work, and in the order of time like every other id. */
export const dueId = (key: string, dueAt: Date): string =>
  v7({ msecs: dueAt.getTime(), random: createHash('sha256').update(key).digest(), seq: 0 });
