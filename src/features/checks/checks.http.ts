import { z } from 'zod';
import { parseInput } from '../../kernel/input.js';
import type { Routes } from '../../http/routes.js';
import { checksAsSarif } from './checks.queries.js';

const path = z.object({ versionId: z.uuid() });
const question = z.strictObject({ useCaseId: z.uuid() });

/** `GET /v1/model-versions/:versionId/checks.sarif?useCaseId`: what does not pass, for a pipeline. */
export const checkRoutes: Routes = (server, { ask, actorOf }) => {
  server.get('/v1/model-versions/:versionId/checks.sarif', async (request, reply) => {
    const actor = await actorOf(request);
    const { versionId } = parseInput(path, request.params);
    const { useCaseId } = parseInput(question, request.query);
    const log = await ask(checksAsSarif, actor, { versionId, useCaseId });
    return reply
      .header('content-type', 'application/sarif+json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(log));
  });
};
