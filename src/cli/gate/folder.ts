import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ProofFault } from '../../features/attestations/proof/fault.js';
import { inOrder, mostFiles, requirePath, type TreeFile } from '../../features/attestations/proof/tree.js';

const textOf = (name: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    throw new ProofFault(
      'path',
      `A name in the folder is not UTF-8: ${JSON.stringify(name.toString('latin1'))}`,
    );
  }
};

/** The paths of all files below a folder. What is neither file nor folder is refused: its content may be anywhere. */
const pathsBelow = async (root: string): Promise<string[]> => {
  const paths: string[] = [];
  const waiting = [''];
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    const folder = join(root, prefix);
    for (const entry of await readdir(folder, { encoding: 'buffer', withFileTypes: true })) {
      const path = `${prefix}${textOf(entry.name)}`;
      requirePath(path);
      if (entry.isDirectory()) waiting.push(`${path}/`);
      else if (entry.isFile()) paths.push(path);
      else {
        const kind = entry.isSymbolicLink() ? 'a symbolic link' : 'no plain file';
        throw new ProofFault('symlink', `${JSON.stringify(path)} in the folder is ${kind}`);
      }
      if (paths.length > mostFiles) {
        throw new ProofFault('file-count', `The folder holds more than ${String(mostFiles)} files`);
      }
    }
  }
  return paths;
};

const chunkBytes = 1024 * 1024;

/** Reads piece by piece, whatever the size; a link that took the file's place since it was listed is not followed. */
const digestOf = async (path: string, buffer: Buffer): Promise<string> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const hash = createHash('sha256');
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
};

/** The files of a folder with their digests, in the order of their paths. */
export const readFolder = async (given: string): Promise<TreeFile[]> => {
  const root = await realpath(given);
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const files: TreeFile[] = [];
  for (const path of await pathsBelow(root)) {
    files.push({ path, sha256: await digestOf(join(root, path), buffer) });
  }
  return inOrder(files);
};
