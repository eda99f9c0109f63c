import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Access } from '../kernel/access.js';
import type { Actor } from '../kernel/actor.js';
import type { RunCommand } from '../kernel/command.js';
import type { Db } from '../kernel/db.js';
import { AppError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import type { Metrics } from '../kernel/metrics.js';
import type { Outside } from '../kernel/ports.js';
import type { AskQuery } from '../kernel/query.js';
import { recordingRunner, type RunRecord } from '../kernel/record.js';
import { credentialsOf, type Authenticate } from './authentication.js';
import { cookiesFor, type Cookies } from './cookies.js';
import { answerErrors, sendError } from './errors.js';
import { healthRoutes } from './health.js';
import { openLimits, type Limits, type LimitOptions } from './limits.js';
import type { HttpParts, Routes } from './routes.js';
import { requireSameOrigin } from './same-origin.js';
import { requestIdOf, traceRequests } from './tracing.js';

/** What the door needs of the application. */
export interface HttpApp {
  readonly db: Db;
  readonly access: Access;
  readonly run: RunCommand;
  readonly ask: AskQuery;
  readonly record: RunRecord;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the door needs of the configuration. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** The public address. */
  readonly url: string;
  /** Proxies whose word counts for where a request comes from; null: none. */
  readonly trustedProxies: string | null;
  readonly artifactMaxBytes: number;
}

/** What a door within this server is given, such as the GraphQL door. */
export interface DoorParts extends HttpParts {
  readonly limits: Limits;
  readonly cookies: Cookies;
}

/** A door within this server; it is registered as a plugin of its own. */
export type Door = (server: FastifyInstance, parts: DoorParts) => void | Promise<void>;

/** What is opened, and over what. */
export interface HttpServerOptions {
  readonly app: HttpApp;
  readonly config: HttpConfig;
  readonly outside: Outside;
  readonly authenticate: Authenticate;
  readonly limits: LimitOptions;
  /** The routes of features. */
  readonly routes: readonly Routes[];
  /** Doors that need more than routes do. */
  readonly doors: readonly Door[];
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /** Where it listens; the public address may be another. */
  readonly address: string;
  /** Takes no new requests, finishes those under way, then closes. */
  close(): Promise<void>;
}

const actorFound = Symbol('actor');

declare module 'fastify' {
  interface FastifyRequest {
    [actorFound]: Promise<Actor> | null;
  }
}

const kibibyte = 1024;
const hour = 3_600_000;

const createServer = (trustedProxies: string | null, log: Log): FastifyInstance => {
  const server = fastify({
    logger: false,
    trustProxy: trustedProxies ?? false,
    bodyLimit: 256 * kibibyte,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    // Artifacts of gigabytes arrive over slow lines.
    requestTimeout: hour,
    return503OnClosing: true,
    frameworkErrors: (error, _request, reply) => {
      void sendError(reply, error, log);
    },
    routerOptions: { maxParamLength: 1024 },
  });
  // Forms of other sites can send it without asking; nothing here reads it.
  server.removeContentTypeParser('text/plain');
  return server;
};

/** Nothing is loaded, framed or run, unless a page says otherwise for itself. */
const secureHeaders = async (server: FastifyInstance, url: string): Promise<void> => {
  const secure = url.startsWith('https:');
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
      },
    },
    crossOriginEmbedderPolicy: false,
    // Not `no-referrer`: a browser would then send forms of our own pages with the origin `null`, which is refused.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  });
};

/** Who asks, found once per request and charged one cost unit. */
const actorFinder = (authenticate: Authenticate, cookies: Cookies, limits: Limits) => {
  const find = async (request: FastifyRequest): Promise<Actor> => {
    try {
      const actor = await authenticate(credentialsOf(request, cookies.names));
      await limits.charge(actor, 1);
      return actor;
    } catch (error) {
      if (error instanceof AppError && error.details['reason'] !== 'none')
        await countFailure(error, request, limits);
      throw error;
    }
  };
  return (request: FastifyRequest): Promise<Actor> => (request[actorFound] ??= find(request));
};

const countFailure = async (error: AppError, request: FastifyRequest, limits: Limits): Promise<void> => {
  if (error.code === 'UNAUTHENTICATED') await limits.failure(request.ip);
};

/** Opens the HTTP door and listens. */
export const openHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { app, config, outside, routes, doors } = options;
  const server = createServer(config.trustedProxies, app.log);
  const cookies = cookiesFor(config.url);
  const limits = openLimits(options.limits);
  let closing = false;

  // A connection that is kept open after its last answer would hold up the closing.
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done(null, payload);
  });
  traceRequests(server, app.log, app.metrics);
  answerErrors(server, app.log);
  await secureHeaders(server, config.url);
  await server.register(cookie);
  requireSameOrigin(server, config.url, cookies.names);
  healthRoutes(server, { db: app.db, metrics: app.metrics, closing: () => closing });

  // In the request itself: a WeakMap of requests is work for the collector of garbage.
  server.decorateRequest(actorFound, null);
  const actorOf = actorFinder(options.authenticate, cookies, limits);
  const { run, ask, access, log } = app;
  const record = recordingRunner(app.record);
  const parts: HttpParts = {
    run,
    ask,
    record,
    access,
    outside,
    log,
    actorOf,
    actorAgain: async (request) => options.authenticate(credentialsOf(request, cookies.names)),
    artifactMaxBytes: config.artifactMaxBytes,
  };
  for (const door of [...routes, ...doors]) {
    await server.register(async (scope) => {
      await door(scope, { ...parts, limits, cookies });
    });
  }

  await server.listen({ host: config.host, port: config.port });
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  return {
    port,
    address: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${String(port)}`,
    close: async () => {
      closing = true;
      await server.close();
    },
  };
};
