import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file of secrets (mode 0600). Two processes may start at once; the file of the first stays, or what was made
 * with its keys would be lost.
 */
export const createOnce = async (path: string, content: unknown): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, JSON.stringify(content), { mode: 0o600, flush: true });
  try {
    await link(temporary, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
  } finally {
    await unlink(temporary);
  }
};

/** JSON, or null when it is none: what is wrong with a file of secrets is said without its content. */
export const parseQuietly = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
};
