import { spawn } from 'node:child_process';

/** The operating system account a program runs as; absent means: as we do. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** What a finished program left behind. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and as whom a program runs. */
export interface ChildOptions {
  readonly account?: Account | undefined;
  readonly cwd?: string;
  readonly stdin?: string;
}

/**
 * The surroundings a PostgreSQL program gets. It is small on purpose: PG* variables of the person must not
 * redirect our server, and our own secrets must not be readable in its environment. Windows needs the whole one.
 */
export function childSurroundings(options: ChildOptions): {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  windowsHide: boolean;
} {
  const cwd = options.cwd ?? (process.platform === 'win32' ? '.' : '/');
  const env = process.platform === 'win32' ? {} : { env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
  return { cwd, ...env, ...options.account, windowsHide: true };
}

/** Runs a program to its end and collects what it says. Rejects only when it cannot be started at all. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...childSurroundings(options), stdio: ['pipe', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
    // A program that does not read its input closes the pipe; that is not a fault of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, ...said });
    });
  });
}
