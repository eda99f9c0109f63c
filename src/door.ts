import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from './app.js';
import { routes } from './app.js';
import type { Config } from './config.js';
import { documentFinder } from './features/documents/index.js';
import { openAuthenticator } from './features/identity/index.js';
import {
  identityDoor,
  type Link,
  type RunningPart,
  type ShownReport,
} from './features/identity/identity.http/index.js';
import { openIdentityProvider, type IdentityProvider } from './features/identity/oidc.js';
import { mlflowDoor } from './features/mlflow/mlflow.http/index.js';
import { listReports } from './features/reports/index.js';
import { slackDoor } from './features/slack/slack.http/index.js';
import { graphiqlDoor } from './graphql/graphiql.js';
import { graphqlDoor } from './graphql/server.js';
import type { LimitOptions } from './http/limits.js';
import { openHttpServer, type Door, type HttpServer } from './http/server.js';
import type { Actor } from './kernel/actor.js';
import type { Outside } from './kernel/ports.js';
import { installationRoot } from './kernel/root.js';

const readVersion = async (): Promise<string> => {
  const manifest: unknown = JSON.parse(await readFile(join(installationRoot, 'package.json'), 'utf8'));
  const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return known ? String(manifest.version) : 'unknown';
};

const providerOf = (app: App, config: Config): IdentityProvider | null => {
  if (config.oidc.kind === 'embedded') return null;
  const { issuer, clientId, clientSecret } = config.oidc;
  return openIdentityProvider(
    {
      issuer,
      clientId,
      clientSecret,
      scopes: config.oidcScopes,
      groupsClaim: config.groupsClaim,
      callbackUrl: `${config.url}/auth/callback`,
      afterSignOutUrl: `${config.url}/`,
    },
    app.log,
  );
};

/** What the start page says of the parts; addresses with passwords in them are not shown. */
const runningParts = (config: Config): RunningPart[] => [
  { name: 'jobs travel by', says: config.queue.kind === 'redis' ? 'Redis' : 'PostgreSQL' },
  { name: 'sign-in', says: config.oidc.kind === 'external' ? config.oidc.issuer : 'not configured' },
  { name: 'artifacts', says: config.artifacts.kind === 's3' ? 'S3' : 'files' },
  {
    name: 'Slack',
    says: config.slack.token === null ? 'not configured' : `posts to ${config.slack.channel}`,
  },
  { name: 'language model', says: 'none: templates write the notes' },
];

const linksOf = (config: Config): Link[] => [
  ...(config.mode === 'development' ? [{ href: '/graphiql', label: 'GraphiQL: try the API' }] : []),
  { href: '/docs', label: 'Documents' },
  { href: '/health/ready', label: 'Health' },
  { href: '/metrics', label: 'Metrics' },
  ...workerMetrics(config),
];

/** Jobs and decisions are measured where they are done; elsewhere than on this machine nobody may reach that port. */
const workerMetrics = ({ mode, url, workerMetricsPort: port }: Config): Link[] => {
  if (mode !== 'development' || port === null) return [];
  const { hostname } = new URL(url);
  return [{ href: `http://${hostname}:${String(port)}/metrics`, label: 'Metrics of the worker' }];
};

/** What the start page offers of the actor's workspace. */
const newestReports =
  ({ access, ask }: App) =>
  async (actor: Actor): Promise<ShownReport[] | null> => {
    if (!access.may(actor, 'report:read')) return null;
    const { nodes } = await ask(listReports, actor, { first: 5, state: 'DONE' });
    return nodes.map(({ id, title, cutOff }) => ({
      title,
      at: cutOff,
      files: [
        { href: `/v1/reports/${id}.pdf`, label: 'PDF' },
        { href: `/v1/reports/${id}.xlsx`, label: 'workbook' },
      ],
    }));
  };

/** What the door is given beside application and configuration. */
export interface DoorOptions {
  readonly outside: Outside;
  /** Doors within the server beside sign-in and GraphQL. */
  readonly doors?: readonly Door[];
  readonly limits?: Partial<LimitOptions>;
}

/** Opens the HTTP door over the application: sign-in, start page, the routes of features, and the doors given. */
export const openDoor = async (app: App, config: Config, options: DoorOptions): Promise<HttpServer> => {
  const { db, run, clock, log, metrics } = app;
  const identity = identityDoor({
    db,
    run,
    clock,
    log,
    metrics,
    mode: config.mode,
    url: config.url,
    provider: providerOf(app, config),
    providerOrigin: config.oidc.kind === 'external' ? new URL(config.oidc.issuer).origin : null,
    session: config.session,
    version: await readVersion(),
    running: runningParts(config),
    links: linksOf(config),
    reportsFor: newestReports(app),
    docsFolder: join(installationRoot, 'docs'),
  });
  const graphql = graphqlDoor({
    schema: app.schema,
    development: config.mode === 'development',
    adHoc: config.adHoc,
    findDocument: documentFinder(),
  });
  return openHttpServer({
    app,
    config,
    outside: options.outside,
    authenticate: openAuthenticator({ db, clock, session: config.session }),
    limits: { perMinute: config.rateLimitPerMinute, ...options.limits },
    routes,
    doors: [
      identity,
      slackDoor(clock),
      graphql,
      mlflowDoor({ url: config.url }),
      ...(config.mode === 'development' ? [graphiqlDoor()] : []),
      ...(options.doors ?? []),
    ],
  });
};
