import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { DoorParts } from '../../../http/server.js';
import { AppError, conflict, notFound } from '../../../kernel/errors.js';
import { parseInput } from '../../../kernel/input.js';
import type { StoredArtifact } from '../../../kernel/ports.js';
import { putTrackedFile, removeTrackedFiles, type FileOwner } from '../../tracking/index.js';
import { fileAt, filesIn, uploadPlace, type FilesOf } from '../mlflow.queries/files.js';
import { placeOf } from './places.js';
import { optional } from './route.js';

interface Address {
  readonly Params: { readonly '*': string };
}

const prefix = '/api/2.0/mlflow-artifacts';

const pathOf = (request: FastifyRequest<Address>): string => parseInput(z.string(), request.params['*']);

const grace = 64 * 1_048_576;

/**
 * A client that is told something while it still sends reads it only when all is sent, or not at all; then it begins
 * anew, seven times. What is refused is therefore read to its end and thrown away, within reason; false when it was
 * more than that.
 */
export const readAway = ({ raw }: FastifyRequest, most: number): Promise<boolean> =>
  new Promise((resolve) => {
    if (raw.readableEnded || raw.destroyed) {
      resolve(true);
      return;
    }
    let bytes = 0;
    raw.on('data', (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes <= most + grace) return;
      raw.pause();
      resolve(false);
    });
    // Whoever left needs no answer.
    for (const end of ['end', 'close', 'error']) raw.once(end, () => resolve(true));
    // It may have been held up by whoever read it before.
    raw.resume();
  });

const requireOwner = (of: FilesOf): FileOwner => {
  if (of.kind !== 'version') return { kind: of.kind, id: of.id };
  throw closed();
};

const closed = (): AppError =>
  conflict('These artifacts are closed: what was registered or is READY is never changed', {
    rule: 'artifacts-closed',
  });

const store = async (
  { outside, artifactMaxBytes: maxBytes }: DoorParts,
  { raw }: FastifyRequest,
): Promise<StoredArtifact> =>
  outside.artifacts.put(raw, { maxBytes, mayFree: true }).catch((error: unknown) => {
    if (error instanceof AppError || raw.complete) throw error;
    throw new AppError('INVALID_INPUT', 'The upload was cut off; nothing was kept. Send it again.', {
      rule: 'cut-off',
    });
  });

const mediaTypeOf = ({ headers }: FastifyRequest): string =>
  (headers['content-type'] ?? 'application/octet-stream').slice(0, 200);

/** Everything that can be known before the first byte is stored. */
const admit = async (
  parts: DoorParts,
  request: FastifyRequest<Address>,
): Promise<{ owner: FileOwner; path: string }> => {
  const actor = await parts.actorOf(request);
  const { of, path, experiment } = placeOf(pathOf(request));
  if (path === '')
    throw new AppError('INVALID_INPUT', 'The path names no file', {
      fields: [{ path: 'path', message: 'is empty' }],
    });
  const owner = requireOwner(of);
  const { open, number } = await parts.ask(uploadPlace, actor, { of });
  if (number !== experiment) throw notFound('The place of these artifacts');
  if (!open) throw closed();
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > parts.artifactMaxBytes) {
    throw new AppError(
      'INVALID_INPUT',
      `The file is too large: at most ${String(parts.artifactMaxBytes)} bytes are accepted`,
      {
        rule: 'artifact-size',
      },
    );
  }
  return { owner, path };
};

const upload =
  (parts: DoorParts) =>
  async (request: FastifyRequest<Address>, reply: FastifyReply): Promise<unknown> => {
    try {
      const { owner, path } = await admit(parts, request);
      const stored = await store(parts, request);
      // An upload may take an hour, in which a token was revoked or a role was taken.
      const stillThem = await parts.actorAgain(request);
      await parts.run(putTrackedFile, stillThem, { owner, path, ...stored, mediaType: mediaTypeOf(request) });
      return await reply.send({});
    } catch (error) {
      if (!(await readAway(request, parts.artifactMaxBytes))) reply.header('connection', 'close');
      throw error;
    }
  };

const download =
  (parts: DoorParts) =>
  async (request: FastifyRequest<Address>, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const place = placeOf(pathOf(request));
    if (place.path === '') throw notFound('A file at this path');
    const file = await parts.ask(fileAt, actor, { of: place.of, path: place.path });
    const content = await parts.outside.artifacts.open(file.sha256, { reuse: true });
    const name = encodeURIComponent(place.path.slice(place.path.lastIndexOf('/') + 1));
    // Never shown by a browser, whatever the uploader called it.
    reply
      .header('content-type', 'application/octet-stream')
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .header('content-length', file.bytes)
      .header('x-content-type-options', 'nosniff')
      .header('etag', `"${file.sha256}"`);
    return sendPieces(reply, content);
  };

/** Sends piece by piece; each is on its way before the next is asked for, because its memory is used again. */
const sendPieces = async (reply: FastifyReply, content: AsyncIterable<Uint8Array>): Promise<FastifyReply> => {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) raw.setHeader(name, value);
  try {
    for await (const piece of content) {
      if (raw.destroyed) break;
      await sent(raw, piece);
    }
    raw.end();
  } catch {
    // Too late for an answer: a length was promised, and its absence says that something went wrong.
    raw.destroy();
  }
  return reply;
};

const sent = (raw: ServerResponse, piece: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    // Whoever left in the middle is told nothing; the loop sees that the connection is gone.
    raw.write(piece, () => {
      resolve();
    });
  });

const list =
  (parts: DoorParts) =>
  async (request: FastifyRequest): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { path } = parseInput(z.object({ path: optional(2000) }), request.query);
    if (!path) throw notFound('The place of these artifacts');
    const place = placeOf(path);
    return { files: await parts.ask(filesIn, actor, { of: place.of, folder: place.path }) };
  };

const remove =
  (parts: DoorParts) =>
  async (request: FastifyRequest<Address>): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { of, path } = placeOf(pathOf(request));
    if (path === '') throw new AppError('INVALID_INPUT', 'The path names no file or folder', { fields: [] });
    await parts.run(removeTrackedFiles, actor, { owner: requireOwner(of), path });
    return {};
  };

const declineParts = (): never => {
  // Clients look for this sentence, and then send the file in one piece.
  throw new AppError(
    'INVALID_INPUT',
    'Multipart upload is not supported for the current artifact repository',
    {
      rule: 'one-piece',
    },
  );
};

/** Files by stream: listed, fetched, put to what is still open. */
export const artifactRoutes = (server: FastifyInstance, parts: DoorParts): void => {
  // Bodies are files of any type here: handed on as they come, never parsed or held.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.put<Address>(`${prefix}/artifacts/*`, upload(parts));
  server.get<Address>(`${prefix}/artifacts/*`, download(parts));
  server.get(`${prefix}/artifacts`, list(parts));
  server.delete<Address>(`${prefix}/artifacts/*`, remove(parts));
  for (const verb of ['create', 'complete', 'abort']) server.post(`${prefix}/mpu/${verb}/*`, declineParts);
};
