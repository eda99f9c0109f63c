import { join } from 'node:path';
import {
  applicationUrl,
  loadPasswords,
  prepareAccounts,
  resetSuperuserPassword,
  superuserUrl,
} from './accounts.js';
import { prepareBinaries } from './binaries.js';
import { prepareData } from './data-directory.js';
import { fault, type Log } from '../fault.js';
import { takeLock } from './lock.js';
import { openLogFile } from './log-file.js';
import { choosePlace, type Place } from './place.js';
import type { Launch } from './postmaster.js';
import { startServer, type Server } from './server.js';
import type { Profile } from './settings.js';
import { stopWithUs } from './stop-with-us.js';

export type { Log } from '../fault.js';
export type { Profile } from './settings.js';
export { makeTemporaryHome, type TemporaryHome } from './temporary-home.js';

/** How to start the bundled PostgreSQL. */
export interface PostgresOptions {
  /** The home of this installation; everything goes to `<home>/postgres`. */
  readonly home: string;
  readonly log: Log;
  /** `test` trades durability for speed; the default is `durable`. */
  readonly profile?: Profile;
  /** Also stop the server when this process ends without having called `stop`, even when it is killed. */
  readonly stopOnExit?: boolean;
  /** Called when the server ended by itself and could not be started again. */
  readonly onLost?: (error: Error) => void;
  /** The folder of the npm package with the programs, when it is not to be looked up. */
  readonly packageFolder?: string;
  /** Where data goes when root starts us in a home that the server's account cannot enter. */
  readonly fallback?: string;
}

/** A running PostgreSQL. */
export interface EmbeddedPostgres {
  /** The application's database, as its owner; not a superuser. */
  readonly url: string;
  /** The same database as superuser. */
  readonly superuserUrl: string;
  readonly port: number;
  /** The process of the server; another one after it was killed and started again. */
  readonly pid: number;
  /** Whether the database was created by this start. */
  readonly firstStart: boolean;
  /** Ends all sessions and the server, and waits for it. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts the PostgreSQL that comes with the npm packages, on loopback, with its data in `<home>/postgres`. A
 * server that is killed is started again on the same port. One process per home: a second one is refused.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const place = await choosePlace(options);
  const { home, log } = options;
  const lock = await takeLock({ file: join(place.own, 'lock'), home, owner: place.owner, log });
  try {
    const started = await startInPlace(options, place);
    return withStop(started, lock.release);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type Started = Omit<EmbeddedPostgres, 'pid' | 'stop'> & { server: Server; close: () => void };

async function startInPlace(options: PostgresOptions, place: Place): Promise<Started> {
  const { log, profile = 'durable', packageFolder } = options;
  const copyTo = join(place.base, 'programs');
  const binaries = await prepareBinaries({ packageFolder, copyTo, account: place.account, log });
  const passwords = await loadPasswords(place);
  const firstStart = await prepareData({ place, binaries, password: passwords.superuser, profile, log });
  const logFile = await openLogFile(place.own, place.owner);
  const launch: Launch = { place, binaries, logFile, log };
  const onLost =
    options.onLost ??
    ((error: Error) => {
      log(error.message);
    });
  const start = () => startServer({ launch, profile, onLost });

  const state: { server?: Server } = {};
  try {
    state.server = await start();
    if (!(await prepareAccounts(state.server.port, passwords))) {
      log(`The password in ${join(place.own, 'password')} is not the one of the database; setting it anew`);
      await state.server.stop();
      await resetSuperuserPassword(binaries, place, passwords.superuser);
      state.server = await start();
      if (!(await prepareAccounts(state.server.port, passwords)))
        throw fault(`The database in ${place.data} lets nobody in. Look at ${place.data}/pg_hba.conf.`);
    }
    const server = state.server;
    const unwatch = options.stopOnExit === true ? stopWithUs(place, server.pid) : undefined;
    const close = (): void => {
      unwatch?.();
      logFile.close();
    };
    const { port } = server;
    return {
      url: applicationUrl(port, passwords),
      superuserUrl: superuserUrl(port, passwords),
      port,
      firstStart,
      server,
      close,
    };
  } catch (error) {
    await state.server?.stop();
    logFile.close();
    throw error;
  }
}

function withStop({ server, close, ...handles }: Started, release: () => Promise<void>): EmbeddedPostgres {
  const state: { stopped?: Promise<void> } = {};
  const stop = async (): Promise<void> => {
    await server.stop();
    close();
    await release();
  };
  return {
    ...handles,
    get pid() {
      return server.pid();
    },
    stop: () => (state.stopped ??= stop()),
  };
}
