import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a process may use. */
export interface Limits {
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
}

type Wrapper = (limits: Limits) => readonly string[];

/**
 * Programs of Linux that take something away from the process they start. Each runs the next in its own place, so
 * the process keeps its id. What a machine does not have or does not permit is left out.
 */
const wrappers: readonly (readonly Wrapper[])[] = [
  // No network: as root, or in a user namespace of its own.
  [() => ['unshare', '--net', '--'], () => ['unshare', '--map-root-user', '--net', '--']],
  // Memory, time, no files written, no core dumps, few descriptors.
  [
    ({ memoryBytes, cpuSeconds }) => [
      'prlimit',
      `--data=${String(memoryBytes)}`,
      `--cpu=${String(cpuSeconds)}`,
      '--fsize=0',
      '--core=0',
      '--nofile=64',
      '--',
    ],
  ],
  // It dies with its parent.
  [
    () => ['setpriv', '--pdeathsig', 'KILL', '--no-new-privs', '--'],
    () => ['setpriv', '--pdeathsig', 'KILL', '--'],
  ],
];

const run = promisify(execFile);
const trial: Limits = { memoryBytes: 1_073_741_824, cpuSeconds: 10 };

const works = async (wrapper: Wrapper): Promise<boolean> => {
  const [program = '', ...options] = wrapper(trial);
  return run(program, [...options, 'true'], { timeout: 5000 }).then(
    () => true,
    () => false,
  );
};

const firstThatWorks = async (choices: readonly Wrapper[]): Promise<Wrapper> => {
  for (const choice of choices) if (await works(choice)) return choice;
  return () => [];
};

const find = async (): Promise<readonly Wrapper[]> =>
  process.platform === 'linux' ? Promise.all(wrappers.map(firstThatWorks)) : [];

let found: Promise<readonly Wrapper[]> | undefined;

/** The command that runs a command within limits, with all that this machine offers; tried once per process. */
export const jailed = async (command: readonly string[], limits: Limits): Promise<readonly string[]> => {
  found ??= find();
  const outer = (await found).flatMap((wrapper) => wrapper(limits));
  return [...outer, ...command];
};
