import { createHash } from 'node:crypto';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { runProgram, type Account } from '../child.js';
import { fault, messageOf, systemCode, type Log } from '../fault.js';
import { areRoot, makeFolder, ownerOf, readIfThere, writePrivately } from '../files.js';

/** Where the files of the server lie and who runs it. */
export interface Place {
  /** `<home>/postgres`: lock, port, passwords, log. */
  readonly own: string;
  /** Where `data` and copied programs lie; the same as `own` unless the account cannot reach it. */
  readonly base: string;
  readonly data: string;
  /** The account of the server; absent when it is ours. */
  readonly account?: Account | undefined;
  /** Whose the files in `own` are. */
  readonly owner?: Account | undefined;
}

interface PlaceOptions {
  readonly home: string;
  /** Where data goes when root's own folders are closed to the server's account. */
  readonly fallback?: string | undefined;
  readonly log: Log;
}

/**
 * Decides where PostgreSQL keeps its data and as whom it runs. A normal user runs it as himself. PostgreSQL
 * refuses to run as root, so root runs it as the owner of the home or as `nobody`, and puts the data where that
 * account can reach it.
 */
export async function choosePlace(options: PlaceOptions): Promise<Place> {
  const home = resolve(options.home);
  const own = join(home, 'postgres');
  if (!areRoot()) {
    await mkdir(own, { recursive: true, mode: 0o700 });
    const base = await realpath(own);
    await refuseForeignData(base);
    return { own, base, data: join(base, 'data') };
  }

  await makeFolder(home, 0o711);
  const owner = await ownerOf(home);
  await makeFolder(own, 0o711, owner);
  const moved = await movedTo(own);
  const account = await chooseAccount(moved ?? own, owner);
  const base =
    moved ??
    ((await canEnter(own, account)) ? await realpath(own) : await moveAway(own, home, account, options));
  return { own, base, data: join(base, 'data'), account, owner };
}

async function movedTo(own: string): Promise<string | undefined> {
  const pointer = join(own, 'moved-to');
  const base = await readIfThere(pointer);
  if (base === undefined) return undefined;
  return realpath(base).catch((error: unknown) => {
    throw fault(
      `${pointer} says that the data is in ${base}, and that folder is not there. ` +
        `Put it back, or delete ${pointer} to begin with a new, empty database.`,
      error,
    );
  });
}

async function refuseForeignData(base: string): Promise<void> {
  const owner = await ownerOf(join(base, 'data'));
  const uid = process.getuid?.();
  if (owner === undefined || uid === undefined || owner.uid === uid) return;
  throw fault(
    `The data directory ${join(base, 'data')} belongs to user ${String(owner.uid)}, and this is user ${String(uid)}; ` +
      'probably Countersign was started as root before. Start it as root again, or give the folder to this user: ' +
      `sudo chown -R ${String(uid)} ${base}`,
  );
}

async function chooseAccount(base: string, owner: Account | undefined): Promise<Account> {
  const users = await knownUsers();
  const dataOwner = await ownerOf(join(base, 'data'));
  if (dataOwner && dataOwner.uid !== 0) return dataOwner;
  // initdb wants an account with a name.
  if (owner && owner.uid !== 0 && users.some((user) => user.uid === owner.uid)) return owner;
  return users.find((user) => user.name === 'nobody') ?? { uid: 65534, gid: 65534 };
}

async function knownUsers(): Promise<readonly (Account & { name: string })[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (name === undefined || uid === undefined || gid === undefined || name.startsWith('#')) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Whether an account can go into a folder, asked of the system itself, so that access lists count too. */
async function canEnter(folder: string, account: Account): Promise<boolean> {
  try {
    return (await runProgram('/bin/sh', ['-c', 'test -x "$0"', folder], { account })).code === 0;
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw error;
    throw fault(
      `PostgreSQL does not run as root, and this root may not become user ${String(account.uid)} (a restricted container). ` +
        'Start Countersign as a normal user, or set DATABASE_URL to a PostgreSQL server of your own.',
      error,
    );
  }
}

async function moveAway(own: string, home: string, account: Account, options: PlaceOptions): Promise<string> {
  const root =
    options.fallback ??
    (process.platform === 'darwin' ? '/usr/local/var/countersign' : '/var/lib/countersign');
  const digest = createHash('sha256').update(home).digest('hex').slice(0, 8);
  const base = join(root, `${basename(home).replace(/^\.+/, '') || 'home'}-${digest}`);
  try {
    await makeFolder(root, 0o711);
    await makeFolder(base, 0o711);
  } catch (error) {
    throw fault(unreachable(own, account, `${base} cannot be made (${messageOf(error)})`), error);
  }
  if (!(await canEnter(base, account)))
    throw fault(unreachable(own, account, `${base} cannot be reached either`));
  await writePrivately(join(own, 'moved-to'), `${base}\n`);
  options.log(
    `PostgreSQL does not run as root, and user ${String(account.uid)} cannot enter ${own}. Its data is kept in ${base}; ${join(own, 'moved-to')} says so.`,
  );
  return base;
}

function unreachable(own: string, account: Account, also: string): string {
  return (
    `PostgreSQL does not run as root, user ${String(account.uid)} cannot enter ${own}, and ${also}. ` +
    'Set COUNTERSIGN_HOME to a folder that other users can enter, or start as a normal user.'
  );
}
