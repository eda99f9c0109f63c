import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Log } from '../kernel/log.js';
import type { Metrics } from '../kernel/metrics.js';
import { withTrace, type Trace } from '../kernel/trace.js';

const safeId = /^[A-Za-z0-9][A-Za-z0-9._-]{7,63}$/;

/** The id of a request: the caller's own when it has a safe form, else a new one. */
export const requestIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' && safeId.test(header) ? header : randomUUID();

const doorOf = (request: FastifyRequest): string => (request.url.startsWith('/graphql') ? 'graphql' : 'http');

const traceOf = (request: FastifyRequest): Trace => ({
  requestId: request.id,
  door: doorOf(request),
  address: request.ip,
});

/** The pattern of the route, not the address itself: addresses hold ids, and ids would flood the metrics. */
const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'unknown';

/** Gives every request its id, a trace that follows its work, a line in the log and a place in the metrics. */
export const traceRequests = (server: FastifyInstance, log: Log, metrics: Metrics): void => {
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    withTrace(traceOf(request), done);
  });
  // Reading the body leaves the context of the request, because the connection's events run in their own.
  server.addHook('preValidation', (request, _reply, done) => {
    withTrace(traceOf(request), done);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { elapsedTime, statusCode } = reply;
    const route = routeOf(request);
    metrics.door.observe({ door: doorOf(request), route, status: String(statusCode) }, elapsedTime / 1000);
    const line = {
      requestId: request.id,
      method: request.method,
      route,
      status: statusCode,
      milliseconds: Math.round(elapsedTime * 10) / 10,
      address: request.ip,
    };
    log[statusCode >= 500 ? 'error' : 'info'](line, 'request');
    done();
  });
};
