import type { Bytes } from './bytes.js';
import { opcodes, type Argument, type Effect } from './opcodes.js';

/** What a stream would import, and short texts that it holds; nothing of it was done. */
export interface PickleReading {
  /** `module.name`, as often as they come first. */
  readonly imports: ReadonlySet<string>;
  /** Texts of up to sixty-four characters: names that a call could be given. */
  readonly texts: ReadonlySet<string>;
  /** Where the stream ended. */
  readonly end: number;
}

/** A stream that cannot be followed to its end. */
export class PickleFault extends Error {
  constructor(
    message: string,
    /** What had been read until then. */
    readonly reading: PickleReading,
  ) {
    super(message);
  }
}

const most = { stack: 20_000_000, kept: 200_000, line: 100_000, name: 1000, text: 64 };

const mark = Symbol('mark');
type Value = string | null | typeof mark;

interface State {
  readonly stack: Value[];
  readonly memo: Map<number, Value>;
  readonly imports: Set<string>;
  readonly texts: Set<string>;
  at: number;
}

const fault = (state: State, message: string): PickleFault =>
  new PickleFault(message, { imports: state.imports, texts: state.texts, end: state.at });

const unsigned = (buffer: Buffer): number => {
  if (buffer.length === 8) return Number(buffer.readBigUInt64LE());
  return buffer.length === 0 ? 0 : buffer.readUIntLE(0, buffer.length);
};

const take = (bytes: Bytes, state: State, length: number): Buffer => {
  if (length > bytes.length - state.at) throw fault(state, 'it ends in the middle of something');
  const found = bytes.slice(state.at, length);
  if (found.length < length) throw fault(state, 'it ends in the middle of something');
  state.at += length;
  return found;
};

const takeLine = (bytes: Bytes, state: State): string => {
  for (let length = 256; ; length *= 8) {
    const found = bytes.slice(state.at, length);
    const end = found.indexOf(0x0a);
    if (end >= 0) {
      state.at += end + 1;
      return found.subarray(0, end).toString('utf8');
    }
    if (length > most.line || found.length < length) throw fault(state, 'a line has no end');
  }
};

/** What follows an opcode: numbers as text, long content as nothing. */
const argumentOf = (bytes: Bytes, state: State, argument: Argument): string[] => {
  switch (argument.kind) {
    case 'none':
      return [];
    case 'fixed':
      return [String(unsigned(Buffer.from(take(bytes, state, argument.bytes))))];
    case 'line':
      return [takeLine(bytes, state)];
    case 'lines':
      return [takeLine(bytes, state), takeLine(bytes, state)];
    case 'counted': {
      const length = unsigned(take(bytes, state, argument.bytes));
      if (length > bytes.length - state.at) throw fault(state, 'it ends in the middle of something');
      const shown = length <= most.name ? take(bytes, state, length).toString('utf8') : null;
      if (shown === null) state.at += length;
      return shown === null ? [] : [shown];
    }
  }
};

const pop = (state: State): Value => {
  const value = state.stack.pop();
  if (value === undefined || value === mark) throw fault(state, 'it takes more off its stack than is there');
  return value;
};

const popToMark = (state: State): void => {
  for (;;) {
    const value = state.stack.pop();
    if (value === undefined) throw fault(state, 'a mark is missing');
    if (value === mark) return;
  }
};

const push = (state: State, value: Value): void => {
  if (state.stack.length >= most.stack) throw fault(state, 'its stack grows without end');
  state.stack.push(value);
};

const noteImport = (state: State, module: string, name: string): void => {
  if (state.imports.size >= most.kept) throw fault(state, 'it imports without end');
  state.imports.add(`${module}\n${name}`);
};

/** A text as it would be read: protocol 0 puts it into quotes. */
const plainText = (text: string): string => {
  const [first = ''] = text;
  return (first === "'" || first === '"') && text.endsWith(first) && text.length > 1
    ? text.slice(1, -1)
    : text;
};

const noteText = (state: State, text: string): void => {
  if (text.length <= most.text && state.texts.size < most.kept) state.texts.add(text);
};

const stackGlobal = (state: State): void => {
  const name = pop(state);
  const module = pop(state);
  if (typeof name !== 'string' || typeof module !== 'string') {
    throw fault(state, 'it imports a name that is computed while it is loaded');
  }
  noteImport(state, module, name);
  push(state, null);
};

const simple = (state: State, effect: Effect & { kind: 'move' | 'unwind' }): void => {
  if (effect.kind === 'unwind') popToMark(state);
  else for (let count = 0; count < effect.takes; count += 1) pop(state);
  for (let count = 0; count < effect.puts; count += 1) push(state, null);
};

const remember = (state: State, index: number): void => {
  state.memo.set(index, state.stack.at(-1) ?? null);
};

const effects: Readonly<
  Record<
    Exclude<Effect['kind'], 'move' | 'unwind' | 'stop'>,
    (state: State, argument: readonly string[]) => void
  >
> = {
  mark: (state) => {
    push(state, mark);
  },
  dup: (state) => {
    push(state, state.stack.at(-1) ?? null);
  },
  text: (state, [text]) => {
    const plain = text === undefined ? null : plainText(text);
    if (plain !== null) noteText(state, plain);
    push(state, plain);
  },
  global: (state, [module = '', name = '']) => {
    noteImport(state, module, name);
    push(state, null);
  },
  instance: (state, [module = '', name = '']) => {
    noteImport(state, module, name);
    popToMark(state);
    push(state, null);
  },
  stackGlobal,
  get: (state, [index]) => {
    push(state, state.memo.get(Number(index)) ?? null);
  },
  put: (state, [index]) => {
    remember(state, Number(index));
  },
  memoize: (state) => {
    remember(state, state.memo.size);
  },
  extension: (state) => {
    throw fault(state, 'it uses names that are registered elsewhere (copyreg extensions)');
  },
};

/** Follows one stream from a place to its end; throws {@link PickleFault} where it cannot. */
export const readPickle = (bytes: Bytes, from: number): PickleReading => {
  const state: State = { stack: [], memo: new Map(), imports: new Set(), texts: new Set(), at: from };
  for (;;) {
    const [code = 0] = take(bytes, state, 1);
    const opcode = opcodes.get(code);
    if (!opcode) {
      state.at -= 1;
      throw fault(state, `it has an unknown instruction (${String(code)})`);
    }
    const argument = argumentOf(bytes, state, opcode.argument);
    const { effect } = opcode;
    if (effect.kind === 'stop') return { imports: state.imports, texts: state.texts, end: state.at };
    if (effect.kind === 'move' || effect.kind === 'unwind') simple(state, effect);
    else effects[effect.kind](state, argument);
  }
};
