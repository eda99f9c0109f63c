import type { Bytes } from './bytes.js';

/** A file in a zip archive, as its directory tells. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  /** Where its packed bytes begin. */
  readonly start: number;
}

const most = { entries: 20_000, end: 65_557 };
const endMark = 0x06054b50;
const directoryMark = 0x02014b50;
const localMark = 0x04034b50;

const fault = (): Error => new Error('its archive is damaged');

const directoryOf = (bytes: Bytes): { at: number; count: number } => {
  const from = Math.max(0, bytes.length - most.end);
  const tail = Buffer.from(bytes.slice(from, bytes.length - from));
  for (let at = tail.length - 22; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) !== endMark) continue;
    return { at: tail.readUInt32LE(at + 16), count: tail.readUInt16LE(at + 10) };
  }
  throw fault();
};

const startOf = (bytes: Bytes, local: number): number => {
  const head = bytes.slice(local, 30);
  if (head.length < 30 || head.readUInt32LE(0) !== localMark) throw fault();
  return local + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
};

/** The files of a zip archive. Those larger than four gigabytes are refused with the rest. */
export const zipEntries = (bytes: Bytes): ZipEntry[] => {
  const directory = directoryOf(bytes);
  if (directory.count > most.entries || directory.at === 0xffffffff) throw fault();
  const entries: ZipEntry[] = [];
  let { at } = directory;
  for (let index = 0; index < directory.count; index += 1) {
    const head = Buffer.from(bytes.slice(at, 46));
    if (head.length < 46 || head.readUInt32LE(0) !== directoryMark) throw fault();
    const nameBytes = head.readUInt16LE(28);
    const name = bytes.slice(at + 46, nameBytes).toString('utf8');
    const packedBytes = head.readUInt32LE(20);
    entries.push({
      name,
      method: head.readUInt16LE(10),
      packedBytes,
      start: startOf(bytes, head.readUInt32LE(42)),
    });
    at += 46 + nameBytes + head.readUInt16LE(30) + head.readUInt16LE(32);
  }
  return entries;
};
