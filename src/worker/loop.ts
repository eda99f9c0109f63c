import type { Log } from '../kernel/log.js';

/** Work that goes round until it is closed. */
export interface Loop {
  /** Lets the round that runs end and starts no other. */
  readonly close: () => Promise<void>;
}

const troubleMs = 1000;

/** Runs rounds one after the other; each says after how many milliseconds the next follows. A failed round is logged and followed by another. */
export const startLoop = (log: Log, name: string, round: () => Promise<number>): Loop => {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      const wait = await round().catch((error: unknown) => {
        if (!stop.signal.aborted) log.warn({ err: error }, `A round of ${name} failed; another follows`);
        return troubleMs;
      });
      await sleep(wait, stop.signal);
    }
  })();
  return {
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

const sleep = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal.addEventListener('abort', wake);
  });
