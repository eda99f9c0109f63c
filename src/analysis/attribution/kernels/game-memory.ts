import { WASM_BASE64 } from './game-kernel-bytes.js';
import { compileKernel, createMemory } from './wasm.js';

const DEEPEST_STACK = 128;
/** Words of the control block, in the order of the constants of wasm/game.ts. */
const CONTROL = 16;
const SLOTS = 11;

/** How large the games are. */
export interface GameShape {
  readonly nodes: number;
  readonly trees: number;
  readonly members: number;
  readonly players: number;
  readonly slots: number;
  readonly backgroundRows: number;
}

/** The buffers of a game, in one memory that the kernels share. */
export interface GameMemory {
  readonly nodes: Int32Array;
  readonly values: Float64Array;
  readonly roots: Int32Array;
  /** One bit per node, for the row. */
  readonly goX: Uint8Array;
  /** One bit per node, for every background row. */
  readonly goR: Uint8Array;
  readonly slotBit: Int32Array;
  readonly slotPlayer: Int32Array;
  /** Per member and coalition: Moebius coefficients while walking, margins after the zeta transform. */
  readonly margins: Float64Array;
  readonly outcome: Float64Array;
  readonly shares: Float64Array;
  readonly isLogistic: Uint8Array;
  readonly signs: Float64Array;
  readonly stack: Int32Array;
  /** One word: players who have a slot. */
  readonly slots: Int32Array;
  /** null where the plain functions are to be used. */
  readonly kernels: GameKernels | null;
}

/** The functions of wasm/game.ts on this memory. */
export interface GameKernels {
  readonly walk: (backgroundRow: number) => boolean;
  readonly settle: () => void;
}

interface Places {
  readonly at: Readonly<Record<Part, number>>;
  readonly bytes: number;
}

type Part =
  | 'control'
  | 'nodes'
  | 'values'
  | 'roots'
  | 'goX'
  | 'goR'
  | 'slotBit'
  | 'slotPlayer'
  | 'margins'
  | 'outcome'
  | 'shares'
  | 'isLogistic'
  | 'signs'
  | 'stack';

function placesOf(shape: GameShape): Places {
  const capacity = 2 ** shape.slots;
  const sizes: Record<Part, number> = {
    control: CONTROL * 4,
    nodes: shape.nodes * 16,
    values: shape.nodes * 8,
    roots: shape.trees * 8,
    goX: shape.nodes,
    goR: shape.nodes * shape.backgroundRows,
    slotBit: shape.players * 4,
    slotPlayer: shape.slots * 4,
    margins: shape.members * capacity * 8,
    outcome: capacity * 8,
    shares: shape.members * 8,
    isLogistic: shape.members,
    signs: capacity * 8,
    stack: DEEPEST_STACK * 12,
  };
  const at = { ...sizes };
  // The first bytes stay free: compiled code keeps its own constants there.
  let bytes = 4096;
  for (const part of Object.keys(sizes) as Part[]) {
    at[part] = bytes;
    bytes += Math.ceil(sizes[part] / 16) * 16;
  }
  return { at, bytes };
}

/** Allocates the buffers, in WebAssembly's memory where the kernels can run. */
export function openGameMemory(shape: GameShape, kernel: 'wasm' | 'plain'): GameMemory {
  const { at, bytes } = placesOf(shape);
  const memory = kernel === 'wasm' ? createMemory(bytes) : null;
  const buffer = memory?.buffer ?? new ArrayBuffer(bytes);
  const capacity = 2 ** shape.slots;
  const control = new Int32Array(buffer, at.control, CONTROL);
  control.set([at.nodes, at.values, at.roots, shape.trees, at.goX, at.slotBit, at.slotPlayer, at.margins]);
  control.set([capacity, shape.members, at.stack, 0, at.outcome, at.shares, at.isLogistic, at.signs], 8);
  return {
    nodes: new Int32Array(buffer, at.nodes, shape.nodes * 4),
    values: new Float64Array(buffer, at.values, shape.nodes),
    roots: new Int32Array(buffer, at.roots, shape.trees * 2),
    goX: new Uint8Array(buffer, at.goX, shape.nodes),
    goR: new Uint8Array(buffer, at.goR, shape.nodes * shape.backgroundRows),
    slotBit: new Int32Array(buffer, at.slotBit, shape.players),
    slotPlayer: new Int32Array(buffer, at.slotPlayer, shape.slots),
    margins: new Float64Array(buffer, at.margins, shape.members * capacity),
    outcome: new Float64Array(buffer, at.outcome, capacity),
    shares: new Float64Array(buffer, at.shares, shape.members),
    isLogistic: new Uint8Array(buffer, at.isLogistic, shape.members),
    signs: new Float64Array(buffer, at.signs, capacity),
    stack: new Int32Array(buffer, at.stack, DEEPEST_STACK * 3),
    slots: control.subarray(SLOTS, SLOTS + 1),
    kernels: memory === null ? null : kernelsOn(memory, at, shape.nodes),
  };
}

function kernelsOn(memory: WebAssembly.Memory, at: Places['at'], nodes: number): GameKernels | null {
  const module = compileKernel(WASM_BASE64);
  if (module === null) return null;
  const { walk, settle } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  // The module is compiled from wasm/game.ts, whose signatures these are.
  const calls = { walk, settle } as {
    readonly walk: (control: number, goR: number) => number;
    readonly settle: (control: number) => void;
  };
  return {
    walk: (backgroundRow) => calls.walk(at.control, at.goR + backgroundRow * nodes) === 1,
    settle: () => {
      calls.settle(at.control);
    },
  };
}
