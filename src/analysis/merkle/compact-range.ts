import { AnalysisInputError } from '../errors.js';
import { emptyRoot, nodeHash } from './merkle.js';

/**
 * The least that must be kept of a growing tree to know its root: the roots of its perfect subtrees, largest
 * first. Plain data, so that it can be stored with each batch.
 */
export interface CompactRange {
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

/** The range of no entries. */
export function emptyRange(): CompactRange {
  return { size: 0, peaks: [] };
}

/** The range with more leaf hashes at its end; O(log n) kept, one or two hashes per leaf. */
export function appendLeaves(range: CompactRange, leaves: readonly Uint8Array[]): CompactRange {
  const peaks = [...range.peaks];
  if (peaks.length !== countOnes(range.size)) {
    throw new AnalysisInputError(
      `A range of ${String(range.size)} leaves cannot have ${String(peaks.length)} peaks.`,
    );
  }
  let { size } = range;
  for (const leaf of leaves) {
    let hash = leaf;
    for (let filled = size; filled % 2 === 1; filled = Math.floor(filled / 2)) {
      const left = peaks.pop();
      if (left !== undefined) hash = nodeHash(left, hash);
    }
    peaks.push(hash);
    size += 1;
  }
  return { size, peaks };
}

/** Root of the tree that the range stands for. */
export function rangeRoot({ peaks }: CompactRange): Uint8Array {
  const [first, ...rest] = peaks.toReversed();
  if (first === undefined) return emptyRoot();
  return rest.reduce((right, left) => nodeHash(left, right), first);
}

function countOnes(size: number): number {
  let ones = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) ones += left % 2;
  return ones;
}
