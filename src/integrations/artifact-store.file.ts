import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactStore, StoredArtifact } from '../kernel/ports.js';
import { digestWhile, noSuchContent, requireDigest, type PutOptions } from './stream-digest.js';

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
    open: async (sha256) => createReadStream(await existing(sha256), { highWaterMark: chunkBytes }),
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
    const writer = writerTo(file);
    const stored = await digestWhile(content, options, writer.write);
    await writer.end();
    return stored;
  } finally {
    await file.close();
  }
};

/** Gathers small pieces; one write and one flush are under way while the next pieces arrive. */
const writerTo = (file: FileHandle) => {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  let sinceFlush = 0;
  let writing = Promise.resolve();
  let flushing = Promise.resolve();
  const flush = async (pieces: readonly Uint8Array[]): Promise<void> => {
    await writeWhole(file, pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
    if (sinceFlush < flushEvery) return;
    sinceFlush = 0;
    await flushing;
    flushing = file.datasync();
    // Awaited at the next flush, or at the end.
    flushing.catch(() => undefined);
  };
  const next = async (): Promise<void> => {
    await writing;
    const pieces = waiting;
    sinceFlush += bytes;
    [waiting, bytes] = [[], 0];
    writing = flush(pieces);
    writing.catch(() => undefined);
  };
  return {
    write: async (chunk: Uint8Array): Promise<void> => {
      waiting.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= chunkBytes) await next();
    },
    end: async (): Promise<void> => {
      if (bytes > 0) await next();
      await writing;
      await flushing;
      await file.sync();
    },
  };
};

/** A single write may be short on a full or slow disk. */
const writeWhole = async (file: FileHandle, chunk: Uint8Array): Promise<void> => {
  let offset = 0;
  while (offset < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, offset);
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
