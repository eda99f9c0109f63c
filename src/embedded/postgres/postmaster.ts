import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import { childSurroundings, runProgram } from '../child.js';
import { writeIntoData } from './data-directory.js';
import { fault, withProgress, type Log } from '../fault.js';
import { readIfThere } from '../files.js';
import type { LogFile } from './log-file.js';
import type { Place } from './place.js';
import { processesIn, processStart, servesDataDirectory } from './process-identity.js';

/** What is needed to start a server. */
export interface Launch {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly logFile: LogFile;
  readonly log: Log;
}

/** A running server process. */
export interface Postmaster {
  readonly pid: number;
  /** Settles when the process is gone. */
  readonly gone: Promise<void>;
}

/** Why a server did not start, in the words of its log. */
export type StartFailure = 'port-taken' | 'old-processes' | 'other';

const READY_WITHIN_MS = 10 * 60_000;
const FAST_STOP_WITHIN_MS = 30_000;
const HARD_STOP_WITHIN_MS = 5_000;

/** Starts the server and waits until it accepts connections. */
export async function launchPostmaster(
  launch: Launch,
): Promise<Postmaster | { failure: StartFailure; reason: string }> {
  const mark = launch.logFile.mark();
  const started = process.platform === 'win32' ? await startByPgCtl(launch) : startDirectly(launch);
  const sentence = 'Waiting for PostgreSQL (after an unclean stop it first replays its log)';
  if (started && (await withProgress(launch.log, sentence, untilReady(launch.place, started))))
    return started;
  const reason = launch.logFile.since(mark).trim();
  return { failure: classify(reason), reason };
}

function startDirectly({ place, binaries, logFile }: Launch): Postmaster {
  const child = spawn(binaries.postgres, ['-D', place.data], {
    ...childSurroundings({ account: place.account }),
    stdio: ['ignore', logFile.descriptor, logFile.descriptor],
    // Its own session: Ctrl-C goes to us alone, and we stop it last.
    detached: true,
  });
  child.unref();
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
    child.once('error', () => {
      resolve();
    });
  });
  return { pid: child.pid ?? 0, gone };
}

// On Windows only pg_ctl can drop administrator rights and pass on a request to stop.
async function startByPgCtl({ place, binaries, logFile }: Launch): Promise<Postmaster | undefined> {
  const args = ['start', '-W', '-s', '-D', place.data, '-l', logFile.path];
  const { code } = await runProgram(binaries.pgCtl, args);
  if (code !== 0) return undefined;
  for (let waited = 0; waited < 10_000; waited += 50) {
    const file = await readPostmasterFile(place.data);
    if (file) return { pid: file.pid, gone: untilGone(file.pid) };
    await sleep(50);
  }
  return undefined;
}

async function untilReady(place: Place, { pid, gone }: Postmaster): Promise<boolean> {
  const state = { ended: false };
  void gone.then(() => {
    state.ended = true;
  });
  const until = Date.now() + READY_WITHIN_MS;
  while (!state.ended && Date.now() < until) {
    const file = await readPostmasterFile(place.data);
    if (file?.pid === pid && file.status === 'ready') return true;
    await sleep(5);
  }
  return false;
}

function classify(reason: string): StartFailure {
  if (reason.includes('Address already in use') || reason.includes('could not create any TCP/IP sockets'))
    return 'port-taken';
  if (reason.includes('pre-existing shared memory block')) return 'old-processes';
  return 'other';
}

interface PostmasterFile {
  readonly pid: number;
  readonly status: string;
}

// Line 1 is the process id, line 8 the state; see the file's description in PostgreSQL's pidfile.h.
async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  const lines = (await readIfThere(join(data, 'postmaster.pid')))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, status: lines?.[7]?.trim() ?? '' };
}

/**
 * Clears the way for a start on a data directory that is ours alone: ends a server that outlived the process which
 * started it, and disarms the `postmaster.pid` of one that was killed.
 */
export async function clearWay(launch: Launch): Promise<void> {
  const { place, binaries, log } = launch;
  const file = await readPostmasterFile(place.data);
  if (!file) return;
  if (await servesDataDirectory(file.pid, place.data)) {
    log(`Stopping the PostgreSQL (process ${String(file.pid)}) that an earlier Countersign left running`);
    await stopPostmaster({ pid: file.pid, gone: untilGone(file.pid) }, place, binaries);
    return;
  }
  await disarmPidFile(place);
}

// PostgreSQL would take any process of that id for a server of its own, also a dead one that nobody has collected.
// With our id in the file, the id of its parent, it goes on, and it still checks by the shared memory noted there
// that no old session is left. Windows has no such exception for parents, and guards the memory by its name.
async function disarmPidFile(place: Place): Promise<void> {
  const path = join(place.data, 'postmaster.pid');
  if (process.platform === 'win32') return rm(path, { force: true });
  const text = (await readIfThere(path)) ?? '';
  return writeIntoData(place, 'postmaster.pid', `${text.replace(/^\d+/, String(process.pid))}\n`);
}

/** Ends processes that still work on this data directory after their server was killed. */
export async function endOldProcesses(place: Place): Promise<void> {
  for (const pid of await processesIn(place.data)) signal(pid, 'SIGQUIT');
}

/** Ends the server: sessions are cut off, what was committed is safe. Waits until the process is gone. */
export async function stopPostmaster(
  postmaster: Postmaster,
  place: Place,
  binaries: Binaries,
): Promise<void> {
  if (process.platform === 'win32') {
    await runProgram(binaries.pgCtl, ['stop', '-m', 'fast', '-w', '-s', '-D', place.data]);
    return;
  }
  const { pid, gone } = postmaster;
  // Its id may already belong to somebody else.
  if (await within(0, gone)) return;
  signal(pid, 'SIGINT');
  if (await within(FAST_STOP_WITHIN_MS, gone)) return;
  signal(pid, 'SIGQUIT');
  if (await within(HARD_STOP_WITHIN_MS, gone)) return;
  signal(pid, 'SIGKILL');
  if (await within(HARD_STOP_WITHIN_MS, gone)) return;
  throw fault(
    `PostgreSQL (process ${String(pid)}) does not end, not even when killed. Look at the disk of ${place.data}.`,
  );
}

/** Sends a signal to a process (negative: to a group of them) that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  // 0 and -1 would mean our own group and everybody.
  if (pid >= -1 && pid <= 1) return;
  try {
    process.kill(pid, name);
  } catch {
    // It is gone, which is what was wanted.
  }
}

async function within(milliseconds: number, gone: Promise<void>): Promise<boolean> {
  const limit = new AbortController();
  const late = sleep(milliseconds, false, { signal: limit.signal }).catch(() => false);
  const ended = await Promise.race([gone.then(() => true), late]);
  limit.abort();
  return ended;
}

async function untilGone(pid: number): Promise<void> {
  while ((await processStart(pid)) !== undefined) await sleep(20);
}
