import { OnnxFormatError, UnsupportedModelError } from '../errors.js';
import type { OnnxTensor } from './model.js';
import {
  appendDoubles,
  appendFloats,
  appendVarints,
  type Cursor,
  fieldBytes,
  fieldMessage,
  fieldNumber,
  fieldText,
  nextField,
  spend,
} from './wire.js';

const ELEMENT_TYPES = [
  'unknown',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
];

/** Name of an ONNX element type code. */
export function elementTypeName(code: number): string {
  return ELEMENT_TYPES[code] ?? 'unknown';
}

interface RawTensor {
  name: string;
  type: number;
  readonly dims: number[];
  raw: Uint8Array | null;
  readonly numbers: number[];
  readonly strings: string[];
  readonly externalEntries: Map<string, string>;
  isExternal: boolean;
}

type Reader = (view: DataView, at: number) => number;

const RAW_READERS: Readonly<Record<string, readonly [size: number, read: Reader]>> = {
  float: [4, (view, at) => view.getFloat32(at, true)],
  double: [8, (view, at) => view.getFloat64(at, true)],
  float16: [2, (view, at) => halfToNumber(view.getUint16(at, true))],
  uint8: [1, (view, at) => view.getUint8(at)],
  bool: [1, (view, at) => view.getUint8(at)],
  int8: [1, (view, at) => view.getInt8(at)],
  uint16: [2, (view, at) => view.getUint16(at, true)],
  int16: [2, (view, at) => view.getInt16(at, true)],
  int32: [4, (view, at) => view.getInt32(at, true)],
  uint32: [4, (view, at) => view.getUint32(at, true)],
  int64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  uint64: [8, (view, at) => Number(view.getBigUint64(at, true))],
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Reads one StringStringEntryProto. */
export function readEntry(cursor: Cursor): readonly [key: string, value: string] {
  let key = '';
  let value = '';
  while (nextField(cursor)) {
    if (cursor.field === 1) key = fieldText(cursor);
    else if (cursor.field === 2) value = fieldText(cursor);
  }
  return [key, value];
}

const FIELDS: Readonly<Record<number, (cursor: Cursor, into: RawTensor) => void>> = {
  1: (cursor, into) => {
    appendVarints(cursor, into.dims);
  },
  2: (cursor, into) => {
    into.type = fieldNumber(cursor);
  },
  4: (cursor, into) => {
    appendFloats(cursor, into.numbers);
  },
  5: (cursor, into) => {
    appendVarints(cursor, into.numbers);
  },
  6: (cursor, into) => {
    spend(cursor.source, 'the strings of a tensor');
    into.strings.push(fieldText(cursor));
  },
  7: (cursor, into) => {
    appendVarints(cursor, into.numbers);
  },
  8: (cursor, into) => {
    into.name = fieldText(cursor);
  },
  9: (cursor, into) => {
    into.raw = fieldBytes(cursor);
  },
  10: (cursor, into) => {
    appendDoubles(cursor, into.numbers);
  },
  11: (cursor, into) => {
    appendVarints(cursor, into.numbers);
  },
  13: (cursor, into) => {
    into.externalEntries.set(...readEntry(fieldMessage(cursor)));
  },
  14: (cursor, into) => {
    into.isExternal = fieldNumber(cursor) === 1;
  },
};

/** Reads a TensorProto; its values stay where they are until they are asked for. */
export function readTensor(cursor: Cursor): OnnxTensor {
  spend(cursor.source, 'a tensor');
  const raw: RawTensor = {
    name: '',
    type: 0,
    dims: [],
    raw: null,
    numbers: [],
    strings: [],
    externalEntries: new Map(),
    isExternal: false,
  };
  while (nextField(cursor)) FIELDS[cursor.field]?.(cursor, raw);
  const count = elementCount(raw);
  const external =
    raw.isExternal || raw.externalEntries.size > 0
      ? (raw.externalEntries.get('location') ?? 'an unnamed place')
      : null;
  return {
    name: raw.name,
    elementType: elementTypeName(raw.type),
    dims: raw.dims,
    external,
    values: () => decodeValues(raw, count),
    strings: () => raw.strings,
  };
}

function elementCount(raw: RawTensor): number {
  let count = 1;
  for (const dim of raw.dims) {
    if (dim < 0) throw new OnnxFormatError(`Tensor '${raw.name}' has a negative dimension.`);
    count *= dim;
  }
  if (count > Number.MAX_SAFE_INTEGER)
    throw new OnnxFormatError(`Tensor '${raw.name}' claims more elements than exist.`);
  return count;
}

function decodeValues(raw: RawTensor, count: number): Float64Array {
  const type = elementTypeName(raw.type);
  const reader = RAW_READERS[type];
  if (reader === undefined)
    throw new UnsupportedModelError(`tensor '${raw.name}'`, `elements of type ${type} are not read.`);
  const [size, read] = reader;
  const available = raw.raw === null ? raw.numbers.length : raw.raw.byteLength / size;
  if (available !== count) {
    throw new OnnxFormatError(
      `Tensor '${raw.name}' has ${String(available)} values where its shape needs ${String(count)}.`,
    );
  }
  const values = new Float64Array(count);
  if (raw.raw === null) {
    values.set(type === 'float16' ? raw.numbers.map(halfToNumber) : raw.numbers);
    return values;
  }
  const view = new DataView(raw.raw.buffer, raw.raw.byteOffset, raw.raw.byteLength);
  for (let index = 0; index < count; index += 1) values[index] = read(view, index * size);
  return values;
}
