import { readdirSync, readFileSync } from 'node:fs';

/** Whose time counts: processes with their descendants, and the backends of a database. */
export interface Counted {
  readonly pids: readonly number[];
  readonly database: string;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly title: string;
  readonly ms: number;
}

/** Linux counts in hundredths of a second. */
const tickMs = 10;

const read = (pid: number): Process | null => {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const title = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8');
    return { pid, parent: Number(fields[1]), title, ms: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return null;
  }
};

const all = (): Process[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)) ?? []);

/**
 * Processor time of a server in milliseconds, where the system tells. On a machine that others use too, it says more
 * than how long something took.
 */
export const processorMs = ({ pids, database }: Counted): number => {
  if (process.platform !== 'linux') return NaN;
  const processes = all();
  const counted = new Set(pids);
  for (let before = -1; before !== counted.size;) {
    before = counted.size;
    for (const { pid, parent } of processes) if (counted.has(parent)) counted.add(pid);
  }
  return processes
    .filter(
      ({ pid, title }) =>
        counted.has(pid) || (title.startsWith('postgres: ') && title.includes(` ${database} `)),
    )
    .reduce((sum, { ms }) => sum + ms, 0);
};
