import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tx } from '../../kernel/db.js';
import type { Role } from '../../kernel/actor.js';
import type { AppError } from '../../kernel/errors.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { decideChange } from '../approvals/index.js';
import { givenModel, givenUseCase } from '../../testing/given-version.js';
import { createEndpoint, resumeEndpoint } from './deployments.commands.js';
import { Endpoint, endpointNamed, requireActive } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const CREATE = `mutation ($input: EndpointCreateInput!) { createEndpoint(input: $input) { id } }`;
const SUSPEND = `mutation ($input: EndpointSuspendInput!) { suspendEndpoint(input: $input) { id } }`;
const RESUME = `mutation ($input: EndpointRequestResumeInput!) { requestEndpointResume(input: $input) { id } }`;
const READ = `query ($id: ID!) { endpoint(id: $id) {
  slug state alias version suspendedByName suspensionReason resumeRequestId } }`;

let counter = 0;

const newEndpoint = async (): Promise<{
  slug: string;
  name: string;
  useCaseId: string;
  modelId: string;
  alias: string;
}> => {
  counter += 1;
  const slug = `routing-${String(counter)}`;
  return {
    slug,
    name: 'Routing',
    useCaseId: await givenUseCase(app),
    modelId: await givenModel(app, 'EXTERNAL'),
    alias: 'champion',
  };
};

const givenEndpoint = async (): Promise<{ id: string; slug: string }> => {
  const input = await newEndpoint();
  const { data } = await app.graphql<{ createEndpoint: { id: string } }>(await app.actor('owner'), CREATE, {
    input,
  });
  return { id: data?.createEndpoint.id ?? '', slug: input.slug };
};

/** What the doors of decisions do before they accept anything. */
const active = (slug: string): Promise<Endpoint> =>
  app.db.transact(
    'app_reader',
    { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null },
    async (db) => {
      const endpoint = await endpointNamed(db, slug);
      requireActive(endpoint);
      return endpoint;
    },
  );

const suspend = async (id: string, role: Role = 'owner') =>
  app.graphql(await app.actor(role), SUSPEND, { input: { endpointId: id, reason: 'odd answers' } });

const askToResume = async (id: string, role: Role = 'engineer'): Promise<string> => {
  const answer = await app.graphql<{ requestEndpointResume: { id: string } }>(await app.actor(role), RESUME, {
    input: { endpointId: id, reason: 'it was repaired' },
  });
  return answer.data?.requestEndpointResume.id ?? '';
};

const approve = async (changeRequestId: string, role: Role) =>
  app.run(decideChange, await app.actor(role), { changeRequestId, verdict: 'APPROVE', reason: 'repaired' });

test('one person suspends an endpoint at once; only an approved request resumes it, and the trail tells both', async () => {
  const { id, slug } = await givenEndpoint();
  await expect(active(slug)).resolves.toMatchObject({ id });

  await suspend(id);
  const refusal = active(slug).catch((error: unknown) => error as AppError);
  const changeRequestId = await askToResume(id);
  const decided = await approve(changeRequestId, 'compliance');
  const waiting = await app.graphql(await app.actor('engineer'), READ, { id });
  await app.drainJobs();

  expect(await refusal).toMatchObject({
    code: 'PRECONDITION_FAILED',
    details: { rule: 'endpoint-suspended' },
  });
  expect(decided.state).toBe('APPROVED');
  expect(waiting.data).toMatchObject({
    endpoint: {
      state: 'SUSPENDED',
      suspendedByName: 'owner',
      suspensionReason: 'odd answers',
      resumeRequestId: changeRequestId,
    },
  });
  const { data } = await app.graphql(await app.actor('engineer'), READ, { id });
  expect(data).toMatchObject({
    endpoint: { state: 'ACTIVE', suspensionReason: null, resumeRequestId: null },
  });
  await expect(active(slug)).resolves.toMatchObject({ id });
  expect((await app.trail(id)).map((line) => line.command)).toEqual([
    'endpoint.create',
    'endpoint.suspend',
    'endpoint.resume',
  ]);
  expect((await app.trail(changeRequestId)).at(-1)).toMatchObject({
    command: 'endpoint.resume',
    outcome: 'done',
  });
});

describe('an endpoint is not created', () => {
  test.each([
    ['by a reviewer', 'reviewer', {}, 'FORBIDDEN', 'permission'],
    [
      'over an alias that anybody can move',
      'owner',
      { alias: 'shadow' },
      'PRECONDITION_FAILED',
      'protected-alias-only',
    ],
    ['for a model of nowhere', 'owner', { modelId: crypto.randomUUID() }, 'NOT_FOUND', undefined],
    ['for a use case of nowhere', 'owner', { useCaseId: crypto.randomUUID() }, 'NOT_FOUND', undefined],
    ['under a name that is no slug', 'owner', { slug: 'Not A Slug' }, 'INVALID_INPUT', undefined],
  ] as const)('%s', async (_, role, change, code, rule) => {
    const input = { ...(await newEndpoint()), ...change };

    const answer = await app.graphql(await app.actor(role), CREATE, { input });

    expect(answer.code).toBe(code);
    if (rule) expect(answer.errors[0]?.extensions?.['details']).toMatchObject({ rule });
  });

  test('under a name that is taken', async () => {
    const { slug } = await givenEndpoint();

    const answer = await app.graphql(await app.actor('owner'), CREATE, {
      input: { ...(await newEndpoint()), slug },
    });

    expect(answer.code).toBe('CONFLICT');
  });
});

