import { randomBytes } from 'node:crypto';
import { chmod, lchown, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { runProgram, type Account } from '../child.js';
import { fault, withProgress, type Log } from '../fault.js';
import { areRoot, ownerOf, readIfThere, syncFolderOf, writePrivately } from '../files.js';
import type { Place } from './place.js';
import type { Profile } from './settings.js';

const SUPERUSER = 'postgres';

interface DataOptions {
  readonly place: Place;
  readonly binaries: Binaries;
  readonly password: string;
  readonly profile: Profile;
  readonly log: Log;
}

/** Makes sure there is a data directory of the right version; true when it was made now. */
export async function prepareData(options: DataOptions): Promise<boolean> {
  const { place, binaries } = options;
  await removeLeftovers(place.base);
  const version = await readIfThere(join(place.data, 'PG_VERSION'));
  if (version === undefined) {
    await refuseOtherFiles(place.data);
    await initialise(options);
    return true;
  }
  if (version !== String(binaries.major)) throw otherVersion(place.data, version, binaries.major);
  await takeBackFromRoot(place);
  return false;
}

/** Writes a file into the data directory in the name of its owner. */
export function writeIntoData(place: Place, name: string, content: string): Promise<void> {
  return writePrivately(join(place.data, name), content, place.account);
}

// A data directory appears by a rename, so whatever is still under construction belongs to a killed start.
async function removeLeftovers(base: string): Promise<void> {
  const names = await readdir(base);
  const leftovers = names.filter((name) => name.startsWith('data.new-'));
  await Promise.all(leftovers.map((name) => rm(join(base, name), { recursive: true, force: true })));
}

async function refuseOtherFiles(data: string): Promise<void> {
  const names = await readdir(data).catch(() => undefined);
  if (names === undefined) return;
  if (names.length === 0) return rmdir(data);
  throw fault(
    `${data} is there, but it is not a PostgreSQL data directory (it has no PG_VERSION file). ` +
      'Move it away, and start again to get a new, empty database.',
  );
}

async function initialise({ place, binaries, password, profile, log }: DataOptions): Promise<void> {
  const fresh = join(place.base, `data.new-${randomBytes(4).toString('hex')}`);
  const passwordFile = `${fresh}.password`;
  await mkdir(fresh, { mode: 0o700 });
  if (place.account) await lchown(fresh, place.account.uid, place.account.gid);
  await writePrivately(passwordFile, password, place.account);
  try {
    const args = ['-D', fresh, '-U', SUPERUSER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    // The built-in locale sorts and folds alike on every system; operating systems differ, and change.
    args.push(
      '-E',
      'UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
    );
    if (profile === 'test') args.push('--no-sync');
    const making = runProgram(binaries.initdb, args, { account: place.account });
    const { code, stdout, stderr } = await withProgress(log, 'Creating a database', making);
    if (code !== 0)
      throw fault(`The database could not be created in ${place.data}. initdb said: ${stderr || stdout}`);
    await rename(fresh, place.data);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
  await syncFolderOf(place.data);
}

function otherVersion(data: string, found: string, ours: number): Error {
  return fault(
    `The data directory ${data} was written by PostgreSQL ${found}; this Countersign brings PostgreSQL ${String(ours)}, which cannot read it. ` +
      `Nothing was changed. Either run PostgreSQL ${found} on that directory yourself and set DATABASE_URL to it, ` +
      'or go back to the Countersign release that made it, export with it and import here, ' +
      'or move the directory away to begin with an empty database.',
  );
}

// After a copy or a restore by root the files are root's, and PostgreSQL would refuse them.
async function takeBackFromRoot({ data, account }: Place): Promise<void> {
  if (!account || !areRoot() || (await ownerOf(data))?.uid === account.uid) return;
  await chmod(data, 0o700);
  await giveTo(account, data);
}

async function giveTo(account: Account, folder: string): Promise<void> {
  await lchown(folder, account.uid, account.gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await giveTo(account, path);
    else await lchown(path, account.uid, account.gid);
  }
}
