import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { childSurroundings } from '../child.js';
import type { Place } from './place.js';
import { signal } from './postmaster.js';

// Waits until its input ends, which is when the process that holds the other end is gone, however it went.
const WATCH = 'cat > /dev/null; kill -INT "$(head -n 1 "$0")"';

/** Has the server stopped when this process ends. Gives what calls that off. */
export function stopWithUs(place: Place, pid: () => number): () => void {
  if (process.platform === 'win32') return stopAtExit(pid);
  const watcher = spawn('/bin/sh', ['-c', WATCH, join(place.data, 'postmaster.pid')], {
    ...childSurroundings({ account: place.account }),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watcher.on('error', () => undefined);
  watcher.unref();
  return () => {
    // Its whole group: the shell would leave `cat` behind.
    if (watcher.pid !== undefined) signal(-watcher.pid, 'SIGKILL');
  };
}

// Windows has no shell to rely on; there a killed process leaves a server behind, which the next start replaces.
function stopAtExit(pid: () => number): () => void {
  const atExit = (): void => {
    signal(pid(), 'SIGINT');
  };
  process.once('exit', atExit);
  return () => {
    process.off('exit', atExit);
  };
}
