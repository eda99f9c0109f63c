import { OnnxFormatError } from '../errors.js';
import { u8 } from '../numeric/typed.js';

/*
 * Protocol buffer wire format, read in place. A cursor walks one message; a nested message is another cursor on
 * the same bytes. The budget counts the repeated parts of the whole model, so that a file of tiny empty messages
 * cannot exhaust memory.
 */

export interface Source {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly budget: { items: number };
}

export interface Cursor {
  readonly source: Source;
  readonly end: number;
  position: number;
  field: number;
  wire: number;
  /** Value of a varint field, signed. */
  value: number;
  /** Bounds of a length-delimited or fixed field. */
  start: number;
  stop: number;
}

const MOST_ITEMS = 4_000_000;
const decoder = new TextDecoder();

export function openSource(bytes: Uint8Array): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, budget: { items: MOST_ITEMS } };
}

export function openMessage(source: Source, start: number, end: number): Cursor {
  return { source, end, position: start, field: 0, wire: 0, value: 0, start, stop: start };
}

export function spend(source: Source, what: string): void {
  source.budget.items -= 1;
  if (source.budget.items < 0) {
    throw new OnnxFormatError(
      `The model has more parts than the ${String(MOST_ITEMS)} that are read; the limit was met in ${what}.`,
    );
  }
}

/** Signed 64-bit varint as a number, exact up to 2^53. */
function readVarint(cursor: Cursor): number {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (cursor.position >= cursor.end) throw new OnnxFormatError('A number is cut off', cursor.position);
    const byte = u8(cursor.source.bytes, cursor.position);
    cursor.position += 1;
    if (shift < 28) low |= (byte & 0x7f) << shift;
    else if (shift === 28) {
      low |= (byte & 0x0f) << 28;
      high = (byte & 0x7f) >> 4;
    } else high |= (byte & 0x7f) << (shift - 32);
    if (byte < 0x80) return high * 4_294_967_296 + (low >>> 0);
  }
  throw new OnnxFormatError('A number is longer than ten bytes', cursor.position);
}

function take(cursor: Cursor, length: number): void {
  cursor.start = cursor.position;
  cursor.stop = cursor.position + length;
  if (length < 0 || cursor.stop > cursor.end) {
    throw new OnnxFormatError(
      `A field of ${String(length)} bytes runs past the end of its message`,
      cursor.position,
    );
  }
  cursor.position = cursor.stop;
}

/** Moves to the next field; false at the end of the message. */
export function nextField(cursor: Cursor): boolean {
  if (cursor.position >= cursor.end) return false;
  const tag = readVarint(cursor);
  if (tag < 8 || tag > 0xffff_ffff) throw new OnnxFormatError('A field has no valid number', cursor.position);
  cursor.field = Math.floor(tag / 8);
  cursor.wire = tag % 8;
  if (cursor.wire === 0) cursor.value = readVarint(cursor);
  else if (cursor.wire === 2) take(cursor, readVarint(cursor));
  else if (cursor.wire === 5) take(cursor, 4);
  else if (cursor.wire === 1) take(cursor, 8);
  else throw new OnnxFormatError(`A field has the unknown wire type ${String(cursor.wire)}`, cursor.position);
  return true;
}

function expectWire(cursor: Cursor, wire: number): void {
  if (cursor.wire === wire) return;
  throw new OnnxFormatError(
    `Field ${String(cursor.field)} has wire type ${String(cursor.wire)} where ${String(wire)} belongs`,
    cursor.position,
  );
}

export function fieldNumber(cursor: Cursor): number {
  expectWire(cursor, 0);
  return cursor.value;
}

export function fieldText(cursor: Cursor): string {
  expectWire(cursor, 2);
  return decoder.decode(cursor.source.bytes.subarray(cursor.start, cursor.stop));
}

export function fieldBytes(cursor: Cursor): Uint8Array {
  expectWire(cursor, 2);
  return cursor.source.bytes.subarray(cursor.start, cursor.stop);
}

export function fieldMessage(cursor: Cursor): Cursor {
  expectWire(cursor, 2);
  return openMessage(cursor.source, cursor.start, cursor.stop);
}

export function fieldFloat(cursor: Cursor): number {
  expectWire(cursor, 5);
  return cursor.source.view.getFloat32(cursor.start, true);
}

/** Appends a repeated varint field, packed or not. */
export function appendVarints(cursor: Cursor, to: number[]): void {
  if (cursor.wire === 0) {
    to.push(cursor.value);
    return;
  }
  const packed = fieldMessage(cursor);
  while (packed.position < packed.end) to.push(readVarint(packed));
}

function appendFixed(cursor: Cursor, to: number[], size: 4 | 8): void {
  if (cursor.wire !== (size === 4 ? 5 : 1)) expectWire(cursor, 2);
  if ((cursor.stop - cursor.start) % size !== 0) {
    throw new OnnxFormatError('A list of numbers ends in the middle of one', cursor.start);
  }
  const { view } = cursor.source;
  for (let at = cursor.start; at < cursor.stop; at += size) {
    to.push(size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
  }
}

/** Appends a repeated float field, packed or not. */
export function appendFloats(cursor: Cursor, to: number[]): void {
  appendFixed(cursor, to, 4);
}

/** Appends a repeated double field, packed or not. */
export function appendDoubles(cursor: Cursor, to: number[]): void {
  appendFixed(cursor, to, 8);
}
