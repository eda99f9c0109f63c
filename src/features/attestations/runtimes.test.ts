import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeSlack, type FakeSlack } from '../../integrations/slack.fake.js';
import { openSlack } from '../../integrations/slack.js';
import { recordingRunner, type RunRecording } from '../../kernel/record.js';
import { asSystem } from '../../kernel/system.js';
import {
  attestedFiles,
  givenAttested,
  givenFiles,
  type GivenAttested,
} from '../../testing/given-attestation.js';
import { givenChampion } from '../../testing/given-change.js';
import { drainJobs } from '../../testing/jobs.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createEndpoint } from '../deployments/index.js';
import { resolveFinding } from '../findings/index.js';
import { retireRuntime } from './attestations.commands/reconcile-runtime.js';
import { revokeAttestation } from './attestations.commands/revoke.js';
import { runtimeTick, watchRuntimesJob } from './attestations.jobs.js';
import { reportDeployment, type Reported } from './attestations.records.js';
import type { AnyJob } from '../../kernel/job.js';

const token = 'xoxb-a-token-of-this-test';
const minute = 60_000;

let app: TestApp;
let slack: FakeSlack;
let record: RunRecording;
beforeAll(async () => {
  app = await testApp();
  record = recordingRunner(app.record);
  slack = await startFakeSlack({ token, channels: ['#model-approvals'] });
});
afterAll(() => slack.close());

/** Performs what waits, with a chat that listens; returns what was posted about findings. */
const drain = async (): Promise<string[]> => {
  slack.posted.length = 0;
  const chat = openSlack({
    token,
    channel: '#model-approvals',
    apiUrl: slack.url,
    linkBase: 'https://countersign.example',
  });
  await drainJobs({ ...app, outside: { ...app.outside, chat } });
  const texts = slack.posted.map((message) => message.blocks.map((block) => block.text?.text).join('\n'));
  return texts.filter((text) => text.includes('Severity:'));
};

let instances = 0;
const freshInstance = (): string => {
  instances += 1;
  return `pod-${String(instances)}`;
};

const modelOf = async (given: GivenAttested): Promise<string> => {
  const { data } = await app.graphql<{ model: { name: string } }>(
    given.engineer,
    `query ($id: ID!) { model(id: $id) { name } }`,
    { id: given.modelId },
  );
  return data?.model.name ?? '';
};

const report = async (
  given: GivenAttested,
  instance: string,
  change: { digests?: string[]; stopped?: boolean; environment?: string; at?: Date } = {},
): Promise<Reported> =>
  record(reportDeployment, app.service(), {
    model: await modelOf(given),
    alias: 'champion',
    instance,
    digests: [given.attestation.treeSha256],
    at: app.clock.now(),
    ...change,
  });

/** What the clock asks for, performed. */
const watch = async (): Promise<string[]> => {
  const asked: AnyJob[] = [];
  await asSystem(app.db, (tx) =>
    runtimeTick.look({
      tx,
      now: app.clock.now(),
      enqueue: (job) => {
        asked.push(job);
        return '';
      },
    }),
  );
  expect(asked).toContain(watchRuntimesJob);
  const scope = { kind: 'system', id: 'job:attestations.watchRuntimes', name: 'watch' } as const;
  const actor = { ...scope, organizationId: app.organizationId, workspaceId: app.workspaceId };
  await watchRuntimesJob.perform(
    {},
    {
      actor,
      run: app.run,
      ask: app.ask,
      record: app.record,
      outside: app.outside,
      clock: app.clock,
      log: app.log,
      metrics: app.metrics,
      signal: new AbortController().signal,
      progress: () => Promise.resolve(),
      jobId: 'x',
      attempt: 1,
    },
  );
  return drain();
};

const LIST = `query ($modelId: ID) { runtimes(modelId: $modelId) {
  nodes { id instance environment state findingId digests endpoint } } }`;

interface Listed {
  readonly id: string;
  readonly instance: string;
  readonly state: string;
  readonly findingId: string | null;
}

const listed = async (given: GivenAttested, instance: string): Promise<Listed | undefined> => {
  const { data } = await app.graphql<{ runtimes: { nodes: Listed[] } }>(given.engineer, LIST, {
    modelId: given.modelId,
  });
  return data?.runtimes.nodes.find((node) => node.instance === instance);
};

const resolve = (given: GivenAttested, findingId: string) =>
  app.run(resolveFinding, given.owner, { findingId, resolution: 'looked into it' });

