import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { createNativeSection } from './native-section.js';

const hook = new URL('./typescript-hook.mjs', import.meta.url).href;
const section = new URL('./native-section.ts', import.meta.url).href;

/** A thread that is inside for a while, says so at both ends, and then wants in again. */
const code = `
  const { parentPort } = require('node:worker_threads');
  import(${JSON.stringify(section)}).then(async ({ inNativeCode }) => {
    await inNativeCode(async () => {
      parentPort.postMessage('inside');
      await new Promise((resolve) => setTimeout(resolve, 300));
      parentPort.postMessage('leaving');
    });
    setInterval(() => undefined, 1000);
    await inNativeCode(async () => parentPort.postMessage('inside again'));
  });
`;

test('who ends a thread waits until it has left native code, and it does not enter again', async () => {
  const native = createNativeSection();
  const worker = new Worker(code, { eval: true, execArgv: ['--import', hook], workerData: native.shared });
  const said: unknown[] = [];
  worker.on('message', (word) => said.push(word));
  await once(worker, 'message');
  expect(said).toEqual(['inside']);

  await native.closed();
  await new Promise((resolve) => setTimeout(resolve, 100));
  await worker.terminate();

  expect(said).toEqual(['inside', 'leaving']);
});

test('a thread that calculates outside of native code is ended at once', async () => {
  const native = createNativeSection();
  const started = performance.now();
  await native.closed();
  expect(performance.now() - started).toBeLessThan(1000);
});
