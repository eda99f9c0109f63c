import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../../kernel/errors.js';
import { admit } from '../admit.js';
import { actorOfSession } from '../authenticate.js';
import { endSession } from '../identity.commands/sessions.js';
import { isFresh, type IdentityProvider } from '../oidc.js';
import { chooseWorkspace, liveSession, readHint, type LiveSession } from '../sessions.js';
import { beginSignIn, safeReturn, takeSignIn } from '../sign-ins.js';
import { newSecret } from '../tokens.js';
import type { OpenIdentityDoor } from './door.js';

const browserSecret = /^[\w-]{43}$/;
const browserCookieSeconds = 3600;

/** The session of the browser, or null. */
export const sessionOf = (door: OpenIdentityDoor, request: FastifyRequest): Promise<LiveSession | null> => {
  const cookie = request.cookies[door.cookies.names.session];
  if (cookie === undefined) return Promise.resolve(null);
  return liveSession(door.db, cookie, door.session, door.clock.now());
};

const providerOf = (door: OpenIdentityDoor): IdentityProvider => {
  if (door.provider) return door.provider;
  throw new AppError(
    'PRECONDITION_FAILED',
    'No identity provider is configured; set OIDC_ISSUER and its client',
  );
};

const queryValue = (request: FastifyRequest, name: string): unknown => {
  const { query } = request;
  return typeof query === 'object' && query !== null
    ? Object.entries(query).find(([key]) => key === name)?.[1]
    : undefined;
};

/** Where a request went, at our public address: a proxy may have changed the host, and a client may have written one. */
const publicAddress = (door: OpenIdentityDoor, request: FastifyRequest): URL => {
  const { pathname, search } = new URL(request.url, door.url);
  const address = new URL(door.url);
  address.pathname = pathname;
  address.search = search;
  return address;
};

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * On a development machine the same server answers as localhost and as 127.0.0.1, but cookies of one are not sent
 * to the other, and the provider leads back to only one of them.
 */
const otherNameOfThisMachine = (door: OpenIdentityDoor, request: FastifyRequest): boolean => {
  const own = new URL(door.url);
  return loopback.has(own.hostname) && loopback.has(request.hostname) && own.host !== request.host;
};

const login = async (
  door: OpenIdentityDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  await door.limits.signIn(request.ip);
  if (otherNameOfThisMachine(door, request)) return reply.redirect(publicAddress(door, request).href, 302);
  const provider = providerOf(door);
  const { names, options } = door.cookies;
  const known = request.cookies[names.signIn];
  const browser = known !== undefined && browserSecret.test(known) ? known : newSecret();
  const fresh = queryValue(request, 'fresh') === '1';
  const returnTo = safeReturn(queryValue(request, 'returnTo'), door.url);
  const signIn = await beginSignIn(door.db, { browser, returnTo, fresh, now: door.clock.now() });
  const target = await provider.signInUrl(signIn, fresh);
  return reply
    .setCookie(names.signIn, browser, { ...options, maxAge: browserCookieSeconds })
    .header('cache-control', 'no-store')
    .redirect(target.href, 302);
};

const callback = async (
  door: OpenIdentityDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const provider = providerOf(door);
  const { names, options } = door.cookies;
  const state = queryValue(request, 'state');
  const browser = request.cookies[names.signIn] ?? null;
  const now = door.clock.now();
  const signIn = await takeSignIn(door.db, { browser, state: typeof state === 'string' ? state : null, now });
  const person = await provider.accept(publicAddress(door, request), signIn);
  if (signIn.fresh && !isFresh(person, signIn.createdAt)) {
    throw new AppError(
      'UNAUTHENTICATED',
      'The identity provider did not ask who you are again; sign in once more',
      {
        reason: 'not-fresh',
      },
    );
  }
  const replaced = await sessionOf(door, request);
  const { cookie } = await admit(door, person, {
    userAgent: request.headers['user-agent']?.slice(0, 200) ?? null,
    fresh: signIn.fresh,
    replaces: replaced?.id ?? null,
  });
  return reply
    .setCookie(names.session, cookie, { ...options, maxAge: Math.floor(door.session.absoluteMs / 1000) })
    .header('cache-control', 'no-store')
    .redirect(signIn.returnTo, 303);
};

const logout = async (
  door: OpenIdentityDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { names, options } = door.cookies;
  const cookie = request.cookies[names.session];
  const session = await sessionOf(door, request);
  const hint = session && cookie !== undefined ? await readHint(door.db, cookie) : null;
  if (session) await door.run(endSession, actorOfSession(session, null), { sessionId: session.id });
  const target = session && door.provider ? await door.provider.signOutUrl(hint) : null;
  return reply
    .clearCookie(names.session, options)
    .header('cache-control', 'no-store')
    .redirect(target?.href ?? '/', 303);
};

const switchWorkspace = async (
  door: OpenIdentityDoor,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const session = await sessionOf(door, request);
  if (!session)
    throw new AppError('UNAUTHENTICATED', 'Your session is over; sign in again', { reason: 'session-over' });
  const asked = request.body instanceof URLSearchParams ? request.body.get('workspace') : null;
  const { workspaceId } = actorOfSession(session, asked ?? '');
  if (workspaceId !== null) await chooseWorkspace(door.db, session.id, workspaceId);
  return reply.header('cache-control', 'no-store').redirect('/', 303);
};

/** `/auth/login`, `/auth/callback`, `/auth/logout`, `/auth/workspace`. */
export const signInRoutes = (server: FastifyInstance, door: OpenIdentityDoor): void => {
  server.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: 4096 },
    (_request, body, done) => {
      done(null, new URLSearchParams(body.toString()));
    },
  );
  server.get('/auth/login', (request, reply) => login(door, request, reply));
  server.get('/auth/callback', async (request, reply) => {
    try {
      return await callback(door, request, reply);
    } catch (error) {
      await door.limits.failure(request.ip);
      throw error;
    }
  });
  server.post('/auth/logout', (request, reply) => logout(door, request, reply));
  server.post('/auth/workspace', (request, reply) => switchWorkspace(door, request, reply));
};
