import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { notFound } from '../../kernel/errors.js';
import type { HttpParts, Routes } from '../../http/routes.js';
import { fileKind, readReportFile } from './reports.queries/lists.js';

interface ReportAddress {
  readonly Params: { readonly file: string };
}

const mediaTypes = {
  pdf: 'application/pdf',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  json: 'application/json',
} as const;

const address = /^([0-9a-f-]{36})\.(pdf|xlsx|json)$/i;

const download =
  (parts: HttpParts) =>
  async (request: FastifyRequest<ReportAddress>, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const [, id, extension] = address.exec(request.params.file) ?? [];
    const kind = fileKind.safeParse(extension?.toLowerCase());
    if (id === undefined || !kind.success) throw notFound('The report');
    const file = await parts.ask(readReportFile, actor, { id, file: kind.data });
    const content = await parts.outside.artifacts.open(file.sha256);
    return reply
      .header('content-type', mediaTypes[kind.data])
      .header('content-disposition', `attachment; filename="${file.name}"`)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'private, no-store')
      .header('content-sha256', file.sha256)
      .send(Readable.from(content));
  };

/** Reports by stream: `GET /v1/reports/<id>.pdf`, `.xlsx`, and `.json` for the data they show. Each leaves a trace. */
export const reportRoutes: Routes = (server, parts) => {
  server.get<ReportAddress>('/v1/reports/:file', download(parts));
};
