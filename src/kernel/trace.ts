import { AsyncLocalStorage } from 'node:async_hooks';

/** What identifies the request that caused the work, for logs and the audit trail; never used to decide anything. */
export interface Trace {
  readonly requestId: string;
  /** The door it came through: `graphql`, `http`, `job:<name>`, `cli`. */
  readonly door: string;
  readonly address?: string | undefined;
}

const storage = new AsyncLocalStorage<Trace>();

/** Runs work under a trace. */
export const withTrace = <T>(trace: Trace, work: () => T): T => storage.run(trace, work);

/** The trace of the running work, if there is one. */
export const currentTrace = (): Trace | undefined => storage.getStore();
