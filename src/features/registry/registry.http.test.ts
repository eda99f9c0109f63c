import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fastify, type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../kernel/actor.js';
import { recordingRunner } from '../../kernel/record.js';
import { AppError } from '../../kernel/errors.js';
import { answerErrors } from '../../http/errors.js';
import { givenModel } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createModelVersion, submitModelVersion } from './index.js';
import { registryRoutes } from './registry.http.js';

const maxBytes = 100_000;

let app: TestApp;
let server: FastifyInstance;
let origin = '';
let versionId = '';
let modelId = '';
const actors = new Map<string, Actor>();

beforeAll(async () => {
  app = await testApp();
  for (const role of ['engineer', 'validator', 'auditor'] as const) actors.set(role, await app.actor(role));
  const workspaceId = await app.otherWorkspace();
  actors.set('stranger', await app.actor('engineer', { name: 'stranger', workspaceId }));
  actors.set('tool', app.service());
  server = fastify();
  answerErrors(server, app.log);
  const { run, ask, access, outside, log } = app;
  const actorOf = (request: { headers: Record<string, unknown> }): Promise<Actor> => {
    const actor = actors.get(String(request.headers['x-actor']));
    return actor ? Promise.resolve(actor) : Promise.reject(new AppError('UNAUTHENTICATED', 'Sign in first'));
  };
  registryRoutes(server, {
    run,
    ask,
    record: recordingRunner(app.record),
    access,
    outside,
    log,
    actorOf,
    actorAgain: actorOf,
    artifactMaxBytes: maxBytes,
  });
  origin = await server.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(() => server.close());

beforeEach(async () => {
  modelId = await givenModel(app, 'EXTERNAL');
  ({ id: versionId } = await app.run(createModelVersion, await app.actor('engineer'), { modelId }));
});

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
const addressOf = (path: string, id = versionId): string =>
  `${origin}/v1/model-versions/${id}/artifacts/${path}`;

const put = async (
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
  id = versionId,
) => {
  const response = await fetch(addressOf(path, id), {
    method: 'PUT',
    body,
    headers: { 'x-actor': 'engineer', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

const paths = async (): Promise<string[]> => {
  const READ = `query ($id: ID!) { modelVersion(id: $id) { artifacts { path } } }`;
  const { data } = await app.graphql<{ modelVersion: { artifacts: { path: string }[] } }>(
    await app.actor('auditor'),
    READ,
    { id: versionId },
  );
  return data?.modelVersion.artifacts.map(({ path }) => path) ?? [];
};

const incoming = (): Promise<string[]> => readdir(join(app.folder, 'artifacts', 'incoming'));

test('an artifact goes up and comes down as it was, and both stand in the trail', async () => {
  const content = 'rows\n'.repeat(1000);

  const up = await put('data/rows.csv', content, {
    'content-type': 'text/csv',
    'content-sha256': sha256(content),
  });
  const down = await fetch(addressOf('data/rows.csv'), { headers: { 'x-actor': 'auditor' } });

  expect(up).toMatchObject({
    status: 201,
    body: { path: 'data/rows.csv', sha256: sha256(content), bytes: 5000 },
  });
  expect(await down.text()).toBe(content);
  expect(Object.fromEntries(down.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-sha256': sha256(content),
    'content-length': '5000',
    'content-disposition': "attachment; filename*=UTF-8''rows.csv",
    'x-content-type-options': 'nosniff',
  });
  expect(await app.trail(String(up.body['id']))).toEqual([
    { command: 'artifact.upload', outcome: 'done', actorId: actors.get('engineer')?.id },
    { command: 'artifact.read', outcome: 'read', actorId: actors.get('auditor')?.id },
  ]);
});

test('json, text and an empty file are stored as they are', async () => {
  await put('a.json', '{"a": 1}', { 'content-type': 'application/json' });
  await put('b.txt', 'text', { 'content-type': 'text/plain' });
  await put('c.bin', '');

  expect(await paths()).toEqual(['a.json', 'b.txt', 'c.bin']);
  expect(await (await fetch(addressOf('a.json'), { headers: { 'x-actor': 'engineer' } })).text()).toBe(
    '{"a": 1}',
  );
});

test('a path may have spaces and letters of any script', async () => {
  await put(encodeURIComponent('Modèle größe.txt'), 'x');

  expect(await paths()).toEqual(['Modèle größe.txt']);
});

test('the same upload again is fine and changes nothing', async () => {
  const one = await put('a.txt', 'same');
  const two = await put('a.txt', 'same');

  expect([one.status, two.status, two.body['id']]).toEqual([201, 201, one.body['id']]);
  expect(await app.trail(String(one.body['id']))).toHaveLength(1);
});

describe('an upload is refused and leaves nothing', () => {
  const big = 'x'.repeat(maxBytes + 1);
  test.each([
    ['nobody', 'a.txt', 'x', { 'x-actor': 'nobody' }, 401, 'UNAUTHENTICATED'],
    ['a validator', 'a.txt', 'x', { 'x-actor': 'validator' }, 403, 'FORBIDDEN'],
    ['a service account without the right', 'a.txt', 'x', { 'x-actor': 'tool' }, 403, 'FORBIDDEN'],
    ['a person of another workspace', 'a.txt', 'x', { 'x-actor': 'stranger' }, 404, 'NOT_FOUND'],
    ['another digest', 'a.txt', 'x', { 'content-sha256': sha256('y') }, 400, 'INVALID_INPUT'],
    ['a digest that is none', 'a.txt', 'x', { 'content-sha256': 'abc' }, 400, 'INVALID_INPUT'],
    ['too large a file', 'a.txt', big, {}, 400, 'INVALID_INPUT'],
    ['a path that leads out', '..%2F..%2Fetc%2Fpasswd', 'x', {}, 400, 'INVALID_INPUT'],
    ['an absolute path', '%2Fetc%2Fpasswd', 'x', {}, 400, 'INVALID_INPUT'],
    ['a backslash', 'a%5Cb', 'x', {}, 400, 'INVALID_INPUT'],
    ['a control character', 'a%00b', 'x', {}, 400, 'INVALID_INPUT'],
    ['a path of 301 characters', 'a'.repeat(301), 'x', {}, 400, 'INVALID_INPUT'],
    ['no path', '', 'x', {}, 400, 'INVALID_INPUT'],
  ])('from or with %s', async (_, path, body, headers, status, code) => {
    const answer = await put(path, body, headers);

    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(await paths()).toEqual([]);
    expect(await incoming()).toEqual([]);
    expect(await app.outside.artifacts.has(sha256(big))).toBe(false);
  });

  test('into a version that does not exist', async () => {
    expect((await put('a.txt', 'x', {}, crypto.randomUUID())).status).toBe(404);
    expect((await put('a.txt', 'x', {}, 'no-uuid')).body).toMatchObject({ error: { code: 'INVALID_INPUT' } });
  });

  test('after the version was submitted', async () => {
    await app.run(submitModelVersion, await app.actor('engineer'), { versionId });

    expect(await put('a.txt', 'x')).toMatchObject({
      status: 409,
      body: { error: { code: 'CONFLICT', details: { rule: 'artifacts-closed' } } },
    });
  });

  test('when its version is submitted while it runs', async () => {
    const upload = slowly('a.txt');
    upload.write('first half');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await app.run(submitModelVersion, await app.actor('engineer'), { versionId });
    upload.end(' second half');

    expect(await upload.status).toBe(409);
    expect(await paths()).toEqual([]);
  });

  test('when its token is revoked while it runs', async () => {
    actors.set('leaver', await app.actor('engineer', { name: 'leaver' }));
    const upload = slowly('a.txt', 'leaver');
    upload.write('first half');
    await expect.poll(incoming).toHaveLength(1);
    actors.delete('leaver');
    upload.end(' second half');

    expect(await upload.status).toBe(401);
    expect(await paths()).toEqual([]);
  });

  test('when it grows too large without having said so', async () => {
    const upload = slowly('a.txt');
    upload.write('x'.repeat(maxBytes));
    upload.end('y');

    expect(await upload.status).toBe(400);
    expect(await incoming()).toEqual([]);
  });

  test('when it is cut off', async () => {
    const upload = slowly('a.txt');
    upload.write('first half');
    await expect.poll(incoming).toHaveLength(1);
    upload.destroy();

    await expect.poll(incoming).toEqual([]);
    expect(await upload.status).toBe(0);
    expect(await paths()).toEqual([]);
    expect(await app.outside.artifacts.has(sha256('first half'))).toBe(false);
  });
});

test('a refused actor is told before the body is sent', async () => {
  const upload = slowly('a.txt', 'validator');

  // Not one byte of the body goes out.
  upload.flushHeaders();

  expect(await upload.status).toBe(403);
  upload.destroy();
});

/** An upload by hand, in pieces; status 0 when the connection broke. */
const slowly = (path: string, actor = 'engineer') => {
  const { port } = new URL(origin);
  const headers = { 'x-actor': actor, 'transfer-encoding': 'chunked' };
  const place = `/v1/model-versions/${versionId}/artifacts/${path}`;
  const upload = httpRequest({ host: '127.0.0.1', port, path: place, method: 'PUT', headers });
  const status = new Promise<number>((resolve) => {
    upload.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    upload.on('error', () => {
      resolve(0);
    });
  });
  return Object.assign(upload, { status });
};

describe('a download is refused', () => {
  test.each([
    ['for nobody', 'a.txt', 'nobody', 401],
    ['for a service account without the right', 'a.txt', 'tool', 403],
    ['from another workspace', 'a.txt', 'stranger', 404],
    ['of what is not there', 'b.txt', 'auditor', 404],
    ['of a path that leads out', '..%2Fa.txt', 'auditor', 400],
  ])('%s', async (_, path, actor, status) => {
    await put('a.txt', 'x');

    expect((await fetch(addressOf(path), { headers: { 'x-actor': actor } })).status).toBe(status);
  });
});

test('large uploads are never held in memory', async () => {
  const wide = fastify();
  answerErrors(wide, app.log);
  const { run, ask, access, outside, log } = app;
  const actorOf = (): Promise<Actor> => app.actor('engineer');
  registryRoutes(wide, {
    run,
    ask,
    record: recordingRunner(app.record),
    access,
    outside,
    log,
    actorOf,
    actorAgain: actorOf,
    artifactMaxBytes: 1e9,
  });
  const address = await wide.listen({ host: '127.0.0.1', port: 0 });
  const chunk = Buffer.alloc(1_048_576, 7);
  let sent = 0;
  let peak = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
      if (sent === 256) controller.close();
      else controller.enqueue(chunk);
      sent += 1;
    },
  });
  const before = process.memoryUsage().arrayBuffers;

  const response = await fetch(`${address}/v1/model-versions/${versionId}/artifacts/big.bin`, {
    method: 'PUT',
    body,
    duplex: 'half',
  } as RequestInit);
  await wide.close();

  expect(await response.json()).toMatchObject({ bytes: 256 * 1_048_576 });
  expect(peak - before).toBeLessThan(128 * 1_048_576);
});
