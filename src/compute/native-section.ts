import { workerData } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A thread that is terminated while it is inside onnxruntime takes the whole process with it: the binding throws a C++
 * exception that nobody may catch. So a thread says when it is inside, and whoever ends it waits until it is out.
 */
export interface NativeSection {
  readonly shared: SharedArrayBuffer;
  /** Lets the thread into native code no more, and waits until it is out of it. */
  readonly closed: () => Promise<void>;
}

const [inside, isClosing] = [0, 1];
const lookAgainMs = 2;
// A call that does not return in this time will not return; then the thread is ended all the same.
const longestCallMs = 30_000;

/** The side of the one who ends the thread; `shared` travels as the thread's `workerData`. */
export const createNativeSection = (): NativeSection => {
  const shared = new SharedArrayBuffer(8);
  const flags = new Int32Array(shared);
  return {
    shared,
    closed: async () => {
      Atomics.store(flags, isClosing, 1);
      const deadline = Date.now() + longestCallMs;
      while (Atomics.load(flags, inside) > 0 && Date.now() < deadline) await sleep(lookAgainMs);
    },
  };
};

const flags: Int32Array | null = workerData instanceof SharedArrayBuffer ? new Int32Array(workerData) : null;

/** The side of the thread: runs what enters native code. In a thread that is being ended it never returns. */
export const inNativeCode = async <Value>(call: () => Promise<Value>): Promise<Value> => {
  if (!flags) return call();
  Atomics.add(flags, inside, 1);
  try {
    if (Atomics.load(flags, isClosing) === 0) return await call();
  } finally {
    Atomics.sub(flags, inside, 1);
  }
  return new Promise<Value>(() => undefined);
};
