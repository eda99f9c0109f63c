import { closeSync, fstatSync, openSync } from 'node:fs';
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { inMemory, ofFile, type Bytes } from './bytes.js';
import { judge } from './dangers.js';
import { PickleFault, readPickle, type PickleReading } from './read-pickle.js';
import { zipEntries, type ZipEntry } from './zip.js';

/** What a scan of a file says. */
export interface PickleScan {
  /** How many streams of pickle it holds. */
  readonly streams: number;
  readonly imports: readonly string[];
  readonly carriesCode: boolean;
  readonly faults: readonly string[];
}

const most = { unpacked: 1_073_741_824, imports: 500, streams: 1000 };

interface Found {
  streams: number;
  readonly imports: Set<string>;
  readonly faults: string[];
  carriesCode: boolean;
}

const add = (found: Found, reading: PickleReading): void => {
  const { dangers, carriesCode } = judge(reading);
  found.streams += 1;
  found.carriesCode ||= carriesCode;
  for (const entry of reading.imports) found.imports.add(entry.replace('\n', '.'));
  found.faults.push(...dangers.map((danger) => `loading it would import ${danger}`));
};

const isJoblib = ({ imports }: PickleReading): boolean =>
  imports.has('joblib.numpy_pickle\nNumpyArrayWrapper');

/** Joblib writes arrays between the instructions; what follows is looked through for names in the form of imports. */
const needles = ['posix', 'subprocess', 'builtins', 'importlib', 'runpy', 'socket', 'ctypes'].flatMap(
  (name) => [Buffer.from(`c${name}\n`), Buffer.concat([Buffer.from([0x8c, name.length]), Buffer.from(name)])],
);

const lookThrough = (bytes: Bytes, from: number, found: Found): void => {
  const window = 1_048_576;
  for (let at = from; at < bytes.length; at += window) {
    const part = bytes.slice(at, Math.min(window, bytes.length - at));
    const needle = needles.find((one) => part.includes(one));
    if (needle) found.faults.push('loading it would import a module that can do anything');
  }
};

const protocolByte = 0x80;

/** Some files hold several streams one after the other; each begins with its protocol. */
const scanStreams = (bytes: Bytes, found: Found): void => {
  let at = 0;
  try {
    while (at < bytes.length && found.streams < most.streams) {
      if (at > 0 && bytes.slice(at, 1)[0] !== protocolByte) return;
      const reading = readPickle(bytes, at);
      add(found, reading);
      at = reading.end;
    }
  } catch (error) {
    if (!(error instanceof PickleFault)) throw error;
    add(found, error.reading);
    if (isJoblib(error.reading)) lookThrough(bytes, error.reading.end, found);
    // Numbers may follow the streams of a file; only the first must be one from beginning to end.
    else if (at === 0) found.faults.push(`it cannot be read as a pickle: ${error.message}`);
  }
};

const nameSaysPickle = (name: string): boolean => /\.(pkl|pickle|joblib|dill|cloudpickle|pk)$/i.test(name);

const startsLikePickle = (head: Buffer): boolean =>
  head[0] === protocolByte && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5;

const unpacked = (head: Buffer, content: () => Buffer): Buffer | null => {
  const limit = { maxOutputLength: most.unpacked };
  if (head[0] === 0x1f && head[1] === 0x8b) return gunzipSync(content(), limit);
  if (head[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(head[1] ?? 0))
    return inflateSync(content(), limit);
  return null;
};

const contentOf = (bytes: Bytes, entry: ZipEntry): Buffer => {
  const raw = Buffer.from(bytes.slice(entry.start, entry.packedBytes));
  if (entry.method === 0) return raw;
  if (entry.method === 8) return inflateRawSync(raw, { maxOutputLength: most.unpacked });
  throw new Error('it is packed in a way that cannot be opened');
};

const scanZip = (bytes: Bytes, found: Found): void => {
  for (const entry of zipEntries(bytes)) {
    if (!nameSaysPickle(entry.name)) continue;
    scanStreams(inMemory(contentOf(bytes, entry)), found);
  }
};

const scanBytes = (bytes: Bytes, name: string, found: Found): void => {
  const head = Buffer.from(bytes.slice(0, 4));
  if (head.toString('latin1', 0, 2) === 'PK') {
    scanZip(bytes, found);
    return;
  }
  const named = nameSaysPickle(name);
  const content = named ? unpacked(head, () => Buffer.from(bytes.slice(0, bytes.length))) : null;
  if (content) scanStreams(inMemory(content), found);
  else if (named || startsLikePickle(head)) scanStreams(bytes, found);
};

/** Looks for streams of pickle in a file and follows them, without loading anything. */
export const scanPickles = ({ path, name }: { readonly path: string; readonly name: string }): PickleScan => {
  const found: Found = { streams: 0, imports: new Set(), faults: [], carriesCode: false };
  const fd = openSync(path, 'r');
  try {
    scanBytes(ofFile(fd, fstatSync(fd).size), name, found);
  } catch (error) {
    found.faults.push(
      `it cannot be looked into: ${error instanceof Error ? error.message.slice(0, 200) : 'unknown'}`,
    );
  } finally {
    closeSync(fd);
  }
  return {
    streams: found.streams,
    imports: [...found.imports].sort().slice(0, most.imports),
    carriesCode: found.carriesCode,
    faults: [...new Set(found.faults)].slice(0, 20),
  };
};
