import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../kernel/errors.js';
import type { CookieNames } from './cookies.js';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

const comesFromHere = (request: FastifyRequest, origin: string): boolean => {
  const given = request.headers.origin;
  if (given !== undefined) return given === origin;
  // Old browsers leave Origin out of some requests of the same origin; every one that matters sends this header.
  return request.headers['sec-fetch-site'] === 'same-origin';
};

/**
 * A request that changes something and shows only a session cookie must come from a page of ours: browsers send
 * cookies along with requests that other sites cause. A request with an Authorization header was made on purpose.
 */
export const requireSameOrigin = (server: FastifyInstance, url: string, names: CookieNames): void => {
  const { origin } = new URL(url);
  server.addHook('onRequest', (request, _reply, done) => {
    const byCookie =
      request.headers.authorization === undefined && request.cookies[names.session] !== undefined;
    if (!byCookie || safeMethods.has(request.method) || comesFromHere(request, origin)) {
      done();
      return;
    }
    done(
      new AppError('FORBIDDEN', `A request with a session cookie must come from a page of ${origin}`, {
        rule: 'same-origin',
        origin: request.headers.origin ?? null,
      }),
    );
  });
};
