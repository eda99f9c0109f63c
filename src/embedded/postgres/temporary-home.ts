import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A throw-away home for a test run, and how to remove it. */
export interface TemporaryHome {
  readonly path: string;
  readonly remove: () => Promise<void>;
}

/**
 * Makes an empty home in the folder for temporary files. Others may enter it (not list it), unlike what `mkdtemp`
 * makes: when root runs the tests, the server's account has to get through.
 */
export async function makeTemporaryHome(name = 'countersign'): Promise<TemporaryHome> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  await chmod(path, 0o711);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
