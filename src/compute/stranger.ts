import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { entryPoint } from './entry.js';
import { jailed } from './jail.js';

/** How much a look into a stranger's file may take. */
export interface StrangerLimits {
  /** Resident memory of the process. */
  readonly memoryBytes: number;
  readonly wallMs: number;
  /** A larger file is refused unread. */
  readonly fileBytes: number;
}

/** A look into one file that nobody trusts. */
export interface Look {
  /** The file of `src/compute` that looks. */
  readonly entry: `./${string}`;
  readonly args?: readonly string[];
  readonly heapMegabytes: number;
  /** Threads that may compute at the same time. */
  readonly threads: number;
  /** What is done with the file, as a refusal says it: `opening it`. */
  readonly deed: string;
  readonly limits: StrangerLimits;
  readonly signal?: AbortSignal | undefined;
}

/** What the process said, or why it was refused. */
export type Said = { readonly text: string } | { readonly refused: string };

/** The process was ended from outside, which says nothing about the file: try again. */
export class InspectionInterrupted extends Error {
  override readonly name = 'InspectionInterrupted';
}

const maxAnswerBytes = 4 * 1_048_576;
const watchEveryMs = 50;
const longestArgument = 100_000;

/**
 * A value as arguments of a process, of which one may not be longer than 128 KiB on Linux: JSON in ASCII, so that no
 * sign is cut in two. The process joins them.
 */
export const argumentsOf = (value: unknown): string[] => {
  const text = JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Array.from({ length: Math.ceil(text.length / longestArgument) }, (_, place) =>
    text.slice(place * longestArgument, (place + 1) * longestArgument),
  );
};

const refused = (reason: string): Said => ({ refused: reason });
const sized = (bytes: number): string =>
  bytes < 1_048_576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${String(Math.round(bytes / 1_048_576))} MiB`;

/**
 * Looks into a file in a process of its own: no environment, no inherited descriptors but the file, a temporary
 * folder to stand in, limits on memory and time, and, where the machine permits, no network. The process reads its
 * standard input and answers on descriptor 3. Never throws because of what is in the file; throws
 * {@link InspectionInterrupted} when the process was ended from outside, and the signal's reason when aborted.
 */
export const lookInto = async (path: string, look: Look): Promise<Said> => {
  const { limits } = look;
  const folder = await mkdtemp(join(tmpdir(), 'countersign-stranger-'));
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) return refused('it is empty');
    if (size > limits.fileBytes)
      return refused(`it has ${sized(size)}; at most ${sized(limits.fileBytes)} are opened`);
    const child = await start(file.fd, folder, look);
    return await outcomeOf(child, look);
  } finally {
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
};

const start = async (fd: number, cwd: string, look: Look): Promise<ChildProcess> => {
  const { path, execArgv } = entryPoint(look.entry);
  const heap = `--max-old-space-size=${String(look.heapMegabytes)}`;
  const node = [process.execPath, heap, ...execArgv, path, ...(look.args ?? [])];
  const cpuSeconds = Math.ceil(look.limits.wallMs / 1000) * look.threads + 5;
  const { memoryBytes } = look.limits;
  const [program = process.execPath, ...args] = await jailed(node, { memoryBytes, cpuSeconds });
  return spawn(program, args, {
    cwd,
    env: searchPath(program),
    stdio: [fd, 'ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
};

/** Nothing of our environment; only where the programs of the machine are, when one of them starts the process. */
const searchPath = (program: string): Record<string, string> =>
  program === process.execPath ? {} : { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

const outcomeOf = async (child: ChildProcess, look: Look): Promise<Said> => {
  const { limits, signal, deed } = look;
  const overrun = { reason: '' };
  const kill = (reason: string): void => {
    overrun.reason ||= reason;
    child.kill('SIGKILL');
  };
  const onAbort = (): void => {
    kill('aborted');
  };
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => {
      resolve({ code, signal: by });
    });
  });
  const timer = setTimeout(() => {
    kill(`${deed} takes longer than ${String(limits.wallMs / 1000)} s`);
  }, limits.wallMs);
  const watch = setInterval(() => {
    void residentBytes(child.pid).then((bytes) => {
      if (bytes > limits.memoryBytes) kill(`${deed} takes more than ${sized(limits.memoryBytes)} of memory`);
    });
  }, watchEveryMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    const [text, ending] = await Promise.all([collect(child, kill), ended]);
    signal?.throwIfAborted();
    return overrun.reason === '' ? judge(text, ending, deed) : refused(overrun.reason);
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    signal?.removeEventListener('abort', onAbort);
  }
};

const collect = async (child: ChildProcess, kill: (reason: string) => void): Promise<string> => {
  const stream = child.stdio[3];
  if (!(stream instanceof Readable))
    throw new Error('The process that looks into a file has no way to answer');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) {
      kill('its description is too long');
      break;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** Signals that a machine or an operator sends; the others come from the process itself. */
const fromOutside = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

const judge = (text: string, { code, signal }: Ending, deed: string): Said => {
  if (signal !== null && fromOutside.has(signal)) {
    throw new InspectionInterrupted(`The process that looks into files was ended by ${signal}`);
  }
  if (signal === 'SIGXCPU') return refused(`${deed} takes too much computing time`);
  if (signal !== null) return refused(`the process that opened it ran out of memory or crashed (${signal})`);
  return code === 0 ? { text } : refused('the process that opened it failed, most likely for want of memory');
};

const pageBytes = 4096;

/** Linux tells what a process holds; elsewhere only the limit of the heap and of time hold. */
const residentBytes = async (pid: number | undefined): Promise<number> => {
  if (pid === undefined || process.platform !== 'linux') return 0;
  const text = await readFile(`/proc/${String(pid)}/statm`, 'utf8').catch(() => '');
  const pages = Number(text.split(' ')[1] ?? 0);
  return Number.isFinite(pages) ? pages * pageBytes : 0;
};
