import { beforeAll, describe, expect, test } from 'vitest';
import { attempt } from '../../testing/attempts.js';
import { decide, givenNextVersion, givenPromotable, givenRequest } from '../../testing/given-change.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const endpoint = (slug: string, place: { modelId: string; useCaseId: string }): object => ({
  slug,
  name: 'Door',
  alias: 'champion',
  modelId: place.modelId,
  useCaseId: place.useCaseId,
});

describe('a model of a name that was given up', () => {
  const READ = `query ($name: String!, $version: ID!, $use: ID!) {
    model(name: $name) { id aliases { name } tags { key } }
    modelVersion(id: $version) { version tags { key } aliases { name } }
    evidence(versionId: $version, useCaseId: $use) { nodes { kind } }
    card(versionId: $version, useCaseId: $use) { revision fields { name source } }
    changeRequests(versionId: $version) { nodes { id } }
    promotionCheck(versionId: $version, alias: "champion", useCaseId: $use) { allowed openChangeRequestId requirements { rule state } } }`;

  interface Inherited {
    readonly model: { id: string; aliases: object[]; tags: object[] };
    readonly modelVersion: { version: number; aliases: object[]; tags: object[] };
    readonly evidence: { nodes: object[] };
    readonly card: { revision: number; fields: { name: string; source: string }[] };
    readonly changeRequests: { nodes: object[] };
    readonly promotionCheck: {
      allowed: boolean;
      openChangeRequestId: string | null;
      requirements: { rule: string; state: string }[];
    };
  }

  /** A model with everything but an executed approval; deleted, and its name taken again by a new one. */
  const reborn = async () => {
    const old = await givenPromotable(app);
    const mutate = (field: string, type: string, input: object) =>
      app.graphql(old.engineer, `mutation ($input: ${type}!) { ${field}(input: $input) { id } }`, { input });
    const { data } = await app.graphql<{ model: { name: string } }>(
      old.owner,
      `query ($id: ID!) { model(id: $id) { name } }`,
      { id: old.modelId },
    );
    const name = data?.model.name ?? '';
    await mutate('setAlias', 'AliasSetInput', {
      modelId: old.modelId,
      name: 'blue',
      versionId: old.versionId,
    });
    await mutate('setTag', 'TagSetInput', { modelId: old.modelId, key: 'team', value: 'risk' });
    await mutate('setTag', 'TagSetInput', {
      modelId: old.modelId,
      versionId: old.versionId,
      key: 'seed',
      value: '1',
    });
    const requestId = await givenRequest(app, old);
    await decide(app, old.validator, requestId);
    const door = endpoint(`old-${old.modelId.slice(-8)}`, old);
    expect((await attempt(app, old.owner, 'endpoint.create', door)).code).toBeUndefined();
    await mutate('deleteModel', 'ModelDeleteInput', { modelId: old.modelId });
    await mutate('createModel', 'ModelCreateInput', { name, kind: 'EXTERNAL' });
    const fresh = await app.graphql<{ model: { id: string } }>(
      old.owner,
      `query ($name: String!) { model(name: $name) { id } }`,
      { name },
    );
    const modelId = fresh.data?.model.id ?? '';
    const versionId = await givenNextVersion(app, old.engineer, modelId);
    const answer = await app.graphql<Inherited>(old.owner, READ, {
      name,
      version: versionId,
      use: old.useCaseId,
    });
    expect(answer.errors).toEqual([]);
    return { old, requestId, modelId, versionId, has: answer.data };
  };

  test('inherits no alias, tag, evidence, card, request or approval', async () => {
    const { old, modelId, has } = await reborn();

    expect(modelId).not.toBe(old.modelId);
    expect(has).toMatchObject({
      model: { id: modelId, aliases: [], tags: [] },
      modelVersion: { version: 1, aliases: [], tags: [] },
      evidence: { nodes: [] },
      card: { revision: 0 },
      changeRequests: { nodes: [] },
      promotionCheck: { allowed: false, openChangeRequestId: null },
    });
    expect(has?.card.fields.filter(({ source }) => source === 'ATTESTED')).toEqual([]);
    const passed = has?.promotionCheck.requirements
      .filter(({ state }) => state === 'PASS')
      .map(({ rule }) => rule);
    // Of the new version itself: it passed intake, and nothing about it is overdue.
    expect(passed).toEqual(['version-ready', 'findings-overdue']);
  });

  test('is not what the old request moves, nor what the old endpoint serves', async () => {
    const { old, requestId, modelId, versionId } = await reborn();

    await decide(app, old.compliance, requestId).catch(() => undefined);
    const { data } = await app.graphql<{
      changeRequest: { state: string };
      endpoints: { nodes: { slug: string; modelId: string }[] };
      model: { aliases: object[] };
    }>(
      old.owner,
      `query ($id: ID!, $model: ID!) { changeRequest(id: $id) { state } model(id: $model) { aliases { name } }
         endpoints(first: 200) { nodes { slug modelId } } }`,
      { id: requestId, model: modelId },
    );

    expect(data).toMatchObject({ changeRequest: { state: 'OPEN' }, model: { aliases: [] } });
    expect(data?.endpoints.nodes.find(({ slug }) => slug === `old-${old.modelId.slice(-8)}`)?.modelId).toBe(
      old.modelId,
    );
    expect(
      await attempt(app, old.engineer, 'changeRequest.execute', { changeRequestId: requestId }),
    ).toMatchObject({
      rule: 'version-ready',
    });
    expect(versionId).not.toBe(old.versionId);
  });
});

test('a new name takes everything along: evidence, use case, requests, endpoints; the old one leads nowhere', async () => {
  const one = await givenPromotable(app);
  const requestId = await givenRequest(app, one);
  await decide(app, one.validator, requestId);
  const door = endpoint(`kept-${one.modelId.slice(-8)}`, one);
  await attempt(app, one.owner, 'endpoint.create', door);
  const { data: before } = await app.graphql<{ model: { name: string } }>(
    one.owner,
    `query ($id: ID!) { model(id: $id) { name } }`,
    { id: one.modelId },
  );

  const name = `renamed-${one.modelId.slice(-8)}`;
  expect(
    (await attempt(app, one.engineer, 'model.rename', { modelId: one.modelId, name })).code,
  ).toBeUndefined();
  expect((await decide(app, one.compliance, requestId)).state).toBe('EXECUTED');

  const READ = `query ($name: String!, $version: ID!, $use: ID!) {
    model(name: $name) { id aliases { name versionId } }
    evidence(versionId: $version, useCaseId: $use) { nodes { kind } }
    endpoints(first: 200) { nodes { slug modelId } } }`;
  const variables = { version: one.versionId, use: one.useCaseId };
  const { data } = await app.graphql<{
    model: object;
    evidence: { nodes: object[] };
    endpoints: { nodes: { slug: string; modelId: string }[] };
  }>(one.owner, READ, { name, ...variables });
  expect(data?.model).toEqual({ id: one.modelId, aliases: [{ name: 'champion', versionId: one.versionId }] });
  expect(data?.evidence.nodes).toHaveLength(3);
  expect(data?.endpoints.nodes).toContainEqual({
    slug: `kept-${one.modelId.slice(-8)}`,
    modelId: one.modelId,
  });
  const old = await app.graphql(one.owner, READ, { name: before?.model.name, ...variables });
  expect(old.code).toBe('NOT_FOUND');
});
