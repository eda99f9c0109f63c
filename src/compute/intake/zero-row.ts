import type { OnnxValue } from '../../analysis/index.js';

/** A tensor of zeros, as the runtime wants it. */
export interface ZeroTensor {
  readonly type: 'float32' | 'float64' | 'int64' | 'int32' | 'bool';
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;
  readonly dims: readonly number[];
}

const most = 1_000_000;

const kinds: Readonly<Record<string, (size: number) => Pick<ZeroTensor, 'type' | 'data'>>> = {
  float: (size) => ({ type: 'float32', data: new Float32Array(size) }),
  double: (size) => ({ type: 'float64', data: new Float64Array(size) }),
  int64: (size) => ({ type: 'int64', data: new BigInt64Array(size) }),
  int32: (size) => ({ type: 'int32', data: new Int32Array(size) }),
  bool: (size) => ({ type: 'bool', data: new Uint8Array(size) }),
};

/** The dimensions of one row: an open first dimension is the batch. Null when another one is open. */
const oneRow = (shape: OnnxValue['shape']): number[] | null => {
  if (shape === null) return null;
  const dims = shape.map((dim, index) => (typeof dim === 'number' && dim > 0 ? dim : index === 0 ? 1 : null));
  return dims.every((dim) => dim !== null) ? dims : null;
};

const zeroTensor = (input: OnnxValue): ZeroTensor | null => {
  const make = kinds[input.elementType];
  const dims = oneRow(input.shape);
  if (!make || !dims) return null;
  const size = dims.reduce((product, dim) => product * dim, 1);
  return size > most ? null : { ...make(size), dims };
};

/** One row of zeros for a model; null when its inputs are not numbers of known dimensions. */
export const zeroRow = (inputs: readonly OnnxValue[]): ReadonlyMap<string, ZeroTensor> | null => {
  const row = new Map<string, ZeroTensor>();
  for (const input of inputs) {
    const tensor = zeroTensor(input);
    if (!tensor) return null;
    row.set(input.name, tensor);
  }
  return row;
};
