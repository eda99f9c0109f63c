import { createHash } from 'node:crypto';
import { ProofFault } from './fault.js';

/** A file of a tree: its path with forward slashes, and the sha256 of its bytes. */
export interface TreeFile {
  readonly path: string;
  readonly sha256: string;
}

/** Most files that a tree may have. */
export const mostFiles = 100_000;

/** Why a path cannot be part of a tree, or null: `sha256sum` must be able to print it as it is. */
const faultOf = (path: string): string | null => {
  if (path.length < 1 || path.length > 4096) return 'must have 1 to 4096 characters';
  if (!path.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}\\]/u.test(path)) {
    return 'must not contain control characters or backslashes';
  }
  if (path.normalize('NFC') !== path) return 'must be in Unicode normal form C';
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) {
    return 'must not contain empty segments, . or ..';
  }
  return null;
};

/** Refuses a path that cannot be part of a tree. */
export const requirePath = (path: string): void => {
  const fault = faultOf(path);
  if (fault !== null) throw new ProofFault('path', `The path ${JSON.stringify(path)} ${fault}`);
};

/** In the order of the bytes of their paths, which is that of `LC_ALL=C sort` and not that of JavaScript. */
export const inOrder = <File extends { readonly path: string }>(files: readonly File[]): File[] =>
  files
    .map((file) => ({ file, bytes: Buffer.from(file.path) }))
    .sort((one, other) => one.bytes.compare(other.bytes))
    .map(({ file }) => file);

/**
 * The digest of a tree: sha256 over one line per file, `<sha256>  <path>` and a line feed, in the order of the bytes
 * of the paths. It is what in-toto calls `dirHash`, and what `sha256sum` prints:
 * `find . -type f | cut -c3- | LC_ALL=C sort | xargs -r -d '\n' sha256sum | sha256sum`.
 */
export const treeDigestOf = (files: readonly TreeFile[]): string => {
  const hash = createHash('sha256');
  for (const { path, sha256 } of inOrder(files)) hash.update(`${sha256}  ${path}\n`);
  return hash.digest('hex');
};
