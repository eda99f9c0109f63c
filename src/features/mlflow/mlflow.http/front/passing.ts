import { Transform, type Readable } from 'node:stream';
import replyFrom from '@fastify/reply-from';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DoorParts } from '../../../../http/server.js';
import type { Actor } from '../../../../kernel/actor.js';
import { AppError, conflict } from '../../../../kernel/errors.js';
import type { ModelServer } from '../../../../kernel/model-server.js';
import { isClosedPlace } from '../../mlflow.queries/copies.js';
import { asDoor } from '../../upstream/front.js';
import { readAway } from '../artifacts.js';
import { sendProtocolError } from '../errors.js';
import { answerHeaders, requestHeaders } from './headers.js';
import { judge, passedPath, requireStraight, type Judgement, type PassedPath } from './judge.js';

const connectMs = 5000;

/** Makes `reply.from` known in a scope. */
export const openPassing = (server: FastifyInstance, { address, answerMs }: ModelServer): void => {
  void server.register(replyFrom, {
    base: new URL(address).origin,
    undici: { connect: { timeout: connectMs }, headersTimeout: answerMs, bodyTimeout: answerMs },
    disableRequestLogging: true,
    disableCache: true,
  });
};

const prefixPattern = /^(?:\/w\/[^/?]+)?\/mlflow(?=[/?]|$)/;

interface Asked {
  readonly prefix: string;
  readonly path: PassedPath;
  readonly query: string;
}

const askedBy = ({ raw }: FastifyRequest): Asked => {
  const [path = '', ...rest] = (raw.url ?? '/').split('?');
  const prefix = prefixPattern.exec(path)?.[0] ?? '';
  const query = rest.join('?');
  const place = new URLSearchParams(query);
  for (const name of ['path', 'artifact_path']) for (const one of place.getAll(name)) requireStraight(one);
  return { prefix, path: passedPath(path.slice(prefix.length)), query: query === '' ? '' : `?${query}` };
};

const tooLarge = (most: number): AppError =>
  new AppError('INVALID_INPUT', `The body is too large: at most ${String(most)} bytes are accepted`, {
    rule: 'artifact-size',
  });

/**
 * Hands pieces on as they come, until they are too many. The last one waits until it is certain that the whole may
 * still go: an upload may take an hour, in which its place was closed.
 */
const limited = (body: Readable, most: number, mayEnd: () => Promise<void>): Transform => {
  let bytes = 0;
  let last: Uint8Array | null = null;
  const counter = new Transform({
    transform: (piece: Uint8Array, _encoding, done) => {
      bytes += piece.byteLength;
      const before = last;
      last = piece;
      if (bytes > most) done(tooLarge(most));
      else done(null, before);
    },
    flush: (done) => {
      mayEnd().then(
        () => {
          done(null, last);
        },
        (error: unknown) => {
          done(error instanceof Error ? error : new Error('It may not go on'));
        },
      );
    },
  });
  body.once('error', (error) => counter.destroy(error));
  body.once('aborted', () => counter.destroy(new Error('The client left')));
  return body.pipe(counter);
};

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

type Passed = Extract<Judgement, { kind: 'passed' }>;

const requireOpen = async ({ ask }: DoorParts, actor: Actor, { writes }: Passed): Promise<void> => {
  if (writes === null || !(await ask(isClosedPlace, asDoor(actor), { path: writes }))) return;
  throw conflict('These artifacts are closed: what was registered is never changed', {
    rule: 'artifacts-closed',
  });
};

const requireAllowed = async (parts: DoorParts, actor: Actor, judgement: Passed): Promise<void> => {
  const { permission } = judgement;
  if (!parts.access.may(actor, permission)) {
    throw new AppError('FORBIDDEN', `This needs the permission ${permission}`, { permission });
  }
  await requireOpen(parts, actor, judgement);
};

const causeOf = (error: Error): AppError | null => {
  let seen: unknown = error;
  for (let depth = 0; depth < 5; depth += 1) {
    if (seen instanceof AppError) return seen;
    seen = seen instanceof Error ? seen.cause : null;
  }
  return null;
};

const unreachable = ({ address }: ModelServer): AppError =>
  new AppError('INTERNAL', `The MLflow server behind this address (${address}) is unreachable`, {
    rule: 'upstream-unreachable',
  });

/** Whatever is a page of that server or a part of one; everything else is somebody's file, or an answer of its API. */
const isPage = ({ parts }: PassedPath): boolean => parts.length === 0 || parts[0] === 'static-files';

/** Hands a request on as it is, and the answer back, both as streams. Answers by itself when it may not go on. */
const pass = async (
  parts: DoorParts,
  { request, reply, url }: { request: FastifyRequest; reply: FastifyReply; url: string },
  server: ModelServer,
  { asked, mayEnd }: { asked: Asked; mayEnd: () => Promise<void> },
): Promise<void> => {
  const most = parts.artifactMaxBytes;
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLarge(most);
  const sends = request.method !== 'GET' && request.method !== 'HEAD' && hasBody(request);
  if (sends) request.body = limited(request.raw, most, mayEnd);
  const base = new URL(server.address).pathname.replace(/\/+$/, '');
  const place = { address: server.address, origin: new URL(url).origin, prefix: asked.prefix };
  reply.from(`${base}${asked.path.sent}${asked.query}`, {
    retryDelay: () => null,
    rewriteRequestHeaders: (_request, headers) => requestHeaders(headers, server.authorization),
    rewriteHeaders: (headers) => answerHeaders(headers, { ...place, isPage: isPage(asked.path) }),
    onError: (_reply, { error }) => {
      void request.raw.unpipe();
      void readAway(request, most).then((all) => {
        if (!all) reply.header('connection', 'close');
        sendProtocolError(reply, causeOf(error) ?? unreachable(server), parts.log);
      });
    },
  });
  await reply;
};

/** Lets a request that is not ours to serve go on to the server that we stand in front of, or refuses it. */
export const passOn = async (
  parts: DoorParts,
  given: { request: FastifyRequest; reply: FastifyReply; url: string },
  server: ModelServer,
  actor: Actor,
): Promise<'done' | 'not-served'> => {
  const { request, reply } = given;
  const asked = askedBy(request);
  const judgement = judge(request.method, asked.path);
  if (judgement.kind === 'refused') return 'not-served';
  await requireAllowed(parts, actor, judgement);
  if (asked.path.parts.length === 0 && !(request.raw.url ?? '').split('?')[0]?.endsWith('/')) {
    // The addresses within the page lead on from here.
    await reply.redirect(`${asked.prefix}/`);
    return 'done';
  }
  const mayEnd = async (): Promise<void> => {
    if (judgement.writes !== null) await requireOpen(parts, await parts.actorAgain(request), judgement);
  };
  await pass(parts, given, server, { asked, mayEnd });
  return 'done';
};
