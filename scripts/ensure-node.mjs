/**
 * Sees to it that what follows runs on a Node.js that is new enough.
 *
 *   node scripts/ensure-node.mjs                    succeeds on a new Node.js, else says what to do and fails
 *   node scripts/ensure-node.mjs SCRIPT [ARGUMENT]  runs SCRIPT, on the Node.js of node_modules if this one is old
 *
 * npm puts node_modules/.bin first, so in npm scripts `node` is already the project's own where one is packaged.
 * This file itself has to be readable for old versions: no top-level await, no `??`, no `node:` imports.
 */
import { spawn, spawnSync } from 'child_process';
import { existsSync } from 'fs';
import { dirname, join } from 'path';
import { fileURLToPath } from 'url';

const LEAST = [22, 15];
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const command = process.argv.slice(2);

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}

/** The Node.js that came as an optional package, if it runs on this machine. */
function packagedNode() {
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const program = join(root, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(program)) return undefined;
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 && isNewEnough(stdout.trim()) ? program : undefined;
}

function run(program) {
  const child = spawn(program, command, { stdio: 'inherit', cwd: process.cwd() });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C in a terminal reaches the child by itself; told twice, it would take it for impatience.
    process.on(name, () => (name === 'SIGINT' && process.stdin.isTTY) || child.kill(name));
  }
  child.on('error', (error) => fail([`${program} cannot be started: ${error.message}`]));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(lines) {
  console.error(lines.join('\n'));
  process.exit(1);
}

const tooOld = `Countersign needs Node.js ${LEAST.join('.')} or newer; this is ${process.versions.node} (${process.execPath}).`;

if (isNewEnough(process.versions.node)) {
  if (command.length > 0) run(process.execPath);
} else {
  const packaged = packagedNode();
  if (packaged === undefined) {
    fail([
      tooOld,
      'On Linux (x64, arm64) and Windows (x64) it brings its own: run "npm ci --include=optional" in this folder.',
      'Elsewhere install Node.js 24 (https://nodejs.org/en/download), and check with "node --version".',
    ]);
  } else if (command.length > 0) {
    run(packaged);
  } else {
    fail([
      tooOld,
      'A newer one lies in node_modules: "npm start" and "npm test" use it.',
      `Without npm, write ${join('node_modules', '.bin', 'node')} in place of node.`,
    ]);
  }
}
