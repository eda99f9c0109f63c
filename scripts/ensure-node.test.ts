import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const packaged = join('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');

/** A project folder with the script in it, and with a packaged Node.js only if asked for. */
function makeProject(node?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-node-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  mkdirSync(join(folder, 'scripts'));
  copyFileSync(join(import.meta.dirname, 'ensure-node.mjs'), join(folder, 'scripts', 'ensure-node.mjs'));
  writeFileSync(
    join(folder, 'hello.mjs'),
    `console.log('hello', process.argv[2], process.versions.node); process.exit(7);`,
  );
  // Makes the running Node.js say that it is an old one.
  writeFileSync(
    join(folder, 'pretend.cjs'),
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
  );
  if (node !== undefined) {
    mkdirSync(join(folder, packaged, '..'), { recursive: true });
    writeFileSync(join(folder, packaged), `#!/bin/sh\n${node}\n`, { mode: 0o755 });
  }
  return folder;
}

function run(folder: string, pretendOld: boolean, ...args: string[]) {
  const preload = pretendOld ? ['--require', join(folder, 'pretend.cjs')] : [];
  const all = [...preload, join('scripts', 'ensure-node.mjs'), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { cwd: folder, encoding: 'utf8' });
  return { status, stdout: stdout.trim(), stderr };
}

const version = process.versions.node;

test('a new Node.js passes in silence, and runs what it is given with its arguments and exit code', () => {
  const folder = makeProject();
  expect(run(folder, false)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(run(folder, false, 'hello.mjs', 'Ada')).toMatchObject({ status: 7, stdout: `hello Ada ${version}` });
});

test.skipIf(process.platform === 'win32')(
  'an old Node.js hands over to the packaged one, or says how to get it',
  () => {
    const withNode = makeProject(`exec "${process.execPath}" "$@"`);
    expect(run(withNode, true, 'hello.mjs', 'Ada')).toMatchObject({
      status: 7,
      stdout: `hello Ada ${version}`,
    });
    const bare = run(withNode, true);
    expect(bare.status).toBe(1);
    expect(bare.stderr).toMatch(/needs Node\.js 22\.15 or newer; this is 20\.20\.2[^]*npm start/);
  },
);

test.skipIf(process.platform === 'win32').each([
  ['there is no packaged one', undefined],
  ['the packaged one does not run here', 'exit 127'],
  ['the packaged one is old too', 'echo v18.0.0'],
])('an old Node.js says what to install when %s', (_, node) => {
  const { status, stdout, stderr } = run(makeProject(node), true, 'hello.mjs');
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/npm ci --include=optional[^]*Node\.js 24/);
});
