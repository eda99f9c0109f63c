import type { FastifyRequest } from 'fastify';
import type { Actor } from '../kernel/actor.js';
import { AppError } from '../kernel/errors.js';
import type { CookieNames } from './cookies.js';

/** What a request brings to show who asks. */
export interface Credentials {
  /** The token of an `Authorization: Bearer` header. */
  readonly bearer: string | null;
  /** The content of the session cookie. */
  readonly session: string | null;
  /** The workspace asked for by `x-countersign-workspace`: its slug or id. */
  readonly workspace: string | null;
}

/** Finds out who asks; refuses with UNAUTHENTICATED. Filled by the identity feature. */
export type Authenticate = (credentials: Credentials) => Promise<Actor>;

const longest = 512;

const single = (value: string | string[] | undefined): string | null => {
  if (typeof value !== 'string' || value === '') return null;
  return value.slice(0, longest);
};

/** Reads the credentials of a request. A header that is there but is no Bearer token is refused, not passed over. */
export const credentialsOf = (request: FastifyRequest, names: CookieNames): Credentials => {
  const header = single(request.headers.authorization);
  const bearer = header === null ? null : (/^Bearer +([\w-]+)$/i.exec(header)?.[1] ?? null);
  if (header !== null && bearer === null) {
    throw new AppError('UNAUTHENTICATED', 'The Authorization header has another form than «Bearer <token>»', {
      reason: 'malformed',
    });
  }
  return {
    bearer,
    session: bearer === null ? (request.cookies[names.session] ?? null) : null,
    workspace: single(request.headers['x-countersign-workspace']),
  };
};
