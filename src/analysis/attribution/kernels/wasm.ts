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

/** The functions of wasm/attribution.ts. */
export interface Kernels {
  readonly run: RowKernel;
  readonly spread: SpreadKernel;
}

let compiled: WebAssembly.Module | null | undefined;

/** The compiled kernel; null where there is no WebAssembly with SIMD and threads. */
function kernelModule(): WebAssembly.Module | null {
  if (compiled !== undefined) return compiled;
  const bytes = Uint8Array.from(atob(WASM_BASE64), (character) => character.charCodeAt(0));
  compiled =
    'WebAssembly' in globalThis && WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  return compiled;
}

/** Shared memory for the kernel; null where the kernel cannot run. */
export function createMemory(bytes: number): SharedMemory | null {
  const pages = Math.ceil(bytes / PAGE);
  if (kernelModule() === null || pages > MOST_PAGES) return null;
  return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
}

/** The kernels on that memory. */
export function instantiateKernels(memory: SharedMemory): Kernels {
  const module = kernelModule();
  if (module === null) throw new Error('This machine has no WebAssembly with SIMD.');
  const { run, spread } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  // The module is compiled from wasm/attribution.ts, whose signatures these are.
  return { run: run as RowKernel, spread: spread as SpreadKernel };
}
