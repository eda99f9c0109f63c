/*
 * The opcodes of pickle, protocols 0 to 5: what follows each in the stream, and what it does to the stack. From these
 * a stream can be followed to its end without doing anything that it says.
 */

/** What follows an opcode: bytes of a fixed number, a length and that many bytes, or one or two lines. */
export type Argument =
  | { readonly kind: 'none' }
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'counted'; readonly bytes: 1 | 4 | 8 }
  | { readonly kind: 'line' }
  | { readonly kind: 'lines' };

/** What an opcode does to the stack. */
export type Effect =
  /** Takes that many off and puts that many of unknown content on. */
  | { readonly kind: 'move'; readonly takes: number; readonly puts: number }
  /** Takes everything down to the mark, and the mark; then puts as many on. */
  | { readonly kind: 'unwind'; readonly puts: number }
  | {
      readonly kind:
        | 'text'
        | 'mark'
        | 'dup'
        | 'global'
        | 'instance'
        | 'stackGlobal'
        | 'get'
        | 'put'
        | 'memoize'
        | 'stop'
        | 'extension';
    };

/** One opcode. */
export interface Opcode {
  readonly argument: Argument;
  readonly effect: Effect;
}

const none: Argument = { kind: 'none' };
const line: Argument = { kind: 'line' };
const lines: Argument = { kind: 'lines' };
const fixed = (bytes: number): Argument => ({ kind: 'fixed', bytes });
const counted = (bytes: 1 | 4 | 8): Argument => ({ kind: 'counted', bytes });
const move = (takes: number, puts: number): Effect => ({ kind: 'move', takes, puts });
const unwind = (puts: number): Effect => ({ kind: 'unwind', puts });
const push = move(0, 1);
const nothing = move(0, 0);
const text: Effect = { kind: 'text' };

const table: readonly (readonly [number | string, Argument, Effect])[] = [
  ['(', none, { kind: 'mark' }],
  ['.', none, { kind: 'stop' }],
  ['0', none, move(1, 0)],
  ['1', none, unwind(0)],
  ['2', none, { kind: 'dup' }],
  ['F', line, push],
  ['I', line, push],
  ['J', fixed(4), push],
  ['K', fixed(1), push],
  ['L', line, push],
  ['M', fixed(2), push],
  ['N', none, push],
  ['P', line, push],
  ['Q', none, move(1, 1)],
  ['R', none, move(2, 1)],
  ['S', line, text],
  ['T', counted(4), text],
  ['U', counted(1), text],
  ['V', line, text],
  ['X', counted(4), text],
  ['a', none, move(1, 0)],
  ['b', none, move(1, 0)],
  ['c', lines, { kind: 'global' }],
  ['d', none, unwind(1)],
  ['}', none, push],
  ['e', none, unwind(0)],
  ['g', line, { kind: 'get' }],
  ['h', fixed(1), { kind: 'get' }],
  ['i', lines, { kind: 'instance' }],
  ['j', fixed(4), { kind: 'get' }],
  ['l', none, unwind(1)],
  [']', none, push],
  ['o', none, unwind(1)],
  ['p', line, { kind: 'put' }],
  ['q', fixed(1), { kind: 'put' }],
  ['r', fixed(4), { kind: 'put' }],
  ['s', none, move(2, 0)],
  ['t', none, unwind(1)],
  [')', none, push],
  ['u', none, unwind(0)],
  ['G', fixed(8), push],
  ['B', counted(4), push],
  ['C', counted(1), push],
  [0x80, fixed(1), nothing],
  [0x81, none, move(2, 1)],
  [0x82, fixed(1), { kind: 'extension' }],
  [0x83, fixed(2), { kind: 'extension' }],
  [0x84, fixed(4), { kind: 'extension' }],
  [0x85, none, move(1, 1)],
  [0x86, none, move(2, 1)],
  [0x87, none, move(3, 1)],
  [0x88, none, push],
  [0x89, none, push],
  [0x8a, counted(1), push],
  [0x8b, counted(4), push],
  [0x8c, counted(1), text],
  [0x8d, counted(8), text],
  [0x8e, counted(8), push],
  [0x8f, none, push],
  [0x90, none, unwind(0)],
  [0x91, none, unwind(1)],
  [0x92, none, move(3, 1)],
  [0x93, none, { kind: 'stackGlobal' }],
  [0x94, none, { kind: 'memoize' }],
  [0x95, fixed(8), nothing],
  [0x96, counted(8), push],
  [0x97, none, push],
  [0x98, none, nothing],
];

/** Opcodes by their byte. */
export const opcodes: ReadonlyMap<number, Opcode> = new Map(
  table.map(([code, argument, effect]) => [
    typeof code === 'string' ? code.charCodeAt(0) : code,
    { argument, effect },
  ]),
);
