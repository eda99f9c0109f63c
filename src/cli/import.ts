import { parseArgs } from 'node:util';
import { processEnvironment, readConfig, type Config } from '../config.js';
import { openMlflowServer } from '../integrations/mlflow-server.js';
import type { Actor } from '../kernel/actor.js';
import { systemActor } from '../kernel/actor.js';
import { openServing } from './application.js';
import { CliError } from './fault.js';
import { readRuntime } from './runtime-file.js';
import { complain, print } from './terminal.js';

const usage =
  'countersign import mlflow --from URL [--artifacts copy|reference], with COUNTERSIGN_TOKEN (a token of an administrator) in the environment';

interface Options {
  readonly from: string;
  readonly artifacts: 'COPY' | 'REFERENCE';
}

const optionsOf = (args: readonly string[]): Options => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    strict: false,
    options: { from: { type: 'string' }, artifacts: { type: 'string' } },
  });
  const { from, artifacts = 'copy' } = values;
  const isKnown = artifacts === 'copy' || artifacts === 'reference';
  if (positionals[0] !== 'mlflow' || typeof from !== 'string' || !isKnown) throw new CliError(usage, 2);
  if (!/^https?:/.test(from) || !URL.canParse(from))
    throw new CliError(`${from} is no address of a server`, 2);
  return { from, artifacts: artifacts === 'copy' ? 'COPY' : 'REFERENCE' };
};

/** Beside `npm start`, the database is the one that runs there. */
const withDatabase = async (config: Config): Promise<Config> => {
  if (config.database.kind === 'external') return config;
  const runtime = await readRuntime(config.home);
  if (runtime) return { ...config, database: { kind: 'external', url: runtime.databaseUrl } };
  throw new CliError(
    `Nothing runs with the home ${config.home}: set DATABASE_URL, or run \`npm start\` first.`,
  );
};

const interrupted = (): AbortSignal => {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new CliError('Interrupted; the same command goes on where it was'));
  });
  return controller.signal;
};

/** Imports here and now, so that whoever sits at the machine may name any server that it reaches. */
export const runImport = async (args: readonly string[]): Promise<void> => {
  const options = optionsOf(args);
  const environment = processEnvironment();
  const bearer = environment['COUNTERSIGN_TOKEN'] ?? '';
  if (bearer === '') throw new CliError(usage, 2);
  const config = await withDatabase(readConfig(environment));
  const [{ openAuthenticator }, { openMlflowImport }, { importModels }, { importById }] = await Promise.all([
    import('../features/identity/index.js'),
    import('../features/mlflow/mlflow.commands/start-import.js'),
    import('../features/mlflow/upstream/import.js'),
    import('../features/mlflow/mlflow.queries/imports.js'),
  ]);
  const serving = await openServing(config, 'worker');
  const { app, outside } = serving;
  try {
    const authenticate = openAuthenticator({ db: app.db, clock: app.clock, session: config.session });
    const person: Actor = await authenticate({ bearer, session: null, workspace: null });
    const { id } = await app.run(openMlflowImport, person, { artifacts: options.artifacts });
    const { workspaceId, organizationId } = person;
    const actor = systemActor('job:mlflow.importModels', { workspaceId, organizationId });
    const found = await app.ask(importById, actor, { id });
    const server = openMlflowServer({ url: options.from, token: config.mlflow.source?.token ?? null });
    const progress = (fraction: number, message: string): Promise<void> => {
      complain(`${String(Math.round(fraction * 100)).padStart(3)} % ${message}`);
      return Promise.resolve();
    };
    const worker = { ...app, outside, actor, progress, signal: interrupted() };
    const counts = await importModels(worker, server, found);
    for (const [what, count] of Object.entries(counts).sort()) print(`${what} ${String(count)}`);
    print(`import ${id}`);
  } finally {
    await serving.close();
  }
};
