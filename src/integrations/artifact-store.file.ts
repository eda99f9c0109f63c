import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactStore, PutOptions, StoredArtifact } from '../kernel/ports.js';
import { digestWhile, noSuchContent, requireDigest } from './stream-digest.js';

/** Few large reads and writes cost less than many small ones. */
const chunkBytes = 1_048_576;
/** After so much the disk begins to write, while the rest still arrives. */
const flushEvery = 16 * chunkBytes;
const staleAfterMs = 24 * 3_600_000;

/**
 * Content-addressed storage in a folder: `sha256/ab/abcd…`, read-only files. A stream is written beside, flushed to
 * the disk and renamed, so that a digest names either the whole content or nothing, also after a power cut.
 */
export const openFileStore = async (folder: string): Promise<ArtifactStore> => {
  const incoming = join(folder, 'incoming');
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  await removeStale(incoming);
  const pathOf = (sha256: string): string => {
    const digest = requireDigest(sha256);
    return join(folder, 'sha256', digest.slice(0, 2), digest);
  };
  const existing = async (sha256: string): Promise<string> => {
    const path = pathOf(sha256);
    if (await exists(path)) return path;
    throw noSuchContent(sha256);
  };
  return {
    put: (content, options) => put(incoming, pathOf, content, options),
    open: async (sha256, { reuse = false } = {}) => {
      const path = await existing(sha256);
      return reuse ? piecesOf(path) : createReadStream(path, { highWaterMark: chunkBytes });
    },
    // The stored file itself: it never changes and nothing deletes it while the product runs.
    withFile: async (sha256, use) => use(await existing(sha256)),
    has: async (sha256) => exists(pathOf(sha256)),
  };
};

const put = async (
  incoming: string,
  pathOf: (sha256: string) => string,
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredArtifact> => {
  const temporary = join(incoming, randomUUID());
  try {
    const stored = await writeFlushed(temporary, content, options);
    const path = pathOf(stored.sha256);
    // The same content again is the same file; what stands is never replaced.
    if (!(await exists(path))) await publish(temporary, path);
    return stored;
  } finally {
    await rm(temporary, { force: true });
  }
};

const writeFlushed = async (
  path: string,
  content: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<StoredArtifact> => {
  const file = await open(path, 'wx', 0o400);
  try {
    const writer = writerTo(file, options.mayFree ?? false);
    const stored = await digestWhile(content, options, writer.write);
    await writer.end();
    return stored;
  } finally {
    await file.close();
  }
};

/** Reads a file into two places in turn: one is with the reader while the next is filled. */
const piecesOf = async function* (path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const places = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const;
    let next = file.read(places[0], 0, chunkBytes);
    for (let turn = 0; ; turn = 1 - turn) {
      const { bytesRead, buffer } = await next;
      if (bytesRead === 0) return;
      next = file.read(places[turn === 0 ? 1 : 0], 0, chunkBytes);
      // Awaited in the next round; when the reader leaves before that, nobody asks for it any more.
      next.catch(() => undefined);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
};

/** Gives the memory of a piece back; a piece that shares its memory keeps it. */
const free = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};

/**
 * Gathers small pieces in two places in turn: one is written, and now and then flushed, while the other is filled. The
 * pieces themselves are free at once: a hundred megabytes that wait to be collected would stop everybody meanwhile.
 */
const writerTo = (file: FileHandle, mayFree: boolean) => {
  const places = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)] as const;
  let turn: 0 | 1 = 0;
  let filled = 0;
  let sinceFlush = 0;
  let writing = Promise.resolve();
  let flushing = Promise.resolve();
  const write = async (content: Uint8Array): Promise<void> => {
    await writeWhole(file, content);
    sinceFlush += content.byteLength;
    if (sinceFlush < flushEvery) return;
    sinceFlush = 0;
    await flushing;
    flushing = file.datasync();
    // Awaited at the next flush, or at the end.
    flushing.catch(() => undefined);
  };
  const handOver = async (): Promise<void> => {
    await writing;
    writing = write(places[turn].subarray(0, filled));
    writing.catch(() => undefined);
    turn = turn === 0 ? 1 : 0;
    filled = 0;
  };
  return {
    write: async (piece: Uint8Array): Promise<void> => {
      for (let taken = 0; taken < piece.byteLength;) {
        const part = piece.subarray(taken, taken + chunkBytes - filled);
        places[turn].set(part, filled);
        filled += part.byteLength;
        taken += part.byteLength;
        if (filled === chunkBytes) await handOver();
      }
      if (mayFree) free(piece);
    },
    end: async (): Promise<void> => {
      if (filled > 0) await handOver();
      await writing;
      await flushing;
      await file.sync();
    },
  };
};

/** A single write may be short on a full or slow disk. */
const writeWhole = async (file: FileHandle, content: Uint8Array): Promise<void> => {
  let offset = 0;
  while (offset < content.byteLength) {
    const { bytesWritten } = await file.write(content, offset);
    offset += bytesWritten;
  }
};

const publish = async (temporary: string, path: string): Promise<void> => {
  const folder = dirname(path);
  const created = await mkdir(folder, { recursive: true, mode: 0o700 });
  await rename(temporary, path);
  await syncFolder(folder);
  // A folder that was made for it is a new name too.
  if (created !== undefined) await syncFolder(dirname(folder));
};

/** Makes the new name itself durable. Windows has no such call and refuses to open a folder. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Leftovers of uploads whose process was killed; younger ones may belong to a process that runs. */
const removeStale = async (incoming: string): Promise<void> => {
  const before = Date.now() - staleAfterMs;
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const found = await stat(path).catch(() => null);
    if (found && found.mtimeMs < before) await rm(path, { force: true });
  }
};
