/**
 * `npm start`: builds when something has changed and runs `countersign dev` in this very process, so that signals
 * and the exit code need no forwarding.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';

const root = join(import.meta.dirname, '..');

if (!existsSync(join(root, 'node_modules', 'esbuild'))) {
  console.error('The packages are not installed yet. Run `npm install` first, then `npm start`.');
  process.exit(1);
}
const node = spawnSync(process.execPath, [join(import.meta.dirname, 'ensure-node.mjs')], {
  stdio: 'inherit',
});
if (node.status !== 0) process.exit(node.status ?? 1);

endWithTheShell();

const { build } = await import('./build.mjs');
await build();

const main = join(root, 'dist', 'main.js');
process.argv = [process.execPath, main, 'dev', ...process.argv.slice(2)];
process.setSourceMapsEnabled(true);
await import(`file://${main}`);

/**
 * npm starts this through a shell. A signal that is sent to npm alone (`kill`, a supervisor) ends npm and that shell
 * and is never told to us, and the ports would stay taken: once the shell is gone, end as if it had been told.
 */
function endWithTheShell() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const shell = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== shell) process.kill(process.pid, 'SIGTERM');
  }, 1000);
  watch.unref();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C ends the shell too; told twice, what runs here would take it for impatience.
    process.once(signal, () => {
      clearInterval(watch);
      if (process.listenerCount(signal) === 0) process.exit(130);
    });
  }
}
