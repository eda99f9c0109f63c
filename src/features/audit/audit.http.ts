import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor } from '../../kernel/actor.js';
import { parseInput } from '../../kernel/input.js';
import type { HttpParts, Routes } from '../../http/routes.js';
import { exportAudit, type ExportPart } from './audit.queries.js';

const time = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a date or a time such as 2026-11-23T09:00:00Z',
  })
  .transform((text) => new Date(text));

const question = z.strictObject({ from: time.optional(), to: time.optional() });

/** One line per event; the last line says that this is all, so that an export that was cut off can be told. */
async function* linesOf(
  parts: HttpParts,
  actor: Actor,
  from: Date | undefined,
  first: ExportPart,
): AsyncGenerator<string> {
  const { to } = first;
  let events = 0;
  for (let part = first; ;) {
    events += part.lines.length;
    yield part.lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    if (part.next === null) break;
    part = await parts.ask(exportAudit, actor, { from, to, after: part.next });
  }
  yield `${JSON.stringify({ end: true, events, from: from ?? null, to })}\n`;
}

const download =
  (parts: HttpParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { from, to } = parseInput(question, request.query);
    const first = await parts.ask(exportAudit, actor, { from, to });
    return reply
      .header('content-type', 'application/jsonl; charset=utf-8')
      .header('content-disposition', 'attachment; filename="audit.jsonl"')
      .header('cache-control', 'no-store')
      .send(Readable.from(linesOf(parts, actor, from, first)));
  };

/** The trail of a period as JSON Lines, streamed: `GET /v1/audit.jsonl?from&to`. Leaves a trace. */
export const auditRoutes: Routes = (server, parts) => {
  server.get('/v1/audit.jsonl', download(parts));
};
