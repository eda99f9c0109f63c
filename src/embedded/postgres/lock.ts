import { open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Account } from '../child.js';
import { fault, systemCode, type Log } from '../fault.js';
import { areRoot } from '../files.js';
import { pidWorld, processStart } from './process-identity.js';

/** A held lock; `release` lets others in. */
export interface Lock {
  readonly release: () => Promise<void>;
}

interface LockOptions {
  readonly file: string;
  /** What the lock guards, for the sentence of a refusal. */
  readonly home: string;
  readonly owner?: Account | undefined;
  readonly log: Log;
}

const holderShape = z.object({ pid: z.number(), start: z.string(), world: z.string(), since: z.string() });
type Holder = z.infer<typeof holderShape>;

const BEAT_MS = 3_000;
const SILENT_AFTER_MS = 12_000;
const HALF_WRITTEN_MS = 1_000;

/**
 * Takes the lock file of a home, or refuses with a sentence that names the process which holds it. What a killed
 * process left behind is taken over: a holder counts only while its id still belongs to the process that began at
 * the noted time. A holder in another container or on another machine cannot be looked up; it counts while it
 * keeps touching the file.
 */
export async function takeLock(options: LockOptions): Promise<Lock> {
  const world = await pidWorld();
  const start = (await processStart(process.pid)) ?? '';
  const mine: Holder = { pid: process.pid, start, world, since: new Date().toISOString() };
  const content = JSON.stringify(mine);

  for (let attempt = 0; attempt < 10; attempt++) {
    if (await create(options, content)) return held(options.file, content);
    const found = await readFile(options.file, 'utf8').catch(() => undefined);
    if (found === undefined) continue;
    if (await isHeld(found, world, options)) throw refusal(found, options.home);
    await removeStale(options.file, found);
  }
  throw fault(
    `The lock ${options.file} changes hands all the time. Start Countersign once only for ${options.home}.`,
  );
}

async function create({ file, owner }: LockOptions, content: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      if (owner && areRoot()) await handle.chown(owner.uid, owner.gid);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  return (await readFile(file, 'utf8').catch(() => '')) === content;
}

async function isHeld(found: string, world: string, options: LockOptions): Promise<boolean> {
  const holder = parseHolder(found);
  if (!holder) {
    // Somebody is writing it at this moment, or was killed while writing it.
    await sleep(HALF_WRITTEN_MS);
    return (await readFile(options.file, 'utf8').catch(() => '')) !== found;
  }
  if (holder.world === world) return (await processStart(holder.pid)) === holder.start;
  return stillBeats(options);
}

async function stillBeats({ file, home, log }: LockOptions): Promise<boolean> {
  const first = await lastBeat(file);
  const wait = first + SILENT_AFTER_MS - Date.now();
  if (wait <= 0) return false;
  log(
    `Another container or machine used ${home} a moment ago. Waiting up to ${String(SILENT_AFTER_MS / 1000)} s to see whether it still does.`,
  );
  for (const until = Date.now() + Math.min(wait, SILENT_AFTER_MS); Date.now() < until;) {
    await sleep(250);
    if ((await lastBeat(file)) !== first) return true;
  }
  return false;
}

async function lastBeat(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

// Moved aside first: of several who find the same stale file only one removes it, and a fresh one is put back.
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.${String(process.pid)}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) === stale) await rm(aside, { force: true });
  else await rename(aside, file);
}

function held(file: string, content: string): Lock {
  const beat = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => undefined);
  }, BEAT_MS);
  beat.unref();
  return {
    async release() {
      clearInterval(beat);
      if ((await readFile(file, 'utf8').catch(() => '')) === content) await rm(file, { force: true });
    },
  };
}

function parseHolder(content: string): Holder | undefined {
  try {
    return holderShape.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

function refusal(found: string, home: string): Error {
  const holder = parseHolder(found);
  const who = holder
    ? `process ${String(holder.pid)}, since ${holder.since}`
    : 'a process that is just starting';
  return fault(
    `Countersign is already running with the home ${home} (${who}). ` +
      'Use that one, or stop it first, or set COUNTERSIGN_HOME to another folder.',
  );
}
