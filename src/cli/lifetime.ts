import { isSupervised, toChild } from './environment.js';
import { printed } from './fault.js';
import { complain } from './terminal.js';

/** How long an ordered end may take before the process ends anyway. */
const endWithinMs = 30_000;
/** When the supervisor is dead the database goes too; what is in hand is started anew by the next start. */
const orphanEndsWithinMs = 3_000;

/**
 * Ends a serving process in order when it is asked to: by SIGTERM or SIGINT, or, under a supervisor, by its word or
 * its death. A second signal ends it at once.
 */
export const endInOrder = (args: readonly string[], close: () => Promise<void>): void => {
  const state = { ending: false };
  const end = (withinMs = endWithinMs): void => {
    if (state.ending) process.exit(1);
    state.ending = true;
    setTimeout(() => process.exit(1), withinMs).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        complain(printed(error));
        process.exit(1);
      },
    );
  };
  if (!isSupervised(args)) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        end();
      });
    }
    return;
  }
  process.on('message', (raw) => {
    if (toChild.safeParse(raw).data?.say === 'stop') end();
  });
  process.on('disconnect', () => {
    if (!state.ending) end(orphanEndsWithinMs);
  });
};

/** A terminal sends Ctrl-C to the whole tree; the supervisor alone decides in which order it ends. */
export const leaveSignalsToTheSupervisor = (args: readonly string[]): void => {
  if (!isSupervised(args)) return;
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
};
