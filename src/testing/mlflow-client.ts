import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { installationRoot } from '../kernel/root.js';
import { atEnd } from './at-end.js';

/** What a call of the client gave: a result, or the error that a script would have seen. */
export interface ClientAnswer<Result> {
  readonly result: Result;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
}

/** The real client of MLflow in a process of its own. */
export interface MlflowClient {
  readonly version: string;
  /** Calls a function of `mlflow-client.py`. */
  run<Result>(
    name: string,
    args?: readonly unknown[],
    kwargs?: Readonly<Record<string, unknown>>,
  ): Promise<ClientAnswer<Result>>;
  /** Calls a method of `MlflowClient`. */
  call<Result>(
    method: string,
    args?: readonly unknown[],
    kwargs?: Readonly<Record<string, unknown>>,
  ): Promise<ClientAnswer<Result>>;
}

const candidates = [join(installationRoot, '.venv', 'bin', 'python3'), 'python3'];
const needed = 'import sys, mlflow, sklearn, xgboost, onnx, onnxruntime, skl2onnx; print(sys.executable)';

/** A Python that can run the client, or why there is none. */
export const pythonWithMlflow = (): { readonly python: string } | { readonly missing: string } => {
  const [found] = candidates
    .filter((candidate) => !candidate.includes('/') || existsSync(candidate))
    .map((candidate) => spawnSync(candidate, ['-c', needed], { encoding: 'utf8' }))
    .filter(({ status }) => status === 0)
    .map(({ stdout }) => stdout.trim());
  return found === undefined
    ? { missing: 'no Python here can import mlflow and its flavours (pip install -r .ci/requirements.txt)' }
    : { python: found };
};

/** Starts the client against a server. */
export const startClient = async (
  python: string,
  uri: string,
  environment: Readonly<Record<string, string>>,
): Promise<MlflowClient> => {
  const child = spawn(python, [join(installationRoot, 'src', 'testing', 'mlflow-client.py')], {
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: '/tmp',
      MLFLOW_TRACKING_URI: uri,
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_DISABLE_TELEMETRY: 'true',
      GIT_PYTHON_REFRESH: 'quiet',
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  atEnd(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<ClientAnswer<never>> => {
    const { value, done } = (await lines.next()) as { value: string; done: boolean };
    if (done) throw new Error('The client of MLflow ended');
    return JSON.parse(value) as ClientAnswer<never>;
  };
  const version = String((await next()).result);
  const say = async (call: object): Promise<ClientAnswer<never>> => {
    child.stdin.write(`${JSON.stringify(call)}\n`);
    return next();
  };
  return {
    version,
    run: (name, args = [], kwargs = {}) => say({ do: name, args, kwargs }),
    call: (method, args = [], kwargs = {}) => say({ do: 'client', method, args, kwargs }),
  };
};
