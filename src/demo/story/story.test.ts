import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTemporaryHome, type TemporaryHome } from '../../embedded/postgres/index.js';
import { installationRoot } from '../../kernel/root.js';
import { playStory } from './index.js';

/*
 * The end-to-end test is the story itself, played over HTTP against what `npm start` runs: the built program, in a
 * process tree of its own, with an empty home.
 */

const startMinutes = 4;

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });

/** Resolves when the program says that it is ready; rejects with what it said when it ends before. */
const isReady = (child: ChildProcess, said: string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const hear = (chunk: Buffer): void => {
      said.push(chunk.toString());
      if (said.join('').includes('Countersign runs at')) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => {
      reject(new Error(`The program ended (${String(code)}) before it was ready:\n${said.join('')}`));
    });
  });

let home: TemporaryHome;
let child: ChildProcess;
let port: number;
const said: string[] = [];

beforeAll(async () => {
  execFileSync(process.execPath, [join(installationRoot, 'scripts', 'build.mjs')], { stdio: 'ignore' });
  home = await makeTemporaryHome('countersign-story');
  port = await freePort();
  const environment = { PATH: '/usr/bin:/bin', PORT: String(port), COUNTERSIGN_HOME: home.path };
  child = spawn(process.execPath, [join(installationRoot, 'dist', 'main.js'), 'dev'], { env: environment });
  await isReady(child, said);
}, startMinutes * 60_000);

afterAll(async () => {
  if (child.exitCode === null) child.kill('SIGKILL');
  await home.remove();
});

test('the first start fills the demo workspace', () => {
  expect(said.join('')).not.toContain('could not be loaded');
});

test('every step of the story of one governed decision holds', { timeout: 240_000 }, async () => {
  const lines: string[] = [];

  const { steps } = await playStory({
    server: `http://localhost:${String(port)}`,
    folder: join(home.path, 'demo'),
    write: (line) => lines.push(line),
  });

  expect(steps).toBeGreaterThan(18);
  expect(lines.join('\n')).toContain('hash chain recomputed: intact');
  const said = lines.map((line) => line.trim());
  expect(said.indexOf('PASS')).toBeGreaterThan(0);
  expect(said.indexOf('REFUSED')).toBeGreaterThan(said.indexOf('PASS'));
});

test('one signal ends the whole tree in order', { timeout: 60_000 }, async () => {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));

  child.kill('SIGINT');

  expect(await ended).toBe(0);
});
