import { readSync } from 'node:fs';

/** Bytes that are looked at in order, from memory or from a file that may be larger than memory. */
export interface Bytes {
  readonly length: number;
  /** A copy of some bytes; shorter at the end. */
  readonly slice: (from: number, length: number) => Buffer;
}

/** Bytes that are in memory. */
export const inMemory = (content: Buffer): Bytes => ({
  length: content.length,
  slice: (from, length) => content.subarray(from, from + length),
});

const windowBytes = 1_048_576;

/** Bytes of an open file, read a window at a time. */
export const ofFile = (fd: number, length: number): Bytes => {
  const window = Buffer.alloc(windowBytes);
  let start = -1;
  let filled = 0;
  return {
    length,
    slice: (from, wanted) => {
      if (start >= 0 && from >= start && from + wanted <= start + filled) {
        return window.subarray(from - start, from - start + wanted);
      }
      if (wanted > windowBytes) {
        const large = Buffer.alloc(Math.min(wanted, Math.max(0, length - from)));
        return large.subarray(0, readSync(fd, large, 0, large.length, from));
      }
      start = from;
      filled = readSync(fd, window, 0, windowBytes, from);
      return window.subarray(0, Math.min(wanted, filled));
    },
  };
};
