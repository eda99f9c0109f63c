import { beforeAll, expect, test } from 'vitest';
import { testDoor, type TestDoor } from '../../testing/door.js';
import { givenAttested, type GivenAttested } from '../../testing/given-attestation.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import type { Actor } from '../../kernel/actor.js';
import { attestationRoutes } from './attestations.http.js';
import { readKeys } from './proof/keys.js';
import { readRevocations } from './proof/revocations.js';
import { readAttestation } from './proof/statement.js';

let app: TestApp;
let door: TestDoor;
let given: GivenAttested;
beforeAll(async () => {
  app = await testApp();
  door = await testDoor(app, { routes: [attestationRoutes] });
  given = await givenAttested(app);
});

const get = (path: string, actor: Actor | null = null): Promise<Response> =>
  fetch(`${door.address}${path}`, { headers: door.headersOf(actor) });
const bytesOf = async (path: string, actor: Actor | null = null): Promise<Buffer> =>
  Buffer.from(await (await get(path, actor)).arrayBuffer());

test('keys and revocations are for everybody, an attestation is for who has a token', async () => {
  const keys = readKeys(await bytesOf('/.well-known/countersign/keys.json'));
  const list = readRevocations(await bytesOf('/v1/revocations'), keys);
  const path = `/v1/attestations/${given.attestation.id}`;
  const { predicate } = readAttestation(await bytesOf(path, app.service()), keys);

  expect(keys.issuer).toBe('https://countersign.test');
  expect(list.revoked).toEqual([]);
  expect(predicate.attestation).toBe(given.attestation.id);
  expect((await get(path)).status).toBe(401);
  expect((await get('/v1/attestations')).status).toBe(401);
  const workspaceId = await app.otherWorkspace();
  expect((await get(path, app.service({ workspaceId }))).status).toBe(404);
  expect((await get(path, app.service({ scopes: ['decision:request'] }))).status).toBe(403);
});

test('an attestation is given out byte for byte as it was signed', async () => {
  const response = await get(`/v1/attestations/${given.attestation.id}`, app.service());

  expect(response.headers.get('content-type')).toContain('application/vnd.dsse.envelope.v1+json');
  expect(await response.text()).toBe(given.attestation.envelope);
});

test('attestations are found by the digest of a folder, model, version, alias, use and environment', async () => {
  const { treeSha256, modelName, useCase } = given.attestation;
  const found = async (query: Record<string, string>): Promise<unknown[]> => {
    const response = await get(`/v1/attestations?${new URLSearchParams(query).toString()}`, app.service());
    return ((await response.json()) as { attestations: unknown[] }).attestations;
  };
  const all = {
    tree: treeSha256,
    model: modelName,
    version: '2',
    alias: 'champion',
    useCase,
    environment: 'production',
  };

  expect(await found(all)).toMatchObject([{ id: given.attestation.id, state: 'VALID' }]);
  for (const name of Object.keys(all)) {
    const wrong = { tree: 'f'.repeat(64), version: '99' }[name] ?? 'other';
    expect([name, await found({ ...all, [name]: wrong })]).toEqual([name, []]);
  }
});

test.each([
  ['/v1/attestations/none', 400],
  ['/v1/attestations/00000000-0000-7000-8000-000000000000', 404],
  ['/v1/attestations?first=1000000', 400],
  ['/v1/attestations?version=x', 400],
  ['/v1/attestations?tree=..%2F..', 400],
  ['/v1/attestations?surprise=1', 400],
  ['/v1/attestations?model=a%00b', 400],
])('%s answers %i', async (path, status) => {
  expect((await get(path, app.service())).status).toBe(status);
});

test('a runtime reports over HTTP and learns how it stands', async () => {
  const send = (body: string, actor: Actor | null = app.service()): Promise<Response> =>
    fetch(`${door.address}/v1/deployment-reports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...door.headersOf(actor) },
      body,
    });
  const { treeSha256, modelName } = given.attestation;
  const report = {
    model: modelName,
    alias: 'champion',
    instance: 'one',
    digests: [treeSha256],
    at: new Date(),
  };

  const accepted = await send(JSON.stringify(report));
  expect([accepted.status, await accepted.json()]).toEqual([
    202,
    expect.objectContaining({ state: 'IN_SYNC' }) as unknown,
  ]);
  expect((await send(JSON.stringify(report), null)).status).toBe(401);
  expect((await send(JSON.stringify(report), await app.actor('engineer'))).status).toBe(403);
  expect((await send('{')).status).toBe(400);
  expect((await send('[]')).status).toBe(400);
  expect((await send(JSON.stringify({ ...report, instance: 'x'.repeat(300_000) }))).status).toBe(413);
});
