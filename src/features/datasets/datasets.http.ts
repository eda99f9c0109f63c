import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpParts, Routes } from '../../http/routes.js';
import { storeBody } from '../../http/upload.js';
import { recordDatasetContent } from './datasets.commands/versions.js';
import { contentAdmission } from './datasets.queries.js';

interface ContentAddress {
  readonly Params: { readonly id: string };
}

const upload =
  (parts: HttpParts) =>
  async (request: FastifyRequest<ContentAddress>, reply: FastifyReply): Promise<unknown> => {
    // A refusal leaves the rest of the body unread, so the connection cannot be used again.
    reply.header('connection', 'close');
    const actor = await parts.actorOf(request);
    const datasetVersionId = request.params.id;
    await parts.ask(contentAdmission, actor, { datasetVersionId });
    const { sha256, bytes } = await storeBody(parts, request);
    // An upload may take an hour, in which a token was revoked or a role was taken.
    const stillThem = await parts.actorAgain(request);
    const recorded = await parts.run(recordDatasetContent, stillThem, { datasetVersionId, sha256, bytes });
    reply.removeHeader('connection');
    return reply.code(201).send({ ...recorded, bytes });
  };

/** The content of a version of a data set, by stream: CSV, CSV packed with gzip, or Parquet. */
export const datasetRoutes: Routes = (server, parts) => {
  // Bodies are files of any type here: handed on as they come, never parsed or held.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.put<ContentAddress>('/v1/dataset-versions/:id/content', upload(parts));
};
