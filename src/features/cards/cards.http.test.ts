import { createHash } from 'node:crypto';
import { fastify, type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerErrors } from '../../http/errors.js';
import { recordingRunner } from '../../kernel/record.js';
import type { Actor } from '../../kernel/actor.js';
import { AppError } from '../../kernel/errors.js';
import { givenUseCase, givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { cardRoutes } from './cards.http.js';
import { updateCard } from './index.js';

let app: TestApp;
let server: FastifyInstance;
const actors = new Map<string, Actor>();

beforeAll(async () => {
  app = await testApp();
  const { run, ask, record, access, outside, log } = app;
  server = fastify();
  answerErrors(server, log);
  const actorOf = (request: { headers: Record<string, unknown> }): Promise<Actor> => {
    const actor = actors.get(String(request.headers['x-actor']));
    return actor ? Promise.resolve(actor) : Promise.reject(new AppError('UNAUTHENTICATED', 'Sign in first'));
  };
  const asked = { actorOf, actorAgain: actorOf, record: recordingRunner(record) };
  cardRoutes(server, { run, ask, access, outside, log, ...asked, artifactMaxBytes: 1 });
  actors.set('auditor', await app.actor('auditor'));
  const workspaceId = await app.otherWorkspace();
  actors.set('stranger', await app.actor('auditor', { name: 'stranger', workspaceId }));
  actors.set('tool', app.service());
});
afterAll(() => server.close());

const EXPORT = `query ($versionId: ID!, $useCaseId: ID!, $format: CardFormat!) {
  exportCard(versionId: $versionId, useCaseId: $useCaseId, format: $format) { fileName mediaType content sha256 revision } }`;

const given = async (): Promise<{ versionId: string; useCaseId: string }> => {
  const { versionId } = await givenVersion(app);
  return { versionId, useCaseId: await givenUseCase(app) };
};

describe('an export', () => {
  test('over GraphQL holds the card and leaves its digest in the trail', async () => {
    const place = await given();
    const fields = [{ name: 'intendedUse', value: 'Routing *only*' }];
    const { id } = await app.run(updateCard, await app.actor('engineer'), { ...place, fields });
    const auditor = await app.actor('auditor');

    interface Answer {
      exportCard: { fileName: string; content: string; sha256: string; revision: number };
    }
    const { data } = await app.graphql<Answer>(auditor, EXPORT, { ...place, format: 'HUGGING_FACE' });

    const { content = '', ...rest } = data?.exportCard ?? {};
    expect(content).toContain('Routing \\*only\\*');
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(rest).toMatchObject({ fileName: 'README.md', sha256, revision: 1 });
    expect((await app.trail(id)).at(-1)).toEqual({
      command: 'card.export',
      outcome: 'read',
      actorId: auditor.id,
    });
  });

  test.each([
    ['README.md', 'text/markdown; charset=utf-8', '---\n'],
    ['model-card.json', 'application/json; charset=utf-8', '{\n  "schema_version"'],
    ['bom-1.6.cdx.json', 'application/vnd.cyclonedx+json; version="1.6"', '{\n  "bomFormat"'],
    ['bom-1.7.cdx.json', 'application/vnd.cyclonedx+json; version="1.7"', '{\n  "bomFormat"'],
  ])('over HTTP as %s is saved and not shown', async (file, mediaType, start) => {
    const { versionId, useCaseId } = await given();
    const url = `/v1/model-cards/${versionId}/${useCaseId}/${file}`;

    const response = await server.inject({ url, headers: { 'x-actor': 'auditor' } });

    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': mediaType,
      'content-disposition': `attachment; filename="${file}"`,
      'x-content-type-options': 'nosniff',
      'content-sha256': createHash('sha256').update(response.body).digest('hex'),
    });
    expect(response.body.startsWith(start)).toBe(true);
    expect((await app.trail(versionId)).at(-1)).toMatchObject({ command: 'card.export', outcome: 'read' });
  });

  test.each([
    ['without signing in', 'nobody', 'README.md', 401],
    ['by a machine that may not read cards', 'tool', 'README.md', 403],
    ['from another workspace', 'stranger', 'README.md', 404],
    ['in a form that is none', 'auditor', 'card.exe', 404],
  ])('over HTTP is refused %s', async (_, actor, file, status) => {
    const { versionId, useCaseId } = await given();
    const url = `/v1/model-cards/${versionId}/${useCaseId}/${file}`;
    expect((await server.inject({ url, headers: { 'x-actor': actor } })).statusCode).toBe(status);
  });

  test('over GraphQL is refused for a use case of nowhere', async () => {
    const variables = { ...(await given()), useCaseId: crypto.randomUUID(), format: 'GOOGLE' };
    expect((await app.graphql(await app.actor('auditor'), EXPORT, variables)).code).toBe('NOT_FOUND');
  });

  test('over HTTP is refused for an address that is none', async () => {
    for (const id of ['x', '..%2f..%2fetc%2fpasswd', '%00']) {
      const url = `/v1/model-cards/${id}/${id}/README.md`;
      const { statusCode } = await server.inject({ url, headers: { 'x-actor': 'auditor' } });
      expect([400, 404]).toContain(statusCode);
    }
  });
});
