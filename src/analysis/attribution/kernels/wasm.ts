import { WASM_BASE64 } from './row-kernel-bytes.js';

const PAGE = 65_536;
const MOST_PAGES = 65_536;

/** Shared memory of WebAssembly: threads that receive it see the same bytes. */
export type SharedMemory = WebAssembly.Memory;

/** See `run` in wasm/attribution.ts. */
export type RowKernel = (
  ops: number,
  end: number,
  tables: number,
  columns: number,
  columnStride: number,
  sums: number,
  sumStride: number,
  from: number,
  to: number,
  scratch: number,
) => void;

/** See `spread` in wasm/attribution.ts. */
export type SpreadKernel = (leaf: number, places: number, value: number, into: number, size: number) => void;

/** See `descend` in wasm/attribution.ts. */
export type DescendKernel = (
  nodes: number,
  values: number,
  outputs: number,
  roots: number,
  trees: number,
  matrix: number,
  width: number,
  rows: number,
  into: number,
) => void;

/** The functions of wasm/attribution.ts. */
export interface Kernels {
  readonly run: RowKernel;
  readonly spread: SpreadKernel;
  readonly descend: DescendKernel;
}

const compiled = new Map<string, WebAssembly.Module | null>();

/** A compiled module; null where there is no WebAssembly with SIMD and threads. */
export function compileKernel(base64: string): WebAssembly.Module | null {
  const known = compiled.get(base64);
  if (known !== undefined) return known;
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const isAble = 'WebAssembly' in globalThis && WebAssembly.validate(bytes);
  const module = isAble ? new WebAssembly.Module(bytes) : null;
  compiled.set(base64, module);
  return module;
}

/** Shared memory for the kernel; null where the kernel cannot run. */
export function createMemory(bytes: number): SharedMemory | null {
  const pages = Math.ceil(bytes / PAGE);
  if (compileKernel(WASM_BASE64) === null || pages > MOST_PAGES) return null;
  return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
}

/** The kernels on that memory. */
export function instantiateKernels(memory: SharedMemory): Kernels {
  const module = compileKernel(WASM_BASE64);
  if (module === null) throw new Error('This machine has no WebAssembly with SIMD.');
  const { run, spread, descend } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  // The module is compiled from wasm/attribution.ts, whose signatures these are.
  return { run, spread, descend } as unknown as Kernels;
}
