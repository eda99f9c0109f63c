import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from '../child.js';
import { makeFolder } from '../files.js';

/** The log of the server: one file, and the one before it. */
export interface LogFile {
  readonly path: string;
  readonly descriptor: number;
  /** What was written since `mark`. */
  readonly since: (mark: number) => string;
  readonly mark: () => number;
  readonly close: () => void;
}

const MOST_BYTES = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 60_000;
const SHOWN_BYTES = 16_384;

/**
 * Opens `<own>/log/postgres.log` for the server to append to, and keeps it short: what is over 8 MB becomes
 * `postgres.log.1`. The server writes to the file itself, so its log does not depend on our process being alive.
 */
export async function openLogFile(own: string, owner: Account | undefined): Promise<LogFile> {
  const folder = join(own, 'log');
  await makeFolder(folder, 0o700, owner);
  const path = join(folder, 'postgres.log');
  await shorten(path);
  const descriptor = openSync(path, 'a+', 0o600);
  const timer = setInterval(() => void shorten(path).catch(() => undefined), LOOK_EVERY_MS);
  timer.unref();
  return {
    path,
    descriptor,
    mark: () => fstatSync(descriptor).size,
    since: (mark) => readFrom(descriptor, mark),
    close() {
      clearInterval(timer);
      closeSync(descriptor);
    },
  };
}

// The writer holds the file open in append mode, so it is emptied in place and not renamed.
async function shorten(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= MOST_BYTES) return;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}

function readFrom(descriptor: number, mark: number): string {
  const { size } = fstatSync(descriptor);
  const start = Math.max(size < mark ? 0 : mark, size - SHOWN_BYTES);
  const buffer = Buffer.alloc(size - start);
  readSync(descriptor, buffer, 0, buffer.length, start);
  return buffer.toString();
}