test('a runtime that runs what was approved is in sync, and nobody is bothered', async () => {
  const given = await givenAttested(app);
  const instance = freshInstance();

  expect(await report(given, instance)).toMatchObject({
    state: 'IN_SYNC',
    digests: [{ sha256: given.attestation.treeSha256, state: 'IN_SYNC' }],
  });
  expect(await drain()).toEqual([]);
  expect(await listed(given, instance)).toMatchObject({ state: 'IN_SYNC', findingId: null });
});

test('reports that say nothing new leave nothing in the trail and cause no work', async () => {
  const given = await givenAttested(app);
  const instance = freshInstance();
  const { id } = await report(given, instance);
  await drain();
  for (let times = 0; times < 40; times += 1) await report(given, instance);

  const [row] = await asSystem(app.db, (tx) =>
    tx.sql<{ count: number }>(
      `select count(*)::int as count from outbox where payload::text like '%' || $1 || '%'`,
      [id],
    ),
  );
  expect(row?.count).toBe(0);
  expect(await app.trail(id)).toHaveLength(1);
});

test('the history of a runtime is kept short', async () => {
  const given = await givenAttested(app);
  const instance = freshInstance();
  let id = '';
  for (let times = 0; times < 40; times += 1) ({ id } = await report(given, instance));
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const [row] = await app.db.transact('app_reader', session, (db) =>
    db.sql<{ count: number }>('select count(*)::int as count from deployment_report where runtime_id = $1', [
      id,
    ]),
  );

  expect(row?.count).toBe(32);
});

describe('a mismatch opens a finding and tells people, once,', () => {
  test('when the digest was never approved; again when that was resolved and is reported anew', async () => {
    const given = await givenAttested(app);
    const instance = freshInstance();
    const unknown = { digests: [given.attestation.treeSha256, 'c'.repeat(64)] };

    expect(await report(given, instance, unknown)).toMatchObject({
      state: 'UNKNOWN_DIGEST',
      digests: [{ state: 'IN_SYNC' }, { state: 'UNKNOWN_DIGEST' }],
    });
    const [told, ...more] = await drain();
    expect(more).toEqual([]);
    expect(told).toContain(`${instance} in production runs what was never approved`);
    const first = (await listed(given, instance))?.findingId ?? '';

    await report(given, instance, unknown);
    await report(given, instance, unknown);
    expect(await drain()).toEqual([]);
    expect(await watch()).toEqual([]);
    expect(await listed(given, instance)).toMatchObject({ findingId: first });

    await resolve(given, first);
    expect(await watch()).toEqual([]);
    await report(given, instance, unknown);
    expect(await drain()).toHaveLength(1);
    expect((await listed(given, instance))?.findingId).not.toBe(first);
  });

  test('when it comes back after the runtime was in sync', async () => {
    const given = await givenAttested(app);
    const instance = freshInstance();
    const unknown = { digests: ['d'.repeat(64)] };
    await report(given, instance, unknown);
    await drain();
    await resolve(given, (await listed(given, instance))?.findingId ?? '');
    await report(given, instance);
    expect(await drain()).toEqual([]);
    expect(await listed(given, instance)).toMatchObject({ state: 'IN_SYNC' });

    await report(given, instance, unknown);
    expect(await drain()).toHaveLength(1);
  });

  test('when what it runs is superseded or taken back, without another report', async () => {
    const given = await givenAttested(app);
    const instance = freshInstance();
    await report(given, instance);
    await drain();

    await givenChampion(app, await givenFiles(app, given, { 'model.bin': 'next' }));
    await drain();
    expect(await watch()).toEqual([expect.stringContaining('approved once and taken back')]);
    expect(await listed(given, instance)).toMatchObject({ state: 'REVOKED' });

    const other = await givenAttested(app);
    const second = freshInstance();
    await report(other, second);
    await drain();
    await app.run(revokeAttestation, other.owner, {
      attestationId: other.attestation.id,
      reason: 'bad data',
    });
    expect(await report(other, second)).toMatchObject({ state: 'REVOKED' });
    expect(await drain()).toHaveLength(1);
  });

  test('when the environment is another than the one approved', async () => {
    const given = await givenAttested(app);

    expect(await report(given, freshInstance(), { environment: 'staging' })).toMatchObject({
      state: 'UNKNOWN_DIGEST',
    });
  });

  test('when it falls silent; whoever stopped or was retired is not waited for', async () => {
    const given = await givenAttested(app);
    const [silent, stopped, retired] = [freshInstance(), freshInstance(), freshInstance()];
    for (const instance of [silent, stopped, retired]) await report(given, instance);
    await report(given, stopped, { stopped: true });
    await drain();
    const runtimeId = (await listed(given, retired))?.id ?? '';
    await app.run(retireRuntime, given.owner, { runtimeId });

    app.clock.advance(16 * minute);
    const told = await watch();

    expect(told.filter((text) => text.includes(`${silent} in production said nothing`))).toHaveLength(1);
    expect(told.some((text) => text.includes(stopped) || text.includes(retired))).toBe(false);
    expect(await listed(given, silent)).toMatchObject({ state: 'SILENT' });
    expect(await listed(given, stopped)).toMatchObject({ state: 'STOPPED' });
    expect(await watch()).toEqual([]);

    await report(given, retired);
    await drain();
    expect(await listed(given, retired)).toMatchObject({ state: 'IN_SYNC' });
    await expect(
      app.run(retireRuntime, given.owner, { runtimeId: (await listed(given, stopped))?.id ?? '' }),
    ).rejects.toMatchObject({ details: { rule: 'runtime-stopped' } });
  });

  test('when the time of the approval is over', async () => {
    const given = await givenAttested(app, { ...attestedFiles, 'only.txt': 'of this test' });
    const instance = freshInstance();
    app.clock.advance(91 * 24 * 60 * minute);

    expect(await report(given, instance)).toMatchObject({ state: 'EXPIRED' });
    expect(await drain()).toEqual([expect.stringContaining('approved for a time that is over')]);
  });
});

