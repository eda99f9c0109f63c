import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.js';
import type { StoredArtifact } from '../../kernel/ports.js';
import type { HttpParts, Routes } from '../../http/routes.js';
import { recordArtifact } from './registry.commands/artifacts.js';
import { readArtifact, uploadAdmission } from './registry.queries.js';

interface ArtifactAddress {
  readonly Params: { readonly id: string; readonly '*': string };
}

const address = '/v1/model-versions/:id/artifacts/*';

/** The digest that the client expects, from `content-sha256`. */
const expectedDigest = (request: FastifyRequest): string | undefined => {
  const header = request.headers['content-sha256'];
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[0-9a-f]{64}$/i.test(header)) return header.toLowerCase();
  throw new AppError('INVALID_INPUT', 'The header content-sha256 must be 64 hexadecimal digits', {
    fields: [{ path: 'content-sha256', message: 'must be 64 hexadecimal digits' }],
  });
};

const requireSize = (request: FastifyRequest, maxBytes: number): void => {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced <= maxBytes) return;
  throw new AppError(
    'INVALID_INPUT',
    `The file is too large: at most ${String(maxBytes)} bytes are accepted`,
    {
      rule: 'artifact-size',
      maxBytes,
    },
  );
};

/** What ends before its time is the client's doing, not a fault of ours. */
const store = async (
  { outside, artifactMaxBytes: maxBytes }: HttpParts,
  { raw }: FastifyRequest,
  expectedSha256: string | undefined,
): Promise<StoredArtifact> =>
  outside.artifacts.put(raw, { maxBytes, expectedSha256 }).catch((error: unknown) => {
    if (error instanceof AppError || raw.complete) throw error;
    throw new AppError('INVALID_INPUT', 'The upload was cut off; nothing was kept. Send it again.', {
      rule: 'cut-off',
    });
  });

const upload =
  (parts: HttpParts) =>
  async (request: FastifyRequest<ArtifactAddress>, reply: FastifyReply): Promise<unknown> => {
    // A refusal leaves the rest of the body unread, so the connection cannot be used again.
    reply.header('connection', 'close');
    const actor = await parts.actorOf(request);
    const place = { versionId: request.params.id, path: request.params['*'] };
    await parts.ask(uploadAdmission, actor, place);
    requireSize(request, parts.artifactMaxBytes);
    const expectedSha256 = expectedDigest(request);
    const stored = await store(parts, request, expectedSha256);
    const mediaType = (request.headers['content-type'] ?? 'application/octet-stream').slice(0, 200);
    // An upload may take an hour, in which a token was revoked or a role was taken.
    const stillThem = await parts.actorAgain(request);
    const artifact = await parts.run(recordArtifact, stillThem, { ...place, ...stored, mediaType });
    reply.removeHeader('connection');
    return reply.code(201).send(artifact);
  };

const download =
  (parts: HttpParts) =>
  async (request: FastifyRequest<ArtifactAddress>, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const place = { versionId: request.params.id, path: request.params['*'] };
    const artifact = await parts.ask(readArtifact, actor, place);
    const content = await parts.outside.artifacts.open(artifact.sha256);
    const name = encodeURIComponent(artifact.path.slice(artifact.path.lastIndexOf('/') + 1));
    // Never shown by a browser, whatever the uploader called it.
    return reply
      .header('content-type', 'application/octet-stream')
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .header('content-length', artifact.bytes)
      .header('x-content-type-options', 'nosniff')
      .header('content-sha256', artifact.sha256)
      .header('etag', `"${artifact.sha256}"`)
      .send(Readable.from(content));
  };

/** Artifacts by stream: `PUT` puts one into an open version, `GET` fetches one and leaves a trace. */
export const registryRoutes: Routes = (server, parts) => {
  // Bodies are files of any type here: handed on as they come, never parsed or held.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.put<ArtifactAddress>(address, upload(parts));
  server.get<ArtifactAddress>(address, download(parts));
};
