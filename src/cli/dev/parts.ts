import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../../config.js';
import type { Log } from '../../embedded/fault.js';
import { choosePort } from '../../embedded/port.js';
import { CliError } from '../fault.js';
import { demoPeople } from '../../demo/people.js';

/** A part that the supervisor itself runs. */
export interface Part {
  /** Settings by which the other processes find it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

/** The database: an embedded PostgreSQL, unless DATABASE_URL names one. */
export const startDatabase = async (config: Config, log: Log): Promise<Part & { url: string }> => {
  if (config.database.kind === 'external') {
    return { url: config.database.url, environment: { DATABASE_URL: config.database.url }, stop: nothing };
  }
  const { startPostgres } = await import('../../embedded/postgres/index.js');
  const postgres = await startPostgres({ home: config.home, log, stopOnExit: true });
  return { url: postgres.url, environment: { DATABASE_URL: postgres.url }, stop: postgres.stop };
};

/** Sign-in: the development provider with the people of the demo, unless OIDC_ISSUER names one. */
export const startSignIn = async (config: Config, log: Log): Promise<Part> => {
  if (config.oidc.kind === 'external') return { environment: {}, stop: nothing };
  const { startOidcProvider } = await import('../../embedded/oidc/index.js');
  const client = { clientId: 'countersign', clientSecret: randomBytes(32).toString('base64url') };
  const provider = await startOidcProvider({
    ...client,
    home: config.home,
    mode: config.mode,
    people: demoPeople.map((person) => ({ ...person, groups: [person.group] })),
    redirectUris: [`${config.url}/auth/callback`],
    postLogoutRedirectUris: [`${config.url}/`],
    log,
  });
  return {
    environment: {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: client.clientId,
      OIDC_CLIENT_SECRET: client.clientSecret,
    },
    stop: provider.stop,
  };
};

const firstMetricsPort = 14_501;

/** Where the worker shows what jobs and decisions do; only the worker sees those. */
export const workerMetrics = async (
  config: Config,
): Promise<Pick<Part, 'environment'> & { address: string }> => {
  const port = config.workerMetricsPort ?? (await choosePort(join(config.home, 'metrics'), firstMetricsPort));
  return {
    environment: { WORKER_METRICS_PORT: String(port) },
    address: `http://${new URL(config.url).hostname}:${String(port)}/metrics`,
  };
};

/** Refuses early, before anything is started, when another program has the port. */
export const requirePort = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => {
      reject(
        new CliError(
          `Port ${String(port)} of ${host} is used by another program. Stop it, or set PORT to another.`,
        ),
      );
    });
    probe.listen({ host, port }, () => {
      probe.close(() => {
        resolve();
      });
    });
  });
