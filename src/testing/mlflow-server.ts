import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from './at-end.js';
import { freePort } from './http-door.js';

/** A real `mlflow server` on this machine. */
export interface MlflowServerProcess {
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const answers = async (url: string): Promise<boolean> =>
  fetch(`${url}/health`)
    .then((response) => response.ok)
    .catch(() => false);

/** Starts `mlflow server` with a database and artifacts of its own; it is ended when the test file is done. */
export const startMlflowServer = async (python: string): Promise<MlflowServerProcess> => {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-mlflow-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  let end: (() => Promise<void>) | null = null;
  const start = async (): Promise<void> => {
    const child = spawn(
      join(dirname(python), 'mlflow'),
      [
        ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
        ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
        ...['--artifacts-destination', join(folder, 'artifacts')],
      ],
      {
        env: {
          PATH: `${dirname(python)}:/usr/local/bin:/usr/bin:/bin`,
          HOME: folder,
          MLFLOW_DISABLE_TELEMETRY: 'true',
        },
        stdio: 'ignore',
        // Its workers belong to it and end with it.
        detached: true,
      },
    );
    const gone = once(child, 'exit');
    end = async () => {
      end = null;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await gone;
    };
    for (let tries = 0; tries < 600; tries += 1) {
      if (await answers(url)) return;
      await sleep(200);
    }
    throw new Error('mlflow server did not start');
  };
  const stop = async (): Promise<void> => {
    await end?.();
  };
  atEnd(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  await start();
  return { url, start, stop };
};
