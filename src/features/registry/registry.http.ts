import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpParts, Routes } from '../../http/routes.js';
import { storeBody } from '../../http/upload.js';
import { recordArtifact } from './registry.commands/artifacts.js';
import { readArtifact, uploadAdmission } from './registry.queries.js';

interface ArtifactAddress {
  readonly Params: { readonly id: string; readonly '*': string };
}

const address = '/v1/model-versions/:id/artifacts/*';

const upload =
  (parts: HttpParts) =>
  async (request: FastifyRequest<ArtifactAddress>, reply: FastifyReply): Promise<unknown> => {
    // A refusal leaves the rest of the body unread, so the connection cannot be used again.
    reply.header('connection', 'close');
    const actor = await parts.actorOf(request);
    const place = { versionId: request.params.id, path: request.params['*'] };
    await parts.ask(uploadAdmission, actor, place);
    const stored = await storeBody(parts, request);
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
