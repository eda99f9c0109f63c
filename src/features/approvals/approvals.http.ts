import { z } from 'zod';
import { parseInput } from '../../kernel/input.js';
import type { Routes } from '../../http/routes.js';
import { aliasName } from '../registry/index.js';
import { promotionAsSarif } from './approvals.queries/promotion-check.js';

const path = z.object({ versionId: z.uuid() });
const question = z.strictObject({ alias: aliasName, useCaseId: z.uuid() });

/** `GET /v1/model-versions/:versionId/promotion.sarif?alias&useCaseId`: what refuses a promotion, for a pipeline. */
export const approvalRoutes: Routes = (server, { ask, actorOf }) => {
  server.get('/v1/model-versions/:versionId/promotion.sarif', async (request, reply) => {
    const actor = await actorOf(request);
    const { versionId } = parseInput(path, request.params);
    const asked = parseInput(question, request.query);
    const log = await ask(promotionAsSarif, actor, { versionId, ...asked });
    return reply
      .header('content-type', 'application/sarif+json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(log));
  });
};
