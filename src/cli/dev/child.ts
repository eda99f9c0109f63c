import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { fromChild, type toChild } from '../environment.js';

/** A process that the supervisor keeps running. */
export interface KeptProcess {
  /** Gives it what it needs; resolves when it says that it is ready. */
  readonly begin: (environment: Readonly<Record<string, string>>) => Promise<void>;
  /** Tells it to end and waits; kills it when it takes too long. */
  readonly stop: () => Promise<void>;
  /** Ends it at once. */
  readonly kill: () => void;
}

/** How a process is kept. */
export interface KeepOptions {
  readonly name: 'api' | 'worker';
  readonly main: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it makes the place and the people of the demo. */
  readonly demo: boolean;
  readonly logFile: string;
  readonly say: (line: string) => void;
}

const firstPauseMs = 250;
const longestPauseMs = 10_000;
/** A process that ran this long had a good start; the next pause is short again. */
const healthyMs = 30_000;
const stopWithinMs = 25_000;

type ToChild = z.input<typeof toChild>;

interface State {
  child: ChildProcess;
  environment: Readonly<Record<string, string>> | null;
  ending: boolean;
  pauseMs: number;
  startedAt: number;
}

/**
 * Starts `countersign <name>` so that it loads its code while the database is still being started, and starts it
 * again when it dies, with growing pauses.
 */
export const keepProcess = (options: KeepOptions): KeptProcess => {
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  const state: State = {
    child: launch(options, log),
    environment: null,
    ending: false,
    pauseMs: firstPauseMs,
    startedAt: performance.now(),
  };
  watch(state, options, log);
  return {
    begin: async (environment) => {
      await beginIn(state.child, environment, options.demo);
      // From now on its death is an accident; before, it is a failed start, and who waits here is told.
      state.environment = environment;
    },
    stop: () => stop(state),
    kill: () => {
      state.ending = true;
      state.child.kill('SIGKILL');
    },
  };
};

const launch = ({ main, name, environment }: KeepOptions, log: WriteStream): ChildProcess => {
  const child = fork(main, [name, '--supervised'], {
    env: environment,
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  return child;
};

const send = (child: ChildProcess, message: ToChild): void => {
  if (child.connected) child.send(message, () => undefined);
};

/** Waits for what a child says, or for its end, whichever comes first. */
const hear = async (child: ChildProcess, wanted: 'loaded' | 'ready'): Promise<void> => {
  const gone = new AbortController();
  const left = once(child, 'exit', { signal: gone.signal }).then(
    () => Promise.reject(new Error('it ended while it was starting')),
    () => undefined,
  );
  try {
    for (;;) {
      const heard = await Promise.race([once(child, 'message', { signal: gone.signal }), left]);
      const message = fromChild.safeParse(heard?.[0]).data;
      if (message?.say === 'failed') throw new Error(message.reason);
      if (message?.say === wanted) return;
    }
  } finally {
    gone.abort();
  }
};

const loadedChildren = new WeakMap<ChildProcess, Promise<void>>();

const beginIn = async (
  child: ChildProcess,
  environment: Readonly<Record<string, string>>,
  demo: boolean,
): Promise<void> => {
  await loadedChildren.get(child);
  const ready = hear(child, 'ready');
  send(child, { say: 'begin', environment: { ...environment }, demo });
  await ready;
};

const watch = (state: State, options: KeepOptions, log: WriteStream): void => {
  const { child } = state;
  const loaded = hear(child, 'loaded');
  loaded.catch(() => undefined);
  loadedChildren.set(child, loaded);
  child.once('exit', (code, signal) => {
    if (state.ending || state.environment === null) return;
    const why = signal === null ? `code ${String(code)}` : signal;
    options.say(`The ${options.name} ended (${why}); starting it again. Its log: ${options.logFile}`);
    void restart(state, options, log);
  });
};

const restart = async (state: State, options: KeepOptions, log: WriteStream): Promise<void> => {
  const ranWell = performance.now() - state.startedAt > healthyMs;
  const pause = ranWell ? firstPauseMs : state.pauseMs;
  state.pauseMs = Math.min(longestPauseMs, pause * 2);
  await sleep(pause);
  if (state.ending || !state.environment) return;
  state.child = launch(options, log);
  state.startedAt = performance.now();
  watch(state, options, log);
  await beginIn(state.child, state.environment, options.demo).then(
    () => {
      options.say(`The ${options.name} is back.`);
    },
    () => undefined,
  );
};

const stop = async (state: State): Promise<void> => {
  state.ending = true;
  const { child } = state;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  send(child, { say: 'stop' });
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await ended;
  clearTimeout(timer);
};
