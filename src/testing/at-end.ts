import { afterAll } from 'vitest';

const waiting: (() => Promise<unknown>)[] = [];

/**
 * Undoes something when the test file is done, the last first. vitest never runs an `afterAll` that was called
 * within a `beforeAll` or a test; this one was called while the file was read.
 */
export const atEnd = (undo: () => Promise<unknown>): void => {
  waiting.push(undo);
};

afterAll(async () => {
  for (let undo = waiting.pop(); undo; undo = waiting.pop()) await undo();
});
