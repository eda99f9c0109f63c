/** `npm run check`: every check that needs no database, two at a time; all run, whatever fails. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
// The long ones first, so that the short ones fill the second place.
const checks = ['lint', 'types', 'schema', 'unused', 'format', 'boundaries'];

function run(name) {
  const started = Date.now();
  const child = spawn('npm', ['run', '--silent', `check:${name}`], {
    cwd: root,
    shell: process.platform === 'win32',
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      console.log(`${code === 0 ? '✓' : '✗'} ${name.padEnd(12)}${seconds} s`);
      if (code !== 0) console.log(Buffer.concat(output).toString().replaceAll(/^/gm, '    '));
      resolve(code === 0);
    });
  });
}

const waiting = [...checks];
const failed = [];
async function worker() {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (!(await run(name))) failed.push(name);
  }
}
await Promise.all(Array.from({ length: Math.min(4, Math.max(2, availableParallelism())) }, worker));

console.log(failed.length === 0 ? 'All checks passed.' : `Failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
