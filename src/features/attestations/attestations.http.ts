import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { systemActor } from '../../kernel/actor.js';
import { parseInput } from '../../kernel/input.js';
import { maxPageSize } from '../../kernel/page.js';
import type { HttpParts, Routes } from '../../http/routes.js';
import {
  attestationBy,
  listAttestations,
  type AttestationView,
} from './attestations.queries/attestations.js';
import { publishedKeys, revocationList } from './attestations.queries/published.js';
import { deploymentReport, reportDeployment } from './attestations.records.js';

const question = z.strictObject({
  tree: z.string().optional(),
  model: z.string().optional(),
  version: z.coerce.number().optional(),
  alias: z.string().optional(),
  useCase: z.string().optional(),
  environment: z.string().optional(),
  first: z.coerce.number().max(maxPageSize).optional(),
  after: z.string().optional(),
});

/** What a list says of an attestation; the rest stands in the envelope, signed. */
const lineOf = (view: AttestationView): object => {
  const { id, number, modelName, version, alias, useCase, environment, state, notBefore, notAfter } = view;
  const { treeSha256 } = view;
  return {
    id,
    number,
    model: modelName,
    version,
    alias,
    useCase,
    environment,
    state,
    treeSha256,
    notBefore,
    notAfter,
    address: `/v1/attestations/${id}`,
  };
};

const list =
  (parts: HttpParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { tree, ...asked } = parseInput(question, request.query);
    const page = await parts.ask(listAttestations, actor, { ...asked, treeSha256: tree });
    const { hasNextPage, endCursor } = page.pageInfo;
    return reply
      .header('cache-control', 'no-store')
      .send({ attestations: page.nodes.map(lineOf), next: hasNextPage ? endCursor : null });
  };

const one =
  (parts: HttpParts) =>
  async (request: FastifyRequest<{ Params: { id: string } }>, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const { envelope } = await parts.ask(attestationBy, actor, { id: request.params.id });
    return reply
      .header('cache-control', 'private, max-age=3600')
      .type('application/vnd.dsse.envelope.v1+json')
      .send(envelope);
  };

const publisher = systemActor('door:attestations');

/** So long an answer is given out before another one is made; what is revoked meanwhile waits no longer than this. */
const keptForMs = 1000;

/** The same bytes for everybody who asks within a moment: strangers may ask as often as they like. */
const kept = (make: () => Promise<string>): (() => Promise<string>) => {
  let last: { answer: Promise<string>; at: number } | null = null;
  return () => {
    if (last !== null && Date.now() - last.at <= keptForMs) return last.answer;
    const fresh = { answer: make(), at: Date.now() };
    last = fresh;
    fresh.answer.catch(() => {
      if (last === fresh) last = null;
    });
    return fresh.answer;
  };
};

const report =
  (parts: HttpParts) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const actor = await parts.actorOf(request);
    const reported = await parts.record(reportDeployment, actor, parseInput(deploymentReport, request.body));
    return reply.code(202).header('cache-control', 'no-store').send(reported);
  };

/**
 * What leaves the house: keys and revocations are for everybody and say nothing of people or models; attestations
 * name models and uses, so they need a token. Runtimes report here what they run.
 */
export const attestationRoutes: Routes = (server, parts) => {
  const keys = kept(() => parts.ask(publishedKeys, publisher, {}));
  const revocations = kept(async () => (await parts.ask(revocationList, publisher, {})).envelope);
  server.get('/.well-known/countersign/keys.json', async (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=300')
      .type('application/json; charset=utf-8')
      .send(await keys()),
  );
  server.get('/v1/revocations', async (_request, reply) =>
    reply
      .header('cache-control', 'no-cache')
      .type('application/vnd.dsse.envelope.v1+json')
      .send(await revocations()),
  );
  server.get('/v1/attestations', list(parts));
  server.get('/v1/attestations/:id', one(parts));
  server.post('/v1/deployment-reports', report(parts));
};
