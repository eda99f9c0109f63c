import { availableParallelism } from 'node:os';
import type { Compute } from '../kernel/ports.js';
import { createPool } from './pool.js';

export { explainTrees, type SpreadOptions } from './attribution/explain-trees.js';

/** How the pool is made. */
export interface ComputeOptions {
  /** Threads at most; two at least by default, so that a long task leaves one for decisions. */
  readonly threads?: number;
}

/**
 * Opens the compute port: worker threads that run the tasks of `tasks.ts`. Threads start when they are needed and
 * again when one dies. A task whose time is over, or that is aborted, ends with its thread.
 */
export const openCompute = (options: ComputeOptions = {}): Compute =>
  createPool(options.threads ?? Math.max(2, availableParallelism()));