describe('an endpoint stays suspended', () => {
  test('when an engineer, who may not suspend, tries to', async () => {
    const { id } = await givenEndpoint();

    expect((await suspend(id, 'engineer')).code).toBe('FORBIDDEN');
    expect((await app.trail(id)).at(-1)).toMatchObject({ command: 'endpoint.suspend', outcome: 'refused' });
  });

  test('when it is suspended twice; the first reason stands', async () => {
    const { id } = await givenEndpoint();
    await suspend(id);

    expect((await suspend(id, 'compliance')).code).toBe('CONFLICT');
  });

  test('when who asked approves it themselves', async () => {
    const { id } = await givenEndpoint();
    await suspend(id, 'compliance');
    const changeRequestId = await askToResume(id, 'owner');

    await expect(approve(changeRequestId, 'owner')).rejects.toMatchObject({ details: { rule: 'requester' } });
    await expect(approve(changeRequestId, 'validator')).rejects.toMatchObject({
      details: { rule: 'role-not-asked' },
    });
  });

  test('when a job resumes it without an approval', async () => {
    const { id } = await givenEndpoint();
    await suspend(id);
    const changeRequestId = await askToResume(id);

    const resume = app.run(resumeEndpoint, app.system('job:deployments.resumeApproved'), { changeRequestId });

    await expect(resume).rejects.toMatchObject({ code: 'CONFLICT', details: { rule: 'not-approved' } });
  });

  test('when one approval is used twice', async () => {
    const { id } = await givenEndpoint();
    await suspend(id);
    const changeRequestId = await askToResume(id);
    await approve(changeRequestId, 'compliance');
    await app.drainJobs();
    await suspend(id);

    const again = app.run(resumeEndpoint, app.system('job:deployments.resumeApproved'), { changeRequestId });

    await expect(again).rejects.toMatchObject({ details: { rule: 'not-approved' } });
    const { data } = await app.graphql(
      await app.actor('engineer'),
      `{ endpoints(state: SUSPENDED) { nodes { id } } }`,
    );
    expect(data).toMatchObject({ endpoints: { nodes: expect.arrayContaining([{ id }]) as unknown } });
  });
});

test('an endpoint that decides cannot be asked to resume', async () => {
  const { id } = await givenEndpoint();

  const answer = await app.graphql(await app.actor('owner'), RESUME, {
    input: { endpointId: id, reason: 'r' },
  });

  expect(answer.code).toBe('CONFLICT');
});

/** Until a session of this database waits for a lock. */
const untilSomebodyWaits = async (tx: Tx): Promise<void> => {
  for (;;) {
    const [row] = await tx.sql<{ waiting: number }>(
      `select count(distinct l.pid)::int as waiting from pg_locks l
         join pg_stat_activity a on a.pid = l.pid and a.datname = current_database() where not l.granted`,
    );
    if ((row?.waiting ?? 0) > 0) return;
    await sleep(20);
  }
};

test('a second door waits while the first is being stopped, and is refused then', async () => {
  const input = await newEndpoint();
  const owner = await app.actor('owner');
  const { id } = await app.run(createEndpoint, owner, input);
  const second = { ...input, slug: `${input.slug}-2`, modelId: await givenModel(app, 'EXTERNAL') };
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };

  const [stopping, opening] = await app.db.transact('app_writer', session, async (tx) => {
    // The stop is under way, and does not come to its end while this row is held.
    await tx.lock(Endpoint, { id });
    const stop = suspend(id);
    await untilSomebodyWaits(tx);
    const open = app.run(createEndpoint, owner, second).catch((error: unknown) => error);
    await sleep(200);
    return [stop, open].map((one) => ({ one }));
  });

  expect(await stopping?.one).toMatchObject({ errors: [] });
  expect(await opening?.one).toMatchObject({ details: { rule: 'endpoint-suspended' } });
});

test('no second door is opened beside a suspended one of the same model or use case', async () => {
  const input = await newEndpoint();
  const owner = await app.actor('owner');
  const { data } = await app.graphql<{ createEndpoint: { id: string } }>(owner, CREATE, { input });
  await suspend(data?.createEndpoint.id ?? '');

  const another = { ...input, slug: `${input.slug}-2`, modelId: await givenModel(app, 'EXTERNAL') };
  const refused = await app.graphql(owner, CREATE, { input: another });

  expect(refused.errors[0]?.extensions?.['details']).toEqual({
    rule: 'endpoint-suspended',
    endpoint: input.slug,
  });
});