test('who stopped long ago is forgotten, with the reports', async () => {
  const given = await givenAttested(app);
  const instance = freshInstance();
  await report(given, instance, { stopped: true });
  await drain();
  const id = (await listed(given, instance))?.id ?? '';

  app.clock.advance(31 * 24 * 60 * minute);
  await watch();

  expect(await listed(given, instance)).toBeUndefined();
  expect((await app.trail(id)).map(({ command }) => command)).toEqual([
    'runtime.reconcile',
    'runtime.forget',
  ]);
});

test('an endpoint names model, alias and use at once', async () => {
  const given = await givenAttested(app);
  const { modelId, useCaseId, owner } = given;
  await app.run(createEndpoint, owner, {
    slug: 'reporting',
    name: 'R',
    modelId,
    useCaseId,
    alias: 'champion',
  });
  const { treeSha256 } = given.attestation;
  const asked = { endpoint: 'reporting', instance: 'one', digests: [treeSha256], at: app.clock.now() };

  expect(await record(reportDeployment, app.service(), asked)).toMatchObject({ state: 'IN_SYNC' });
  await drain();
  expect(await listed(given, 'one')).toMatchObject({ endpoint: 'reporting' });
});

describe('a report is refused', () => {
  const good = { model: 'x', alias: 'champion', instance: 'one', digests: ['a'.repeat(64)], at: new Date(1) };

  test.each<[string, object, string]>([
    ['about a model that is not there', {}, 'NOT_FOUND'],
    ['about an endpoint that is not there', { model: null, alias: null, endpoint: 'nowhere' }, 'NOT_FOUND'],
    ['about both', { endpoint: 'nowhere' }, 'INVALID_INPUT'],
    ['about nothing', { model: null }, 'INVALID_INPUT'],
    ['of a digest that is none', { digests: ['A'.repeat(64)] }, 'INVALID_INPUT'],
    ['of no digest', { digests: [] }, 'INVALID_INPUT'],
    ['of more digests than a runtime has', { digests: Array(21).fill('a'.repeat(64)) }, 'INVALID_INPUT'],
    ['of the future', { at: new Date('2999-01-01') }, 'INVALID_INPUT'],
    ['of a time before any clock', { at: new Date(-8.64e15) }, 'INVALID_INPUT'],
    ['of no time', { at: null as never }, 'INVALID_INPUT'],
    ['with a name that cannot be stored', { instance: 'a\0b' }, 'INVALID_INPUT'],
    ['of an environment that is no name', { environment: 'Prod uction' }, 'INVALID_INPUT'],
  ])('%s', async (_, change, code) => {
    await expect(record(reportDeployment, app.service(), { ...good, ...change })).rejects.toMatchObject({
      code,
    });
  });

  test('by a person, and by a token without the right', async () => {
    const engineer = await app.actor('engineer');
    await expect(record(reportDeployment, engineer, good)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const scoped = app.service({ scopes: ['decision:request'] });
    await expect(record(reportDeployment, scoped, good)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
