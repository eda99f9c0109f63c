import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Door, DoorParts } from '../../../http/server.js';
import { AppError } from '../../../kernel/errors.js';
import { artifactRoutes } from './artifacts.js';
import { asOurs } from './credentials.js';
import { sendProtocolError } from './errors.js';
import { experimentRoutes } from './experiments.js';
import { parseJson } from './json.js';
import { loggedModelRoutes } from './logged-models.js';
import { modelVersionRoutes } from './model-versions.js';
import { registeredModelRoutes } from './registered-models.js';
import { saidBy, type Route } from './route.js';
import { runRoutes } from './runs.js';

/** What the door is told beside what every door is given. */
export interface MlflowDoorOptions {
  /** The public address, for links in refusals. */
  readonly url: string;
}

/** The version of the protocol that is spoken. */
const protocolVersion = '3.17.2';

const routes: readonly Route[] = [
  ...experimentRoutes,
  ...runRoutes,
  ...loggedModelRoutes,
  ...registeredModelRoutes,
  ...modelVersionRoutes,
];

/** A tag may have 100,000 characters, a batch a thousand measurements; what is larger still is refused by name. */
const bodyLimit = 16 * 1_048_576;

const notServed = (request: FastifyRequest): AppError =>
  new AppError('NOT_FOUND', `${request.method} ${request.url.split('?')[0] ?? ''} is not served here`, {
    rule: 'not-served',
  });

/** What clients ask before they know whether they may. */
const probes = (server: FastifyInstance): void => {
  server.get('/health', (_request, reply) => reply.type('text/plain').send('OK'));
  server.get('/version', (_request, reply) => reply.type('text/plain').send(protocolVersion));
  server.get('/api/3.0/mlflow/server-info', () => ({
    store_type: 'SqlStore',
    workspaces_enabled: false,
    trace_archival_enabled: false,
    multipart_uploads_enabled: false,
    multipart_downloads_enabled: false,
    features_enabled: [],
  }));
};

const serve = (server: FastifyInstance, parts: DoorParts, url: string): void => {
  const { run, ask, record } = parts;
  // Who asks is known before anything is read of a body.
  server.addHook('onRequest', async (request) => {
    await parts.actorOf(request);
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, parseJson);
  for (const { method, path, answer } of routes) {
    server.route({
      method,
      url: `/api/2.0/mlflow${path}`,
      bodyLimit,
      handler: async (request) => {
        const actor = await parts.actorOf(request);
        return answer({ run, ask, record, actor, url }, saidBy(request));
      },
    });
  }
};

const place = (server: FastifyInstance, parts: DoorParts, { url }: MlflowDoorOptions): void => {
  server.setErrorHandler((error, _request, reply) => sendProtocolError(reply, error, parts.log));
  server.setNotFoundHandler((request, reply) => sendProtocolError(reply, notServed(request), parts.log));
  server.addHook('onRequest', (request, _reply, done) => {
    asOurs(request);
    done();
  });
  // Nothing is read of what is sent to an address that is not served.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  probes(server);
  void server.register((scope, _options, done) => {
    serve(scope, parts, url);
    done();
  });
  void server.register((scope, _options, done) => {
    artifactRoutes(scope, parts);
    done();
  });
};

/** The MLflow protocol under `/mlflow`, and under `/w/<workspace>/mlflow` for one workspace of several. */
export const mlflowDoor =
  (options: MlflowDoorOptions): Door =>
  (server, parts) => {
    for (const prefix of ['/mlflow', '/w/:workspace/mlflow']) {
      void server.register(
        (scope, _options, done) => {
          place(scope, parts, options);
          done();
        },
        { prefix },
      );
    }
  };
