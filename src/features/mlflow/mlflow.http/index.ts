import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Door, DoorParts } from '../../../http/server.js';
import { AppError } from '../../../kernel/errors.js';
import type { Actor } from '../../../kernel/actor.js';
import type { ModelServer } from '../../../kernel/model-server.js';
import { frontFinder } from '../upstream/front.js';
import { artifactRoutes, readAway } from './artifacts.js';
import { asOurs } from './credentials.js';
import { sendProtocolError } from './errors.js';
import { experimentRoutes } from './experiments.js';
import { openPassing, passOn } from './front/passing.js';
import { answerInFront, isGated } from './front/registry.js';
import { parseJson } from './json.js';
import { loggedModelRoutes } from './logged-models.js';
import { modelVersionRoutes } from './model-versions.js';
import { registeredModelRoutes } from './registered-models.js';
import { saidBy, type Route } from './route.js';
import { runRoutes } from './runs.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether a call is judged here, also in front of another server. */
    readonly gated?: boolean;
  }
}

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
  // Answered here, also in front of another server.
  const here = { config: { gated: true } };
  server.get('/health', here, (_request, reply) => reply.type('text/plain').send('OK'));
  server.get('/version', here, (_request, reply) => reply.type('text/plain').send(protocolVersion));
  server.get('/api/3.0/mlflow/server-info', here, () => ({
    store_type: 'SqlStore',
    workspaces_enabled: false,
    trace_archival_enabled: false,
    multipart_uploads_enabled: false,
    multipart_downloads_enabled: false,
    features_enabled: [],
  }));
};

/** Finds the server that whoever asks stands in front of, or null. */
type FindFront = (request: FastifyRequest) => Promise<{ actor: Actor; server: ModelServer } | null>;

interface Place {
  readonly parts: DoorParts;
  readonly url: string;
  readonly front: FindFront;
}

/** Requests that go on to another server are handed over before anything is read of them. */
const passing = (server: FastifyInstance, { parts, url, front }: Place): void => {
  const { front: known } = parts.outside.modelServers;
  if (known === null) return;
  openPassing(server, known.server);
  server.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.routeOptions.config.gated === true) return;
    const found = await front(request);
    if (found === null) return;
    try {
      const end = await passOn(parts, { request, reply, url }, found.server, found.actor);
      if (end === 'not-served') throw notServed(request);
    } catch (error) {
      if (!(await readAway(request, parts.artifactMaxBytes))) reply.header('connection', 'close');
      throw error;
    }
  });
};

const answerOf =
  (route: Route, { parts, url, front }: Place, onlyInFront: boolean) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { run, ask, record } = parts;
    const actor = await parts.actorOf(request);
    const call = { run, ask, record, actor, url };
    const found = isGated(route) ? await front(request) : null;
    if (found === null) {
      if (onlyInFront) throw notServed(request);
      return route.answer(call, saidBy(request));
    }
    const { server } = found;
    const { status, body } = await answerInFront({ parts, call, server, route, said: saidBy(request) });
    return reply.code(status).send(body ?? {});
  };

const serve = (server: FastifyInstance, place: Place): void => {
  const { parts } = place;
  // Who asks is known before anything is read of a body.
  server.addHook('onRequest', async (request) => {
    await parts.actorOf(request);
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string', bodyLimit }, parseJson);
  const add = (route: Route, base: string, onlyInFront: boolean): void => {
    server.route({
      method: route.method,
      url: `${base}${route.path}`,
      bodyLimit,
      config: { gated: isGated(route) },
      handler: answerOf(route, place, onlyInFront),
    });
  };
  for (const route of routes) add(route, '/api/2.0/mlflow', false);
  if (parts.outside.modelServers.front === null) return;
  // The pages of the other server use these addresses.
  for (const route of routes.filter(isGated)) add(route, '/ajax-api/2.0/mlflow', true);
};

const place = (server: FastifyInstance, parts: DoorParts, { url }: MlflowDoorOptions): void => {
  const find = frontFinder(parts.outside.modelServers);
  const front: FindFront = async (request) => {
    if (parts.outside.modelServers.front === null) return null;
    const actor = await parts.actorOf(request);
    const found = await find(parts.ask, actor);
    return found && { actor, server: found };
  };
  const at = { parts, url, front };
  server.setErrorHandler((error, _request, reply) => sendProtocolError(reply, error, parts.log));
  server.setNotFoundHandler((request, reply) => sendProtocolError(reply, notServed(request), parts.log));
  server.addHook('onRequest', (request, _reply, done) => {
    asOurs(request);
    done();
  });
  passing(server, at);
  // Nothing is read of what is sent to an address that is not served.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  probes(server);
  void server.register((scope, _options, done) => {
    serve(scope, at);
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
