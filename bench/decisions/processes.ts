import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { installationRoot } from '../../src/kernel/root.js';
import type { Place } from './place.js';

/** A free port of the loopback interface. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port');
  return address.port;
};

const environmentFor = (
  place: Pick<Place, 'databaseUrl' | 'home'>,
  port: number,
  settings: Readonly<Record<string, string>>,
) => ({
  COUNTERSIGN_MODE: 'development',
  COUNTERSIGN_HOME: place.home,
  COUNTERSIGN_KEYRING: join(place.home, 'keyring.json'),
  DATABASE_URL: place.databaseUrl,
  ARTIFACTS_URL: `file://${join(place.home, 'artifacts')}`,
  // Never asked: the benchmark comes with a token.
  OIDC_ISSUER: 'http://127.0.0.1:9',
  OIDC_CLIENT_ID: 'bench',
  OIDC_CLIENT_SECRET: 'bench',
  PORT: String(port),
  LOG_LEVEL: 'warn',
  RATE_LIMIT_PER_MINUTE: '100000000',
  ...settings,
});

/** Starts a process of the product as it ships and waits until it is ready. */
export const startProcess = async (
  kind: 'api' | 'worker',
  place: Pick<Place, 'databaseUrl' | 'home'>,
  port: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<ChildProcess> => {
  const child = fork(join(installationRoot, 'dist', 'main.js'), [kind], {
    env: environmentFor(place, port, settings),
    execPath: process.execPath,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      const { say } = message as { say: string };
      if (say === 'ready') resolve();
      if (say === 'failed') reject(new Error(`The ${kind} did not start`));
    });
    child.once('exit', (code) => {
      reject(new Error(`The ${kind} ended with code ${String(code)}`));
    });
  });
  return child;
};

/** Ends a process in order, or after a while anyway. */
export const endProcess = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
};
