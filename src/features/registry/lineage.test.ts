import { beforeAll, expect, test } from 'vitest';
import type { Actor, ServiceActor } from '../../kernel/actor.js';
import { updateCard } from '../cards/index.js';
import { startEvaluation } from '../evaluations/index.js';
import { createApiToken, createServiceAccount } from '../identity/index.js';
import { givenUseCase, putArtifact } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import {
  createModel,
  createModelVersion,
  deleteModelVersion,
  lineageActors,
  setAlias,
  setTag,
  submitModelVersion,
} from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const lineageOf = (versionId: string): Promise<ReadonlySet<string>> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => lineageActors(db, versionId));
};

const person = (name: string, ...roles: Parameters<TestApp['actor']>[0][]): Promise<Actor> =>
  app.actor(roles[0] ?? 'engineer', { name, roles: roles.length > 0 ? roles : ['engineer'] });

/** A service account that may do what an engineer may, acting with a real token that `maker` made. */
const machine = async (maker: Actor): Promise<ServiceActor> => {
  const account = await app.run(createServiceAccount, maker, {
    name: `ci-${maker.name}`,
    description: 'CI',
    roles: ['engineer'],
  });
  const token = await app.run(createApiToken, maker, {
    serviceAccountId: account.id,
    name: 'ci',
    expiresInDays: 1,
  });
  return { ...app.service(), id: account.id, roles: ['engineer'], tokenId: token.id };
};

test('everybody who had a hand in a version is found, and nobody else', async () => {
  const names = ['founder', 'creator', 'uploader', 'submitter', 'parent', 'onlooker', 'pointer'] as const;
  const [founder, creator, uploader, submitter, parent, onlooker, pointer] = await Promise.all(
    names.map((name) => person(name)),
  );
  const evaluator = await person('evaluator', 'validator');
  const attester = await person('attester', 'compliance');
  const admin = await person('admin', 'administrator', 'engineer');
  const tokenMaker = await person('token-maker', 'administrator');
  const bot = await machine(tokenMaker);
  if (!founder || !creator || !uploader || !submitter || !parent || !onlooker || !pointer)
    throw new Error('Nobody there');
  const useCaseId = await givenUseCase(app);

  const { id: modelId } = await app.run(createModel, founder, { name: 'lineage', kind: 'EXTERNAL' });
  const { id: parentVersionId } = await app.run(createModelVersion, parent, { modelId });
  const { id: versionId } = await app.run(createModelVersion, creator, { modelId, parentVersionId });
  const { id: strangerVersion } = await app.run(createModelVersion, onlooker, { modelId });
  await putArtifact(app, uploader, versionId, 'rows.csv', 'a,b\n1,2\n');
  await putArtifact(app, admin, versionId, 'rows.csv', 'a,b\n1,3\n');
  await putArtifact(app, bot, versionId, 'notes.txt', 'by a machine');
  await app.run(submitModelVersion, submitter, { versionId });
  await app.drainJobs();
  await app.run(startEvaluation, evaluator, { versionId, useCaseId, datasetPath: 'rows.csv' });
  await app.run(updateCard, attester, {
    versionId,
    useCaseId,
    fields: [{ name: 'intendedUse', value: 'Routing' }],
  });
  await app.run(setAlias, pointer, { modelId, versionId, name: 'challenger' });
  await app.run(setTag, pointer, { modelId, versionId, key: 'a', value: 'b' });
  await expect(app.run(deleteModelVersion, attester, { versionId })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });

  const lineage = await lineageOf(versionId);

  const expected = [
    founder,
    creator,
    uploader,
    submitter,
    parent,
    evaluator,
    attester,
    admin,
    tokenMaker,
    bot,
  ];
  expect([...lineage].toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
  expect([...(await lineageOf(strangerVersion))].toSorted()).toEqual([founder.id, onlooker.id].toSorted());
});

test('a lineage reaches back over all generations', async () => {
  const makers = await Promise.all(['first', 'second', 'third'].map((name) => person(name)));
  const { id: modelId } = await app.run(createModel, await person('owner-of-it'), {
    name: 'generations',
    kind: 'EXTERNAL',
  });
  let parentVersionId: string | null = null;
  for (const maker of makers) {
    const made: { id: string } = await app.run(createModelVersion, maker, { modelId, parentVersionId });
    parentVersionId = made.id;
  }

  const lineage = await lineageOf(parentVersionId ?? '');

  for (const maker of makers) expect(lineage).toContain(maker.id);
});

test('who registered the same bytes as another version had a hand in it', async () => {
  const [first, second, third] = [
    await person('same-one'),
    await person('same-two'),
    await person('other-three'),
  ];
  const versionOf = async (actor: Actor, content: string): Promise<string> => {
    const { id: modelId } = await app.run(createModel, actor, { name: `of ${actor.name}`, kind: 'EXTERNAL' });
    const { id } = await app.run(createModelVersion, actor, { modelId });
    await putArtifact(app, actor, id, 'weights.bin', content);
    await app.run(submitModelVersion, actor, { versionId: id });
    return id;
  };
  const versionId = await versionOf(first, 'the same bytes');
  await versionOf(second, 'the same bytes');
  await versionOf(third, 'other bytes');

  const actors = await lineageOf(versionId);

  expect([first, second, third].map(({ id }) => actors.has(id))).toEqual([true, true, false]);
});

test('who uploaded the same model beside other files had a hand in it, who shares a table of data had none', async () => {
  const [first, second, third] = [
    await person('onnx-one'),
    await person('onnx-two'),
    await person('table-three'),
  ];
  const versionOf = async (actor: Actor, files: Readonly<Record<string, string>>): Promise<string> => {
    const { id: modelId } = await app.run(createModel, actor, { name: `of ${actor.name}`, kind: 'ONNX' });
    const { id } = await app.run(createModelVersion, actor, { modelId });
    for (const [path, content] of Object.entries(files)) await putArtifact(app, actor, id, path, content);
    return id;
  };
  await versionOf(second, { 'renamed.onnx': 'the model' });
  await versionOf(third, { 'rows.csv': 'a,b', 'other.onnx': 'another model' });
  const versionId = await versionOf(first, { 'm.onnx': 'the model', 'rows.csv': 'a,b', 'readme.txt': 'new' });

  const actors = await lineageOf(versionId);

  expect([first, second, third].map(({ id }) => actors.has(id))).toEqual([true, true, false]);
});
