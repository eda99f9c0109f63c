import { AnalysisInputError } from '../errors.js';
import { joinSibling, merkleRoot, nodeHash, sameHash, type Side, siblingSides } from './merkle.js';

/** The hashes that show that the first `size` leaves were not changed when the rest was appended (RFC 9162, 2.1.4). */
export function consistencyProof(leaves: readonly Uint8Array[], size: number): Uint8Array[] {
  if (!Number.isInteger(size) || size < 1 || size > leaves.length) {
    throw new AnalysisInputError(
      `A tree of ${String(leaves.length)} leaves had no earlier size ${String(size)}.`,
    );
  }
  return size === leaves.length ? [] : subProof(leaves, size, true);
}

function subProof(leaves: readonly Uint8Array[], size: number, isWhole: boolean): Uint8Array[] {
  if (size === leaves.length) return isWhole ? [] : [merkleRoot(leaves)];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const left = leaves.slice(0, split);
  const right = leaves.slice(split);
  if (size <= split) return [...subProof(left, size, isWhole), merkleRoot(right)];
  return [...subProof(right, size - split, false), merkleRoot(left)];
}

export interface Consistency {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the newer tree only appended to the older one. */
export function verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof }: Consistency): boolean {
  if (!isGrowth(oldSize, newSize)) return false;
  if (oldSize === newSize) return proof.length === 0 && sameHash(oldRoot, newRoot);
  const [first, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  const sides = sidesFrom(oldSize, newSize, rest.length);
  if (sides === null) return false;
  // What stands to the right of the old tree is not part of the old root.
  const older = rest.reduce(
    (hash, sibling, step) => (sides[step] === 'left' ? nodeHash(sibling, hash) : hash),
    first,
  );
  const newer = rest.reduce((hash, sibling, step) => joinSibling(hash, sibling, sides[step]), first);
  return sameHash(older, oldRoot) && sameHash(newer, newRoot);
}

function isGrowth(oldSize: number, newSize: number): boolean {
  return Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize) && oldSize >= 1 && oldSize <= newSize;
}

/** The way to the root from the old tree's last perfect subtree, where its proof begins. */
function sidesFrom(oldSize: number, newSize: number, steps: number): Side[] | null {
  let place = oldSize - 1;
  let last = newSize - 1;
  for (; place % 2 === 1; last = Math.floor(last / 2)) place = Math.floor(place / 2);
  return siblingSides(place, last, steps);
}

function isPowerOfTwo(size: number): boolean {
  let left = size;
  while (left > 1 && left % 2 === 0) left /= 2;
  return left === 1;
}
