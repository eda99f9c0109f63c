import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { openApp } from '../../src/app.js';
import { createApiToken, createServiceAccount } from '../../src/features/identity/index.js';
import { createOrganization, createWorkspace } from '../../src/features/workspaces/index.js';
import { systemActor } from '../../src/kernel/actor.js';
import { openKeyring } from '../../src/kernel/keyring.js';
import { openSigner } from '../../src/kernel/signer.js';
import { openLog } from '../../src/kernel/log.js';
import { installationRoot } from '../../src/kernel/root.js';
import { endProcess, freePort, startProcess } from '../decisions/processes.js';
import type { Counted } from './processor.js';

/** One of the two servers, ready to be measured. */
export interface Side {
  readonly name: 'Countersign' | 'MLflow';
  /** What a client would be given as its tracking address. */
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Environment of the real client. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whose processor time is the server's. */
  readonly counted: Counted;
  readonly stop: () => Promise<void>;
}

const candidates = [join(installationRoot, '.venv', 'bin', 'python3'), 'python3'];

/** A Python that has mlflow and a driver for PostgreSQL. */
export const findPython = (): string => {
  for (const candidate of candidates) {
    if (candidate.includes('/') && !existsSync(candidate)) continue;
    const { status, stdout } = spawnSync(
      candidate,
      ['-c', 'import sys, mlflow, psycopg2; print(sys.executable)'],
      {
        encoding: 'utf8',
      },
    );
    if (status === 0) return stdout.trim();
  }
  throw new Error(
    'The benchmark needs a Python with mlflow and psycopg2-binary: pip install -r .ci/requirements.txt',
  );
};

const fill = async (databaseUrl: string, home: string): Promise<{ token: string; workspaceId: string }> => {
  const keyring = await openKeyring(join(home, 'keyring.json'), { createIfMissing: true });
  const signer = await openSigner(join(home, 'signing-keys.json'), {
    createIfMissing: true,
    issuer: 'https://countersign.test',
  });
  const poolSize = { app_writer: 2, app_reader: 2, app_system: 2 };
  const app = await openApp({
    databaseUrl,
    keyring,
    signer,
    log: openLog({ level: 'silent' }),
    name: 'bench-setup',
    poolSize,
  });
  try {
    const setup = systemActor('setup');
    const organization = await app.run(createOrganization, setup, { slug: 'bench', name: 'Bench' });
    const founder = systemActor('setup', { organizationId: organization.id });
    const workspace = await app.run(createWorkspace, founder, { slug: 'bench', name: 'Bench' });
    const actor = systemActor('setup', { organizationId: organization.id, workspaceId: workspace.id });
    const account = await app.run(createServiceAccount, actor, { name: 'training', roles: ['engineer'] });
    const token = await app.run(createApiToken, actor, { serviceAccountId: account.id, name: 'bench' });
    return { token: token.secret, workspaceId: workspace.id };
  } finally {
    await app.close();
  }
};

const onDatabase = async (url: string, statements: readonly string[]): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

/** A hundred models with a hundred versions each, every version with a tag. */
const ourVersions = (workspaceId: string): string[] => [
  'begin',
  `select audited_repair('versions of the benchmark')`,
  `insert into registered_model (id, workspace_id, name, folded, description, kind, last_version, created_by, created_at)
   select gen_random_uuid(), '${workspaceId}', 'model-' || n, 'model-' || n, '', 'MLFLOW', 100, 'bench', now()
     from generate_series(1, 100) n`,
  `insert into model_version (id, workspace_id, model_id, version, state, submitted_at, digest, metrics, params, lineage,
                              created_by, created_at, source)
   select gen_random_uuid(), m.workspace_id, m.id, v, 'READY', now(), repeat('0', 64), '{}', '{}', '{}', 'bench',
          now() - v * interval '1 minute', 's3://elsewhere/' || m.name || '/' || v
     from registered_model m, generate_series(1, 100) v`,
  `insert into model_tag (id, workspace_id, model_id, version_id, key, value, set_by, set_at)
   select gen_random_uuid(), workspace_id, model_id, id, 'team', 'team-' || version % 50, 'bench', now() from model_version`,
  'commit',
  'analyze',
];

