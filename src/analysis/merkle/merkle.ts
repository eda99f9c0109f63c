import { createHash } from 'node:crypto';

import { AnalysisInputError } from '../errors.js';

/* Merkle tree hashes, inclusion and consistency proofs of RFC 9162, section 2.1, over SHA-256. */

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const HASH_BYTES = 32;

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Hash of one entry: SHA-256 of 0x00 and the entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF, entry);
}

/** Hash of two neighbours: SHA-256 of 0x01, left and right. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

/** Root of no entries: SHA-256 of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256();
}

/** Whether two hashes are the same. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined)
    throw new AnalysisInputError(`Leaf ${String(index)} is not among the ${String(list.length)} given.`);
  return item;
}

/** Largest power of two below n. */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

/** Root over leaf hashes, in order. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return emptyRoot();
  return subRoot(leaves, 0, leaves.length);
}

function subRoot(leaves: readonly Uint8Array[], start: number, end: number): Uint8Array {
  if (end - start === 1) return at(leaves, start);
  const split = start + splitOf(end - start);
  return nodeHash(subRoot(leaves, start, split), subRoot(leaves, split, end));
}

/** The hashes that lead from leaf `index` to the root, nearest first. */
export function inclusionProof(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  at(leaves, index);
  const path: Uint8Array[] = [];
  let start = 0;
  let end = leaves.length;
  while (end - start > 1) {
    const split = start + splitOf(end - start);
    if (index < split) {
      path.push(subRoot(leaves, split, end));
      end = split;
    } else {
      path.push(subRoot(leaves, start, split));
      start = split;
    }
  }
  return path.reverse();
}

export interface Inclusion {
  readonly leaf: Uint8Array;
  readonly index: number;
  /** Leaves in the tree that the root stands for. */
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** Whether the proof leads from the leaf at that place to the root of a tree of that size (RFC 9162, 2.1.3.2). */
export function verifyInclusion({ leaf, index, size, proof, root }: Inclusion): boolean {
  if (!isPlace(index, size) || !proof.every(({ length }) => length === HASH_BYTES)) return false;
  const sides = siblingSides(index, size - 1, proof.length);
  if (sides === null) return false;
  const hash = proof.reduce((below, sibling, step) => joinSibling(below, sibling, sides[step]), leaf);
  return sameHash(hash, root);
}

/** On which side a sibling of a proof stands. */
export type Side = 'left' | 'right';

/** Hash of a node with its sibling. */
export function joinSibling(hash: Uint8Array, sibling: Uint8Array, side: Side | undefined): Uint8Array {
  return side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
}

/** Where each sibling stands on the way from a place to the root; null when the way is not `steps` long. */
export function siblingSides(index: number, lastIndex: number, steps: number): Side[] | null {
  const sides: Side[] = [];
  let place = index;
  let last = lastIndex;
  while (last > 0 && sides.length <= steps) {
    const isRight = place % 2 === 1 || place === last;
    sides.push(isRight ? 'left' : 'right');
    while (isRight && place % 2 === 0 && place !== 0) {
      place /= 2;
      last = Math.floor(last / 2);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return sides.length === steps ? sides : null;
}

function isPlace(index: number, size: number): boolean {
  return Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size;
}
