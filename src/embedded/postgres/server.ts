import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeIntoData } from './data-directory.js';
import { fault } from '../fault.js';
import { readIfThere, writePrivately } from '../files.js';
import { choosePort } from '../port.js';
import { endOldProcesses, clearWay, launchPostmaster, stopPostmaster } from './postmaster.js';
import type { Launch, Postmaster } from './postmaster.js';
import { SETTINGS_FILE, settingsFor, type Profile } from './settings.js';

/** A server that is kept running until it is stopped. */
export interface Server {
  readonly port: number;
  readonly pid: () => number;
  readonly stop: () => Promise<void>;
}

interface ServerOptions {
  readonly launch: Launch;
  readonly profile: Profile;
  readonly onLost: (error: Error) => void;
}

const FIRST_PORT = 15_432;
const OTHER_PORTS = 5;
const OLD_PROCESSES_END_WITHIN_MS = 15_000;
const OLD_PROCESSES_END_ALONE_MS = 1_000;
const MOST_RESTARTS = 5;
const RESTARTS_FORGOTTEN_AFTER_MS = 60_000;

/** Starts the server on a data directory whose lock we hold, and starts it again when it is killed. */
export async function startServer({ launch, profile, onLost }: ServerOptions): Promise<Server> {
  const { place, log } = launch;
  await clearWay(launch);
  await includeSettings(launch);
  const { port, postmaster } = await startOnSomePort(launch, profile);
  const state = { postmaster, stopping: false, restarts: [] as number[], restarting: Promise.resolve() };

  const watch = (): void => {
    void state.postmaster.gone.then(() => {
      if (!state.stopping) state.restarting = restart().catch(onLost);
    });
  };
  const restart = async (): Promise<void> => {
    state.restarts = [
      ...state.restarts.filter((at) => at > Date.now() - RESTARTS_FORGOTTEN_AFTER_MS),
      Date.now(),
    ];
    if (state.restarts.length > MOST_RESTARTS)
      throw fault(`PostgreSQL keeps ending. Its log ${launch.logFile.path} says why.`);
    log(`PostgreSQL (process ${String(state.postmaster.pid)}) ended by itself; starting it again`);
    state.postmaster = await startWith(launch, profile, port);
    watch();
  };

  watch();
  return {
    port,
    pid: () => state.postmaster.pid,
    async stop() {
      state.stopping = true;
      await state.restarting;
      await stopPostmaster(state.postmaster, place, launch.binaries);
    },
  };
}

async function includeSettings({ place }: Launch): Promise<void> {
  const main = (await readIfThere(join(place.data, 'postgresql.conf'))) ?? '';
  const line = `include_if_exists = '${SETTINGS_FILE}'`;
  if (!main.includes(line)) await writeIntoData(place, 'postgresql.conf', `${main}\n\n${line}\n`);
}

async function startOnSomePort(
  launch: Launch,
  profile: Profile,
): Promise<{ port: number; postmaster: Postmaster }> {
  const { own, owner } = launch.place;
  const taken: number[] = [];
  for (;;) {
    const port = await choosePort(own, FIRST_PORT, taken);
    try {
      const postmaster = await startWith(launch, profile, port);
      await writePrivately(join(own, 'port'), `${String(port)}\n`, owner);
      return { port, postmaster };
    } catch (error) {
      // Somebody else took the port between our look and the server's.
      if (!isPortTaken(error) || taken.push(port) >= OTHER_PORTS) throw error;
    }
  }
}

async function startWith(launch: Launch, profile: Profile, port: number): Promise<Postmaster> {
  await writeIntoData(launch.place, SETTINGS_FILE, settingsFor(profile, port));
  const begin = Date.now();
  for (;;) {
    await clearWay(launch);
    const outcome = await launchPostmaster(launch);
    if ('pid' in outcome) return outcome;
    const waited = Date.now() - begin;
    if (outcome.failure !== 'old-processes' || waited > OLD_PROCESSES_END_WITHIN_MS)
      throw startFault(launch, port, outcome);
    // Sessions of a killed server end by themselves, but one in the middle of a long computation is slow to notice.
    if (waited > OLD_PROCESSES_END_ALONE_MS) await endOldProcesses(launch.place);
    await sleep(100);
  }
}

const PORT_TAKEN = 'PortTaken';

function startFault({ logFile }: Launch, port: number, outcome: { failure: string; reason: string }): Error {
  const lastLines = outcome.reason.split('\n').slice(-8).join('\n');
  const error = fault(
    `PostgreSQL did not start on 127.0.0.1:${String(port)}. The end of its log ${logFile.path}:\n${lastLines}`,
    outcome.failure === 'port-taken' ? PORT_TAKEN : undefined,
  );
  return error;
}

function isPortTaken(error: unknown): boolean {
  return error instanceof Error && error.cause === PORT_TAKEN;
}
