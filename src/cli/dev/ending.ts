import type { KeptProcess } from './child.js';
import type { Progress } from './progress.js';

/** The end of the tree, in order: api, worker, sign-in, database; then what guards the home. */
export interface Ending {
  readonly first: (kept: readonly KeptProcess[]) => void;
  readonly last: (...stops: (() => Promise<void>)[]) => void;
  readonly afterAll: (work: () => Promise<void>) => void;
  /** Throws when the end has begun, so that a start under way does not go on. */
  readonly check: () => void;
  readonly inOrder: () => Promise<void>;
  readonly atOnce: () => void;
}

/** Thrown into a start that is no longer wanted. */
export class Ended extends Error {
  override readonly name = 'Ended';
}

/** Opens the list of what is to be ended. */
export const openEnding = (progress: Progress): Ending => {
  const state: {
    kept: readonly KeptProcess[];
    stops: (() => Promise<void>)[];
    after: (() => Promise<void>)[];
  } = {
    kept: [],
    stops: [],
    after: [],
  };
  let ending: Promise<void> | null = null;
  const end = async (): Promise<void> => {
    // The api first, so that nobody asks for work that nobody would do; PostgreSQL when nobody needs it any more.
    for (const child of state.kept) await child.stop();
    for (const stop of [...state.stops].reverse()) await stop().catch(complain(progress));
    for (const work of state.after) await work().catch(complain(progress));
  };
  return {
    first: (kept) => {
      state.kept = kept;
    },
    last: (...stops) => {
      state.stops.push(...stops);
    },
    afterAll: (work) => {
      state.after.push(work);
    },
    check: () => {
      if (ending) throw new Ended();
    },
    inOrder: () => (ending ??= end()),
    atOnce: () => {
      for (const child of state.kept) child.kill();
    },
  };
};

const complain =
  (progress: Progress) =>
  (error: unknown): void => {
    progress.line(`Something did not end well: ${error instanceof Error ? error.message : String(error)}`);
  };

/** Ctrl-C once ends everything in order, twice at once. */
export const onSignals = (ending: Ending): void => {
  let asked = 0;
  const end = (signal: NodeJS.Signals): void => {
    asked += 1;
    if (asked > 1) {
      ending.atOnce();
      process.exit(130);
    }
    process.stdout.write(signal === 'SIGINT' ? '\nEnding … (Ctrl-C again ends at once)\n' : 'Ending …\n');
    void ending.inOrder().then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
};
