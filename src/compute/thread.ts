import { parentPort } from 'node:worker_threads';
import { sendError, type Answer, type Question } from './messages.js';
import { inNativeCode } from './native-section.js';
import { tasks, type Task } from './tasks.js';

const loaded = new Map<string, Promise<Task>>();

const taskNamed = (name: string): Promise<Task> => {
  const entry = tasks[name];
  if (!entry) return Promise.reject(new Error(`There is no task ${name}`));
  // Loading a task may load a native library.
  const task = loaded.get(name) ?? inNativeCode(entry.load);
  loaded.set(name, task);
  return task;
};

/** Buffers of typed arrays at the first level of a result; shared ones cannot be handed over. */
const transferable = (output: unknown): ArrayBuffer[] => {
  if (typeof output !== 'object' || output === null) return [];
  const buffers = Object.values(output).flatMap((value: unknown) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
  return [...new Set(buffers)];
};

const answer = async ({ id, task, input }: Question): Promise<void> => {
  try {
    const run = await taskNamed(task);
    // The task's own schema or type says what it takes; the pool only carries it.
    const output = await run(input as never);
    const message: Answer = { id, ok: true, output };
    parentPort?.postMessage(message, transferable(output));
  } catch (error) {
    const message: Answer = { id, ok: false, error: sendError(error) };
    parentPort?.postMessage(message);
  }
};

parentPort?.on('message', (question: Question) => {
  void answer(question);
});
