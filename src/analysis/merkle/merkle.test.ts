import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AnalysisInputError } from '../errors.js';
import { appendLeaves, emptyRange, rangeRoot } from './compact-range.js';
import { consistencyProof, verifyConsistency } from './consistency.js';
import { emptyRoot, inclusionProof, leafHash, merkleRoot, verifyInclusion } from './merkle.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

/** Entries and roots of the test vectors shared by Certificate Transparency implementations. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const leavesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => leafHash(Buffer.from(`entry ${String(index)}`)));

describe('the Merkle log', () => {
  test('has the roots of the published vectors', () => {
    expect(hex(emptyRoot())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    const leaves = ENTRIES.map((entry) => leafHash(bytes(entry)));
    expect(ROOTS.map((_, index) => hex(merkleRoot(leaves.slice(0, index + 1))))).toEqual(ROOTS);
  });

  test('proves every leaf of every size, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, chosen, other) => {
        const leaves = leavesOf(size);
        const root = merkleRoot(leaves);
        const index = chosen % size;
        const leaf = leaves[index] ?? new Uint8Array();
        const proof = inclusionProof(leaves, index);
        expect(verifyInclusion({ leaf, index, size, proof, root })).toBe(true);
        expect(verifyInclusion({ leaf: leafHash(Buffer.from('forged')), index, size, proof, root })).toBe(
          false,
        );
        const elsewhere = other % size;
        if (elsewhere !== index)
          expect(verifyInclusion({ leaf, index: elsewhere, size, proof, root })).toBe(false);
        expect(verifyInclusion({ leaf, index, size, proof: [...proof, leaf], root })).toBe(false);
        if (proof.length > 0)
          expect(verifyInclusion({ leaf, index, size, proof: proof.slice(1), root })).toBe(false);
      }),
    );
  });

  test('refuses places outside the tree and hashes of the wrong length', () => {
    const leaves = leavesOf(3);
    const root = merkleRoot(leaves);
    const leaf = leaves[0] ?? new Uint8Array();
    const proof = inclusionProof(leaves, 0);
    for (const index of [-1, 3, 0.5, Number.NaN])
      expect(verifyInclusion({ leaf, index, size: 3, proof, root })).toBe(false);
    expect(
      verifyInclusion({ leaf, index: 0, size: 3, proof: [new Uint8Array(31), ...proof.slice(1)], root }),
    ).toBe(false);
    expect(() => inclusionProof(leaves, 3)).toThrow(AnalysisInputError);
  });

  test('grows by batches to the same root as from the start', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 }), (batches) => {
        const leaves = leavesOf(batches.reduce((sum, size) => sum + size, 0));
        let range = emptyRange();
        for (const size of batches) range = appendLeaves(range, leaves.slice(range.size, range.size + size));
        expect(range.size).toBe(leaves.length);
        expect(hex(rangeRoot(range))).toBe(hex(merkleRoot(leaves)));
      }),
    );
  });

  test('refuses a stored range that cannot be one', () => {
    expect(() => appendLeaves({ size: 2, peaks: [] }, leavesOf(1))).toThrow(AnalysisInputError);
  });

  test('shows that an older tree was only appended to', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), (newSize, chosen) => {
        const leaves = leavesOf(newSize);
        const oldSize = (chosen % newSize) + 1;
        const oldRoot = merkleRoot(leaves.slice(0, oldSize));
        const newRoot = merkleRoot(leaves);
        const proof = consistencyProof(leaves, oldSize);
        expect(verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof })).toBe(true);
        expect(verifyConsistency({ oldSize, oldRoot: leafHash(oldRoot), newSize, newRoot, proof })).toBe(
          false,
        );
        expect(verifyConsistency({ oldSize, oldRoot, newSize, newRoot: leafHash(newRoot), proof })).toBe(
          false,
        );
        expect(verifyConsistency({ oldSize, oldRoot, newSize, newRoot, proof: [...proof, oldRoot] })).toBe(
          false,
        );
      }),
    );
  });

  test('has no proof for a size it never had', () => {
    expect(() => consistencyProof(leavesOf(3), 4)).toThrow(AnalysisInputError);
    expect(() => consistencyProof(leavesOf(3), 0)).toThrow(AnalysisInputError);
    const root = merkleRoot(leavesOf(2));
    expect(verifyConsistency({ oldSize: 3, oldRoot: root, newSize: 2, newRoot: root, proof: [] })).toBe(
      false,
    );
    expect(verifyConsistency({ oldSize: 3, oldRoot: root, newSize: 5, newRoot: root, proof: [] })).toBe(
      false,
    );
  });
});
