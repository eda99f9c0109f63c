/** What is compared to see whether something has changed. */
export interface Watched {
  readonly state: string;
  readonly progress: number;
  readonly message: string;
  readonly attempts: number;
}

/** Looks at something again and again for all who watch it, with one look for all of them. */
export interface Watch<Seen> {
  /** Calls back at once and after each change until `stop` is called; a failed look is told too. */
  start(key: string, look: () => Promise<Seen>, tell: (seen: Seen | Error) => void): { stop(): void };
  /** How many different things are looked at. */
  size(): number;
}

interface Entry<Seen> {
  readonly tellers: Set<(seen: Seen | Error) => void>;
  last: Seen | null;
  timer: NodeJS.Timeout | undefined;
}

const same = (a: Watched, b: Watched): boolean =>
  a.state === b.state && a.progress === b.progress && a.message === b.message && a.attempts === b.attempts;

/** Opens the watch of a process. Rows change in other processes, so it looks rather than waits to be told. */
export const openWatch = <Seen extends Watched>(everyMs = 250): Watch<Seen> => {
  const entries = new Map<string, Entry<Seen>>();

  const round = async (key: string, entry: Entry<Seen>, look: () => Promise<Seen>): Promise<void> => {
    const seen = await look().catch((error: unknown) =>
      error instanceof Error ? error : new Error(String(error)),
    );
    if (entries.get(key) !== entry) return;
    const changed = seen instanceof Error || entry.last === null || !same(entry.last, seen);
    if (!(seen instanceof Error)) entry.last = seen;
    if (changed) for (const tell of [...entry.tellers]) tell(seen);
    if (entries.get(key) !== entry) return;
    entry.timer = setTimeout(() => void round(key, entry, look), everyMs);
  };

  return {
    size: () => entries.size,
    start: (key, look, tell) => {
      const known = entries.get(key);
      const entry: Entry<Seen> = known ?? { tellers: new Set(), last: null, timer: undefined };
      entry.tellers.add(tell);
      if (known?.last) tell(known.last);
      if (!known) {
        entries.set(key, entry);
        void round(key, entry, look);
      }
      return {
        stop: () => {
          entry.tellers.delete(tell);
          if (entry.tellers.size > 0 || entries.get(key) !== entry) return;
          clearTimeout(entry.timer);
          entries.delete(key);
        },
      };
    },
  };
};
