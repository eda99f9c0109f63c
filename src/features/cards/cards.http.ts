import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../../kernel/errors.js';
import { isUuid } from '../../kernel/id.js';
import type { HttpParts, Routes } from '../../http/routes.js';
import { exportCard } from './exports.queries.js';
import { cardForms, cardFormat, type CardFormat } from './exports/index.js';

interface CardAddress {
  readonly Params: { readonly versionId: string; readonly useCaseId: string; readonly file: string };
}

const formatOf = (file: string): CardFormat => {
  const found = cardFormat.options.find((format) => cardForms[format].file === file);
  if (found === undefined) throw notFound('This form of the card');
  return found;
};

const download =
  (parts: HttpParts) =>
  async (request: FastifyRequest<CardAddress>, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { versionId, useCaseId, file } = request.params;
    const format = formatOf(file);
    if (!isUuid(versionId) || !isUuid(useCaseId)) throw notFound('The version of the model');
    const card = await parts.ask(exportCard, actor, { versionId, useCaseId, format });
    // Saved and never shown: a card holds what people wrote.
    return reply
      .header('content-type', card.mediaType)
      .header('content-disposition', `attachment; filename="${card.fileName}"`)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'private, no-store')
      .header('content-sha256', card.sha256)
      .send(Buffer.from(card.content));
  };

/**
 * Cards as documents: `GET /v1/model-cards/<version>/<use case>/README.md`, `model-card.json`, `bom-1.6.cdx.json` and
 * `bom-1.7.cdx.json`. Each leaves a trace.
 */
export const cardRoutes: Routes = (server, parts) => {
  server.get<CardAddress>('/v1/model-cards/:versionId/:useCaseId/:file', download(parts));
};