const theirVersions = [
  `insert into registered_models (name, creation_time, last_updated_time, description)
   select 'model-' || n, 1700000000000 + n, 1700000000000 + n, '' from generate_series(1, 100) n`,
  `insert into model_versions (name, version, creation_time, last_updated_time, description, current_stage, source,
                               storage_location, run_id, status)
   select m.name, v, 1700000000000 - v * 60000, 1700000000000 - v * 60000, '', 'None', 's3://elsewhere/' || m.name || '/' || v,
          's3://elsewhere/' || m.name || '/' || v, '', 'READY'
     from registered_models m, generate_series(1, 100) v`,
  `insert into model_version_tags (name, version, key, value)
   select name, version, 'team', 'team-' || version % 50 from model_versions`,
  'analyze',
];

/** Our server: an api and a worker, as in production. */
export const startOurs = async (urls: { url: string; superuserUrl: string }, home: string): Promise<Side> => {
  const { token, workspaceId } = await fill(urls.url, home);
  await onDatabase(urls.superuserUrl, ourVersions(workspaceId));
  const port = await freePort();
  const place = { databaseUrl: urls.url, home };
  const api = await startProcess('api', place, port);
  const worker = await startProcess('worker', place, 0);
  return {
    name: 'Countersign',
    uri: `http://127.0.0.1:${String(port)}/mlflow`,
    headers: { authorization: `Bearer ${token}` },
    environment: { MLFLOW_TRACKING_TOKEN: token },
    counted: {
      pids: [api, worker].flatMap(({ pid }) => pid ?? []),
      database: new URL(urls.url).pathname.slice(1),
    },
    stop: async () => {
      await Promise.all([endProcess(worker), endProcess(api)]);
    },
  };
};

const isUp = async (uri: string, child: ChildProcess): Promise<void> => {
  let inARow = 0;
  for (let tries = 0; tries < 600; tries += 1) {
    if (child.exitCode !== null) throw new Error('mlflow server ended');
    // Its workers start one after the other; each must have answered.
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => fetch(`${uri}/health`).catch(() => null)),
    );
    inARow = answers.every((response) => response?.ok) ? inARow + 1 : 0;
    if (inARow === 20) return;
    await sleep(200);
  }
  throw new Error('mlflow server did not start');
};

/** A real `mlflow server` with its default number of workers. */
export const startTheirs = async (python: string, superuserUrl: string, folder: string): Promise<Side> => {
  await onDatabase(superuserUrl, ['create database mlflow']);
  const store = new URL(superuserUrl);
  store.pathname = '/mlflow';
  const port = await freePort();
  // On a busy machine its workers would be taken for dead while they still start.
  const patience = ['--uvicorn-opts', '--timeout-worker-healthcheck 120'];
  const args = ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), ...patience];
  const uri = `http://127.0.0.1:${String(port)}`;
  const child = spawn(
    python,
    [
      ...args,
      '--backend-store-uri',
      store.href.replace(/^postgres(ql)?:/, 'postgresql+psycopg2:'),
      '--artifacts-destination',
      folder,
    ],
    {
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        HOME: folder,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        MLFLOW_LOGGING_LEVEL: 'ERROR',
      },
      stdio: 'ignore',
      detached: true,
    },
  );
  await isUp(uri, child);
  await onDatabase(store.href, theirVersions);
  return {
    name: 'MLflow',
    uri,
    headers: {},
    environment: {},
    counted: { pids: child.pid === undefined ? [] : [child.pid], database: 'mlflow' },
    stop: async () => {
      // The server and its workers are one group of processes, which we made.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
      await sleep(1000);
    },
  };
};
