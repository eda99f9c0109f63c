import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const count = z.coerce.number().int().positive();
const blank = (value: unknown): unknown => (value === '' ? undefined : value);
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(blank, schema.optional());

const parsedUrl = (text: string): URL | null => (URL.canParse(text) ? new URL(text) : null);

/** Names below `localhost` never leave this machine, or the private network of the containers beside it. */
const isSafe = (text: string): boolean => {
  const { protocol = '', hostname = '' } = parsedUrl(text) ?? {};
  return protocol !== 'http:' || /^(?:127\.0\.0\.1|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
};

/** Passwords of people and their sessions travel there. */
const webAddress = z
  .url({ protocol: /^https?$/ })
  .refine(isSafe, 'must be https, except on this machine (localhost)');

/** Every page and cookie is made for the root of a host. */
const isOrigin = (text: string): boolean => {
  const url = parsedUrl(text);
  return url === null || url.href === `${url.origin}/`;
};

const namesPlace = (text: string): boolean => {
  const url = parsedUrl(text);
  return url?.protocol !== 's3:' || url.hostname !== '';
};

/** An operator names it, so it may be on a private network, where people run MLflow over http. */
const serverAddress = z.url({ protocol: /^https?$/ }).refine((text) => {
  const url = parsedUrl(text);
  return url === null || (url.search === '' && url.hash === '');
}, 'must have neither query nor fragment');

/** Every setting, as it stands in the environment. `docs/configuration.md` is checked against this list. */
export const settings = z.object({
  COUNTERSIGN_MODE: z
    .preprocess(blank, z.enum(['development', 'production']).optional())
    .describe(
      '`development` (default) may start the embedded parts; `production` never does. NODE_ENV=production means the same.',
    ),
  NODE_ENV: optional(z.string()).describe('Only `production` matters.'),
  PORT: z.preprocess(blank, port.default(4000)).describe('Port of the api.'),
  HOST: z
    .preprocess(blank, z.string().default('127.0.0.1'))
    .describe('Address to listen on; `0.0.0.0` in a container.'),
  COUNTERSIGN_HOME: z
    .preprocess(blank, z.string().default('.countersign'))
    .describe('Data directory: embedded database, keyring, artifacts.'),
  COUNTERSIGN_URL: optional(
    webAddress.refine(isOrigin, 'must be a host alone, without path or query'),
  ).describe('Public address, used in links and for sign-in. Default: http://localhost:PORT.'),
  DATABASE_URL: optional(z.url({ protocol: /^postgres(ql)?$/ })).describe(
    'PostgreSQL 15 or newer. Unset in development: an embedded one is started.',
  ),
  QUEUE_URL: z
    .preprocess(blank, z.union([z.literal('postgres'), z.url({ protocol: /^rediss?$/ })]).default('postgres'))
    .describe('`postgres` (default) or redis://…'),
  TRUSTED_PROXIES: optional(
    z.string().regex(/^[0-9a-f.:/, ]+$/i, 'must be addresses or networks (10.0.0.0/8), separated by commas'),
  ).describe(
    'Addresses or networks of reverse proxies whose X-Forwarded-For is believed, separated by commas. Unset: none.',
  ),
  OIDC_ISSUER: optional(webAddress).describe(
    'The identity provider. Unset in development: an embedded one is started.',
  ),
  OIDC_CLIENT_ID: optional(z.string()).describe('Client id at the provider.'),
  OIDC_CLIENT_SECRET: optional(z.string()).describe('Client secret at the provider.'),
  OIDC_GROUPS_CLAIM: z
    .preprocess(blank, z.string().default('groups'))
    .describe('Claim that lists the groups of a person (ID token, else userinfo).'),
  OIDC_SCOPES: z
    .preprocess(blank, z.string().default('openid profile email'))
    .describe('Scopes to ask for; add what makes your provider send groups.'),
  SESSION_IDLE_MINUTES: z
    .preprocess(blank, count.default(60))
    .describe('A session ends after this time without a request.'),
  SESSION_HOURS: z
    .preprocess(blank, count.default(12))
    .describe('A session ends after this time in any case.'),
  COUNTERSIGN_KEYRING: optional(z.string()).describe(
    'File of the key-encryption keys (mode 0600). Default: COUNTERSIGN_HOME/keyring.json; required in production.',
  ),
  COUNTERSIGN_SIGNING_KEYS: optional(z.string()).describe(
    'File of the keys that sign attestations and revocation lists (mode 0600). Default: COUNTERSIGN_HOME/signing-keys.json; required in production.',
  ),
  ARTIFACTS_URL: optional(
    z.url({ protocol: /^(file|s3)$/ }).refine(namesPlace, 'must name a bucket: s3://bucket/prefix'),
  ).describe(
    'file:///… or s3://bucket/prefix?endpoint=…&region=…. Default: COUNTERSIGN_HOME/artifacts; required in production.',
  ),
  ARTIFACT_MAX_MB: z.preprocess(blank, count.default(2048)).describe('Largest artifact that is accepted.'),
  SLACK_BOT_TOKEN: optional(z.string()).describe('Bot token; unset: no messages are sent.'),
  SLACK_CHANNEL: z
    .preprocess(blank, z.string().default('#model-approvals'))
    .describe('Channel of approval requests.'),
  SLACK_SIGNING_SECRET: optional(z.string()).describe(
    'Proves that a request came from Slack; set it to take clicks at /slack/interactions. Unset: requests are refused.',
  ),
  SLACK_APP_TOKEN: optional(z.string()).describe(
    'App-level token (xapp-…, connections:write); set it to take clicks over Socket Mode, without a public address.',
  ),
  SLACK_API_URL: optional(z.url()).describe('Another address of the Slack API (tests, proxies).'),
  SMTP_URL: optional(z.url({ protocol: /^smtps?$/ })).describe(
    'Mail server: smtp://user:password@host:587 (STARTTLS is required, except to this machine) or smtps://…:465. Unset: no mail is sent.',
  ),
  MAIL_FROM: z
    .preprocess(
      blank,
      z.string().regex(/@/, 'must be an address').default('Countersign <countersign@localhost>'),
    )
    .describe('Who mails come from.'),
  WEBHOOKS_ALLOW_LOOPBACK: z
    .preprocess(blank, z.enum(['true', 'false']).default('false'))
    .describe(
      '`true` lets webhooks go to this very machine, also over http; for development, refused in production.',
    ),
  MLFLOW_UPSTREAM_URL: optional(serverAddress).describe(
    'An MLflow server that /mlflow stands in front of; may hold a name and a password. Unset: /mlflow serves everything itself.',
  ),
  MLFLOW_UPSTREAM_TOKEN: optional(z.string()).describe('Bearer token that is shown to that server.'),
  MLFLOW_UPSTREAM_WORKSPACE: optional(z.string()).describe(
    'Slug of the workspace whose rules govern that server; required with it. Other workspaces are served by /mlflow itself.',
  ),
  MLFLOW_IMPORT_URL: optional(serverAddress).describe(
    'An MLflow server from which `startMlflowImport` takes models; may hold a name and a password.',
  ),
  MLFLOW_IMPORT_TOKEN: optional(z.string()).describe(
    'Bearer token that is shown to the server of the import.',
  ),
  LOG_LEVEL: z
    .preprocess(blank, z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info'))
    .describe('How much is logged.'),
  WORKER_METRICS_PORT: optional(port).describe(
    'Port on which a worker answers `/metrics` and `/health/live`, on HOST. Unset: none.',
  ),
  WORKER_CONCURRENCY: z
    .preprocess(blank, count.default(4))
    .describe('Jobs of one queue that a worker runs at the same time.'),
  GRAPHQL_ADHOC: optional(z.enum(['everybody', 'tokens', 'nobody'])).describe(
    'Who may send GraphQL documents that are not registered. Default: everybody in development, tokens in production.',
  ),
  RATE_LIMIT_PER_MINUTE: z
    .preprocess(blank, count.default(1200))
    .describe('Cost units per person or token and minute; a plain request costs one.'),
});

/** How jobs travel. */
export type QueueConfig = { readonly kind: 'postgres' } | { readonly kind: 'redis'; readonly url: string };

/** Where the database is. */
export type DatabaseConfig =
  { readonly kind: 'embedded' } | { readonly kind: 'external'; readonly url: string };

/** Who proves who people are. */
export type OidcConfig =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'external';
      readonly issuer: string;
      readonly clientId: string;
      readonly clientSecret: string;
    };

/** Where artifacts are kept. */
export type ArtifactsConfig =
  | { readonly kind: 'file'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly prefix: string;
      readonly endpoint: string | null;
      readonly region: string;
    };

/** The whole configuration, parsed once and frozen. */
export interface Config {
  readonly mode: 'development' | 'production';
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly trustedProxies: string | null;
  readonly home: string;
  readonly database: DatabaseConfig;
  readonly queue: QueueConfig;
  readonly oidc: OidcConfig;
  readonly groupsClaim: string;
  readonly oidcScopes: string;
  readonly session: { readonly idleMs: number; readonly absoluteMs: number };
  readonly keyring: { readonly path: string; readonly createIfMissing: boolean };
  readonly signingKeys: { readonly path: string; readonly createIfMissing: boolean };
  readonly artifacts: ArtifactsConfig;
  readonly artifactMaxBytes: number;
  readonly slack: {
    readonly token: string | null;
    readonly signingSecret: string | null;
    readonly appToken: string | null;
    readonly channel: string;
    readonly apiUrl: string | null;
  };
  readonly mail: { readonly url: string | null; readonly from: string };
  readonly webhooks: { readonly allowLoopback: boolean };
  readonly mlflow: {
    readonly front: {
      readonly url: string;
      readonly token: string | null;
      readonly workspace: string;
    } | null;
    readonly source: { readonly url: string; readonly token: string | null } | null;
  };
  readonly logLevel: string;
  readonly workerConcurrency: number;
  /** Where a worker shows its metrics; null: nowhere. */
  readonly workerMetricsPort: number | null;
  /** Who may send GraphQL documents that are not registered. */
  readonly adHoc: 'everybody' | 'tokens' | 'nobody';
  readonly rateLimitPerMinute: number;
}

type Settings = z.output<typeof settings>;

/** Thrown with every fault of the environment, so that one run shows all of them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly string[]) {
    super(['The configuration is not usable:', ...faults.map((fault) => `  - ${fault}`)].join('\n'));
  }
}

/** Variables by name, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Parses an environment; throws {@link ConfigError} naming every fault. */
export const readConfig = (environment: Environment): Config => {
  const parsed = settings.safeParse(environment);
  const plain = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  const faults = [...plain, ...missing(environment)];
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(shape(parsed.data));
};

/** The environment of this process; nothing else may look at it. */
export const processEnvironment = (): Environment => process.env;

type Mode = 'development' | 'production';

const modeOf = (s: { COUNTERSIGN_MODE?: string | undefined; NODE_ENV?: string | undefined }): Mode => {
  const said = s.COUNTERSIGN_MODE === '' ? undefined : s.COUNTERSIGN_MODE;
  return (said ?? s.NODE_ENV) === 'production' ? 'production' : 'development';
};

const signIn = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const;
const places = [
  'DATABASE_URL',
  'COUNTERSIGN_URL',
  'COUNTERSIGN_KEYRING',
  'COUNTERSIGN_SIGNING_KEYS',
  'ARTIFACTS_URL',
] as const;

/** What is not there but has to be, given the rest; judged by presence, so that one run names every fault. */
const missing = (environment: Environment): string[] => {
  const absent = (name: string): boolean => (environment[name] ?? '') === '';
  const production = modeOf(environment) === 'production';
  const partial = signIn.some((name) => !absent(name));
  const lacking = production || partial ? signIn.filter(absent) : [];
  const secrets = (['SLACK_SIGNING_SECRET', 'SLACK_APP_TOKEN'] as const).filter((name) => !absent(name));
  const deaf = absent('SLACK_BOT_TOKEN') ? secrets : [];
  const loose = production && environment['WEBHOOKS_ALLOW_LOOPBACK'] === 'true';
  const homeless = !absent('MLFLOW_UPSTREAM_URL') && absent('MLFLOW_UPSTREAM_WORKSPACE');
  return [
    ...(homeless
      ? ['MLFLOW_UPSTREAM_WORKSPACE is missing: the rules of one workspace must govern MLFLOW_UPSTREAM_URL']
      : []),
    ...deaf.map((name) => `${name} is set, but SLACK_BOT_TOKEN is missing: answers could not be sent`),
    ...(loose ? ['WEBHOOKS_ALLOW_LOOPBACK is for development: in production webhooks go outside'] : []),
    ...lacking.map((name) => `${name} is missing: sign-in needs issuer, client id and client secret`),
    ...(production ? places.filter(absent) : []).map(
      (name) => `${name} is missing: production starts nothing embedded`,
    ),
  ];
};

const shape = (s: Settings): Config => {
  const home = isAbsolute(s.COUNTERSIGN_HOME) ? s.COUNTERSIGN_HOME : resolve(s.COUNTERSIGN_HOME);
  return {
    mode: modeOf(s),
    host: s.HOST,
    port: s.PORT,
    url: (s.COUNTERSIGN_URL ?? `http://localhost:${String(s.PORT)}`).replace(/\/$/, ''),
    trustedProxies: s.TRUSTED_PROXIES ?? null,
    home,
    database: s.DATABASE_URL === undefined ? { kind: 'embedded' } : { kind: 'external', url: s.DATABASE_URL },
    queue: s.QUEUE_URL === 'postgres' ? { kind: 'postgres' } : { kind: 'redis', url: s.QUEUE_URL },
    oidc: oidcOf(s),
    groupsClaim: s.OIDC_GROUPS_CLAIM,
    oidcScopes: s.OIDC_SCOPES,
    session: { idleMs: s.SESSION_IDLE_MINUTES * 60_000, absoluteMs: s.SESSION_HOURS * 3_600_000 },
    keyring: {
      path: s.COUNTERSIGN_KEYRING ?? join(home, 'keyring.json'),
      createIfMissing: s.COUNTERSIGN_KEYRING === undefined,
    },
    signingKeys: {
      path: s.COUNTERSIGN_SIGNING_KEYS ?? join(home, 'signing-keys.json'),
      createIfMissing: s.COUNTERSIGN_SIGNING_KEYS === undefined,
    },
    artifacts: artifactsOf(s, home),
    artifactMaxBytes: s.ARTIFACT_MAX_MB * 1_048_576,
    slack: slackOf(s),
    mail: { url: s.SMTP_URL ?? null, from: s.MAIL_FROM },
    webhooks: { allowLoopback: s.WEBHOOKS_ALLOW_LOOPBACK === 'true' },
    mlflow: mlflowOf(s),
    logLevel: s.LOG_LEVEL,
    workerConcurrency: s.WORKER_CONCURRENCY,
    workerMetricsPort: s.WORKER_METRICS_PORT ?? null,
    adHoc: adHocOf(s),
    rateLimitPerMinute: s.RATE_LIMIT_PER_MINUTE,
  };
};

const slackOf = (s: Settings): Config['slack'] => ({
  token: s.SLACK_BOT_TOKEN ?? null,
  signingSecret: s.SLACK_SIGNING_SECRET ?? null,
  appToken: s.SLACK_APP_TOKEN ?? null,
  channel: s.SLACK_CHANNEL,
  apiUrl: s.SLACK_API_URL ?? null,
});

const mlflowOf = (s: Settings): Config['mlflow'] => ({
  front:
    s.MLFLOW_UPSTREAM_URL === undefined
      ? null
      : {
          url: s.MLFLOW_UPSTREAM_URL,
          token: s.MLFLOW_UPSTREAM_TOKEN ?? null,
          workspace: s.MLFLOW_UPSTREAM_WORKSPACE ?? '',
        },
  source:
    s.MLFLOW_IMPORT_URL === undefined
      ? null
      : { url: s.MLFLOW_IMPORT_URL, token: s.MLFLOW_IMPORT_TOKEN ?? null },
});

const adHocOf = (s: Settings): Config['adHoc'] =>
  s.GRAPHQL_ADHOC ?? (modeOf(s) === 'production' ? 'tokens' : 'everybody');

const oidcOf = (s: Settings): OidcConfig => {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = s;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined)
    return { kind: 'embedded' };
  return { kind: 'external', issuer, clientId, clientSecret };
};

const artifactsOf = (s: Settings, home: string): ArtifactsConfig => {
  if (s.ARTIFACTS_URL === undefined) return { kind: 'file', folder: join(home, 'artifacts') };
  const url = new URL(s.ARTIFACTS_URL);
  if (url.protocol === 'file:') return { kind: 'file', folder: decodeURIComponent(url.pathname) };
  return {
    kind: 's3',
    bucket: url.hostname,
    prefix: url.pathname.replace(/^\//, ''),
    endpoint: url.searchParams.get('endpoint'),
    region: url.searchParams.get('region') ?? 'us-east-1',
  };
};
