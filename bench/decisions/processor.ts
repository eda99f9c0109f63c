import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc, on every Linux that Node runs on. */
const ticks = 100;

interface Process {
  readonly parent: number;
  readonly milliseconds: number;
}

/** State, parent, and the time of the process and of its children that ended; what stands before is its name. */
const read = (pid: number): Process | null => {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const time = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
    return { parent: Number(fields[1]), milliseconds: (time * 1000) / ticks };
  } catch {
    return null;
  }
};

const everyProcess = (): ReadonlyMap<number, Process> => {
  try {
    const pids = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
    return new Map(
      pids.flatMap((pid) => {
        const process = read(pid);
        return process ? [[pid, process] as const] : [];
      }),
    );
  } catch {
    return new Map();
  }
};

/**
 * Processor time that processes and their descendants have used, in milliseconds; NaN where there is no /proc. It says
 * more than a rate on a machine that does other things too.
 */
export const processorTime = (pids: readonly number[]): number => {
  const all = everyProcess();
  const below = Map.groupBy(all, ([, { parent }]) => parent);
  const timeOf = (pid: number): number =>
    (below.get(pid) ?? []).reduce(
      (sum, [child]) => sum + timeOf(child),
      all.get(pid)?.milliseconds ?? Number.NaN,
    );
  return pids.reduce((sum, pid) => sum + timeOf(pid), 0);
};
