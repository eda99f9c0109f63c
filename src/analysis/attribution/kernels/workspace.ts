import { runPlain, spreadPlain } from './plain.js';
import { createMemory, instantiateKernels, type SharedMemory } from './wasm.js';

/** Rows that a kernel works on at a time; ranges of rows for different threads begin at multiples of it. */
export const BLOCK = 512;
/** Nested tests below which a program may lead: one mask each. */
const LEVELS = 64;
const SCRATCH_BYTES = (LEVELS + 2) * BLOCK * 4;
const PLACES = 2 ** 14;

/** How much of everything a run needs. */
export interface WorkspaceSize {
  /** Instructions, in 32-bit words. */
  readonly ops: number;
  /** Table entries. */
  readonly tables: number;
  /** Entries of the largest table of a single leaf. */
  readonly leaf: number;
  readonly columns: number;
  /** Sums per row. */
  readonly sums: number;
  readonly rows: number;
  /** Threads that may run at the same time. */
  readonly threads: number;
}

/** A workspace as it is sent to another thread: shared memory, and where everything lies in it. */
export interface WorkspaceHandle {
  readonly memory: SharedMemory | SharedArrayBuffer;
  readonly size: WorkspaceSize;
}

/** A stretch of the instructions, and the tables that they look up. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  /** First table entry. */
  readonly tables: number;
}

/**
 * Instructions, tables, rows and sums in shared memory. Column c of the rows stands at `c * stride` of `columns`, sum s
 * at `s * stride` of `sums`.
 */
export interface Workspace {
  readonly handle: WorkspaceHandle;
  readonly kernel: 'wasm' | 'plain';
  readonly stride: number;
  readonly ops: Int32Array;
  readonly tables: Float64Array;
  readonly columns: Float32Array;
  readonly sums: Float64Array;
  /** For a thread: the table of a leaf, and for every index of a super-leaf the leaf's entry that it means. */
  readonly building: (thread: number) => Building;
  /** Adds what the instructions of one tree look up for some rows; `thread` names the scratch to use. */
  readonly run: (stretch: Stretch, from: number, to: number, thread: number) => void;
}

/** Where tables are built. */
export interface Building {
  readonly leaf: Float64Array;
  readonly places: Int32Array;
  /** Adds `value` times the leaf's entries from `from` on to `size` table entries at `at`, each in its place. */
  readonly spread: (from: number, value: number, at: number, size: number) => void;
}

interface Layout {
  readonly stride: number;
  readonly scratch: number;
  /** One leaf table and one list of places per thread. */
  readonly building: number;
  readonly tables: number;
  readonly sums: number;
  readonly columns: number;
  readonly ops: number;
  readonly bytes: number;
}

function layoutOf(size: WorkspaceSize): Layout {
  const stride = Math.ceil(size.rows / BLOCK) * BLOCK;
  // The first bytes stay free: compiled code keeps its own constants there.
  const scratch = 4096;
  const building = scratch + size.threads * SCRATCH_BYTES;
  const tables = building + size.threads * buildingBytes(size);
  const sums = tables + size.tables * 8;
  const columns = sums + size.sums * stride * 8;
  const ops = columns + size.columns * stride * 4;
  return { stride, scratch, building, tables, sums, columns, ops, bytes: ops + size.ops * 4 };
}

function buildingBytes(size: WorkspaceSize): number {
  return size.leaf * 8 + PLACES * 4;
}

/** Bytes that a workspace of that size takes. */
export function workspaceBytes(size: WorkspaceSize): number {
  return layoutOf(size).bytes;
}

/** Allocates a workspace. The WebAssembly kernel is taken where the machine has SIMD, unless `plain` is asked for. */
export function createWorkspace(size: WorkspaceSize, kernel: 'wasm' | 'plain' = 'wasm'): Workspace {
  const { bytes } = layoutOf(size);
  const memory = kernel === 'wasm' ? createMemory(bytes) : null;
  return openWorkspace({ memory: memory ?? new SharedArrayBuffer(bytes), size });
}

interface Areas {
  readonly leaf: Float64Array;
  readonly places: Int32Array;
  readonly leafAt: number;
  readonly placesAt: number;
}

function areasOf(buffer: ArrayBufferLike, layout: Layout, size: WorkspaceSize, thread: number): Areas {
  const leafAt = layout.building + thread * buildingBytes(size);
  const placesAt = leafAt + size.leaf * 8;
  const leaf = new Float64Array(buffer, leafAt, size.leaf);
  return { leaf, places: new Int32Array(buffer, placesAt, PLACES), leafAt, placesAt };
}

/** Opens a workspace that another thread may have allocated. */
export function openWorkspace(handle: WorkspaceHandle): Workspace {
  const { memory, size } = handle;
  const layout = layoutOf(size);
  const buffer = memory instanceof SharedArrayBuffer ? memory : memory.buffer;
  const views = {
    stride: layout.stride,
    ops: new Int32Array(buffer, layout.ops, size.ops),
    tables: new Float64Array(buffer, layout.tables, size.tables),
    columns: new Float32Array(buffer, layout.columns, size.columns * layout.stride),
    sums: new Float64Array(buffer, layout.sums, size.sums * layout.stride),
  };
  const areas = (thread: number): Areas => areasOf(buffer, layout, size, thread);
  if (memory instanceof SharedArrayBuffer) {
    return {
      handle,
      kernel: 'plain',
      ...views,
      building: (thread) => {
        const { leaf, places } = areas(thread);
        const spread: Building['spread'] = (from, value, at, count) => {
          spreadPlain({ leaf, places, tables: views.tables }, from, value, at, count);
        };
        return { leaf, places, spread };
      },
      run: (stretch, from, to) => {
        runPlain(views, stretch, from, to);
      },
    };
  }
  const kernels = instantiateKernels(memory);
  return {
    handle,
    kernel: 'wasm',
    ...views,
    building: (thread) => {
      const { leaf, places, leafAt, placesAt } = areas(thread);
      const spread: Building['spread'] = (from, value, at, count) => {
        kernels.spread(leafAt + from * 8, placesAt, value, layout.tables + at * 8, count);
      };
      return { leaf, places, spread };
    },
    run: (stretch, from, to, thread) => {
      kernels.run(
        layout.ops + stretch.from * 4,
        layout.ops + stretch.to * 4,
        layout.tables + stretch.tables * 8,
        layout.columns,
        layout.stride * 4,
        layout.sums,
        layout.stride * 8,
        from,
        to,
        layout.scratch + thread * SCRATCH_BYTES,
      );
    },
  };
}
