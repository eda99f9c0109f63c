import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processEnvironment, readConfig, type Config } from '../config.js';
import { messageOf } from '../embedded/fault.js';
import { takeLock } from '../embedded/postgres/lock.js';
import { openKeyring } from '../kernel/keyring.js';
import { openSigner } from '../kernel/signer.js';
import { banner } from './dev/banner.js';
import { keepProcess, type KeptProcess } from './dev/child.js';
import { fillDemo } from './dev/fill-demo.js';
import { requirePort, startDatabase, startSignIn, workerMetrics } from './dev/parts.js';
import { openProgress, type Progress } from './dev/progress.js';
import { onSignals, openEnding, type Ending } from './dev/ending.js';
import { CliError } from './fault.js';
import { removeRuntime, writeRuntime } from './runtime-file.js';

/** Everything on this machine in one process tree: `npm start`. */
export const runDev = async (_args: readonly string[]): Promise<void> => {
  const config = readConfig(processEnvironment());
  if (config.mode === 'production') {
    throw new CliError(
      '`dev` is for trying out and developing. In production run `countersign migrate`, then `countersign api` and `countersign worker`.',
    );
  }
  const progress = openProgress();
  const ending = openEnding(progress);
  onSignals(ending);
  try {
    await start(config, progress, ending);
  } catch (error) {
    await ending.inOrder();
    throw error;
  }
};

const start = async (config: Config, progress: Progress, ending: Ending): Promise<void> => {
  const home = await openHome(config, progress, ending);
  await requirePort(config.host, config.port);
  // They load their code while the database starts; that is the longest part of a start.
  const kept = startChildren(config, home, progress, ending);
  const [database, signIn] = await Promise.all([
    progress.during('Starting PostgreSQL', startDatabase(config, progress.line)),
    progress.during('Starting the development sign-in', startSignIn(config, progress.line)),
    openKeyring(config.keyring.path, config.keyring),
    openSigner(config.signingKeys.path, { ...config.signingKeys, issuer: config.url }),
  ]);
  ending.last(database.stop, signIn.stop);
  ending.check();
  const metrics = await workerMetrics(config);
  const { bringUpToDate } = await import('./database.js');
  await progress.during('Bringing the database up to date', bringUpToDate(database.url));
  const environment = {
    ...ownEnvironment(),
    ...database.environment,
    ...signIn.environment,
    ...metrics.environment,
  };
  const found = {
    pid: process.pid,
    url: config.url,
    databaseUrl: database.url,
    environment: signIn.environment,
  };
  await writeRuntime(config.home, found);
  ending.check();
  const ready = Promise.all(kept.map((child) => child.begin(environment)));
  await progress.during('Starting api and worker', ready).catch((error: unknown) => {
    throw new CliError(
      `Countersign could not start: ${messageOf(error)}\nThe logs in ${home.logs} say more.`,
    );
  });
  ending.check();
  if (config.oidc.kind === 'embedded') await fillDemo(config, progress, ending);
  ending.check();
  progress.line(banner(config, { seconds: process.uptime(), logs: home.logs, metrics: metrics.address }));
};

interface Home {
  readonly logs: string;
}

const openHome = async (config: Config, progress: Progress, ending: Ending): Promise<Home> => {
  const logs = join(config.home, 'logs');
  // PostgreSQL, run by another account when root starts us, has to pass through the home.
  await mkdir(config.home, { recursive: true, mode: 0o711 });
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const lock = await takeLock({ file: join(config.home, 'lock'), home: config.home, log: progress.line });
  ending.afterAll(async () => {
    await removeRuntime(config.home);
    await lock.release();
  });
  return { logs };
};

/** The environment of this process, without what is not set. */
const ownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(processEnvironment()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );

const startChildren = (
  config: Config,
  home: Home,
  progress: Progress,
  ending: Ending,
): readonly KeptProcess[] => {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const environment = ownEnvironment();
  const demo = config.oidc.kind === 'embedded';
  const common = { main, environment, say: progress.line };
  const kept = (['api', 'worker'] as const).map((name) =>
    keepProcess({ ...common, name, demo: demo && name === 'api', logFile: join(home.logs, `${name}.log`) }),
  );
  ending.first(kept);
  return kept;
};
