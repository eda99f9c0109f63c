import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepProcess, type KeptProcess } from './child.js';

let folder = '';
let said: string[] = [];
let kept: KeptProcess;

const main = fileURLToPath(new URL('../../testing/kept-process.mjs', import.meta.url));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-kept-'));
  said = [];
  kept = keepProcess({
    name: 'worker',
    main,
    environment: { NOTES: join(folder, 'notes') },
    demo: false,
    logFile: join(folder, 'log'),
    say: (line) => said.push(line),
  });
});

afterEach(async () => {
  kept.kill();
  await rm(folder, { recursive: true, force: true });
});

const environment = () => ({ NOTES: join(folder, 'notes'), SECRET: 'from the pipe' });
const notes = async (): Promise<string[]> =>
  (await readFile(join(folder, 'notes'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
const pids = async (): Promise<number[]> =>
  (await notes()).flatMap((line) => (line.startsWith('began') ? [Number(line.split(' ')[1])] : []));

test('a process gets its secrets over the pipe and ends when it is told to', async () => {
  await kept.begin(environment());
  expect(await notes()).toEqual([expect.stringMatching(/^began \d+ from the pipe$/)]);
  await kept.stop();
  expect((await notes()).at(-1)).toBe('stopped');
  expect(said).toEqual([]);
});

test('a process that is killed is started again with the same secrets, and people are told', async () => {
  await kept.begin(environment());
  process.kill((await pids())[0] ?? 0, 'SIGKILL');
  await expect.poll(() => said, { timeout: 10_000 }).toContain('The worker is back.');
  expect(said[0]).toMatch(/^The worker ended \(SIGKILL\); starting it again\. Its log: /);
  expect((await notes()).filter((line) => line.endsWith('from the pipe'))).toHaveLength(2);
  await kept.stop();
});

test('a process that cannot begin says why, and is not started again', async () => {
  await expect(kept.begin({ ...environment(), FAIL: 'yes' })).rejects.toThrow('The port is taken');
  expect(said).toEqual([]);
  expect(await pids()).toHaveLength(1);
});
