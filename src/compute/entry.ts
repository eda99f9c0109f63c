import { fileURLToPath } from 'node:url';

/** A file that a child process or a worker thread starts with, and the options Node needs for it. */
export interface EntryPoint {
  readonly path: string;
  readonly execArgv: readonly string[];
}

/**
 * Where a file of `src/compute` is now: JavaScript in the built product, TypeScript in development and tests.
 * `entryPoint('./intake/child')`, without extension. The options serve `fork`, `spawn` and `new Worker` alike.
 */
export const entryPoint = (name: `./${string}`): EntryPoint => {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const path = fileURLToPath(new URL(`${name}${extension}`, import.meta.url));
  if (extension === '.js') return { path, execArgv: [] };
  const hook = new URL('./typescript-hook.mjs', import.meta.url).href;
  return { path, execArgv: ['--import', hook] };
};
