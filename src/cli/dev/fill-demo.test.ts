import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig, type Config } from '../../config.js';
import { Ended, openEnding } from './ending.js';
import { fillDemo } from './fill-demo.js';
import type { Progress } from './progress.js';

let home = '';
let config: Config;
const said: string[] = [];
const progress: Progress = { line: (text) => said.push(text), during: (_, work) => work };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'countersign-fill-'));
  // Nobody listens on the port of discard.
  config = readConfig({ COUNTERSIGN_HOME: home, COUNTERSIGN_URL: 'http://127.0.0.1:9' });
});
afterAll(() => rm(home, { recursive: true, force: true }));

test('a demo that cannot be loaded is told, and the product runs on', async () => {
  await fillDemo(config, progress, openEnding(progress));
  expect(said.at(-1)).toContain('The demo could not be loaded');
});

test('a demo that is cut off by the end is no failure', async () => {
  said.length = 0;
  const ending = openEnding(progress);
  await ending.inOrder();
  await expect(fillDemo(config, progress, ending)).rejects.toThrow(Ended);
  expect(said.join()).not.toContain('could not be loaded');
});
