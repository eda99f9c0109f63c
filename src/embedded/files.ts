import { randomBytes } from 'node:crypto';
import { chmod, lchown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from './child.js';
import { systemCode } from './fault.js';

/** Whether we are root; on Windows nobody is. */
export function areRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The content of a small text file without surrounding blanks, or undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whose a path is, or undefined when it does not exist. */
export async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a file that only its owner reads. It is written beside and renamed, so that a reader never sees half of
 * it, and so that root never writes through a link which the unprivileged owner of the folder has placed there.
 */
export async function writePrivately(path: string, content: string, owner?: Account): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(content);
    if (owner && areRoot()) await file.chown(owner.uid, owner.gid);
  } finally {
    await file.close();
  }
  await rename(beside, path).catch(async (error: unknown) => {
    await rm(beside, { force: true });
    throw error;
  });
}

/** Makes a folder of the given mode and owner; one that is already there stays as it is. */
export async function makeFolder(path: string, mode: number, owner?: Account): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made === undefined) return;
  if (process.platform !== 'win32') await chmod(path, mode);
  if (owner && areRoot()) await lchown(path, owner.uid, owner.gid);
}

/** Makes a rename inside `folder` survive a loss of power. Windows knows no such call and needs none. */
export async function syncFolderOf(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
