import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from './at-end.js';
import type { TestApp } from './test-app.js';

/** A worker beside the server, as in production: what waits is done while the client waits for it. */
export const keepWorking = (app: TestApp): void => {
  const state = { on: true };
  const working = (async () => {
    while (state.on) {
      await app.drainJobs({ tolerant: true });
      await sleep(50);
    }
  })();
  atEnd(async () => {
    state.on = false;
    await working;
  });
};
