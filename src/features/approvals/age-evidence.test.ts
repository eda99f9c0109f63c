import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { UserActor } from '../../kernel/actor.js';
import { runStatement } from '../../testing/databases.js';
import {
  givenCard,
  givenChampion,
  givenEvidence,
  givenPromotable,
  type Given,
} from '../../testing/given-change.js';
import { givenPolicy, policyWith } from '../../testing/given-policy.js';
import { freshName, putArtifact } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createDataset, createDatasetVersion } from '../datasets/index.js';
import { startEvaluation } from '../evaluations/index.js';
import { createModelVersion, submitModelVersion } from '../registry/index.js';
import { removeMember, setMemberRoles } from '../workspaces/index.js';
import { staleByData, staleEffectNow, requestPromotion } from './index.js';

let asking: TestApp;
let silent: TestApp;
beforeAll(async () => {
  asking = await testApp();
  silent = await testApp();
  const staleOn = ['NEW_DATA_VERSION', 'REVOKED_MEMBER'];
  await givenPolicy(asking, policyWith({ whenStale: 'STOP' }, [], { evidence: { staleOn } }));
  await givenPolicy(silent, policyWith({ whenStale: 'STOP' }, [], { evidence: { staleOn: [] } }));
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const minute = 60_000;

interface Shown {
  readonly kind: string;
  readonly verdict: string;
  readonly staleCause: string | null;
  readonly staleReason: string | null;
}

const evidenceOf = async (app: TestApp, { versionId, useCaseId }: Given): Promise<Shown[]> => {
  const { data, errors } = await app.graphql<{ evidence: { nodes: Shown[] } }>(
    await app.actor('auditor'),
    `query ($versionId: ID!, $useCaseId: ID!) { evidence(versionId: $versionId, useCaseId: $useCaseId) {
       nodes { kind verdict staleCause staleReason } } }`,
    { versionId, useCaseId },
  );
  expect(errors).toEqual([]);
  return data?.evidence.nodes ?? [];
};

const effectOf = (app: TestApp, changeRequestId: string): Promise<string> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  return app.db.transact('app_reader', session, (db) => staleEffectNow(db, changeRequestId, app.clock.now()));
};

/** Another version of the data set; a minute passes before and after. */
const givenData = async (app: TestApp, datasetId: string): Promise<string> => {
  app.clock.advance(minute);
  const reference = { uri: 's3://lake/x.csv', sha256: sha256(freshName('bytes')), rows: 3 };
  const engineer = await app.actor('engineer');
  const { id } = await app.run(createDatasetVersion, engineer, { datasetId, reference });
  app.clock.advance(minute);
  return id;
};

/** A version that was trained on the first version of a data set, with everything that its promotion needs. */
const givenTrained = async (app: TestApp, role: string): Promise<Given & { datasetId: string }> => {
  const bare = await givenPromotable(app, { bare: true });
  const { id: datasetId } = await app.run(createDataset, bare.engineer, { name: freshName('people') });
  const datasetVersionId = await givenData(app, datasetId);
  const { id: versionId } = await app.run(createModelVersion, bare.engineer, {
    modelId: bare.modelId,
    datasets: [{ role, datasetVersionId }],
  });
  await app.run(submitModelVersion, bare.engineer, { versionId });
  await app.drainJobs();
  const given = { ...bare, versionId };
  await givenCard(app, given);
  await givenEvidence(app, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
  return { ...given, datasetId };
};

describe('a new version of a data set', () => {
  test('makes evidence of what was trained on an older one stale, says why, and leads to what was approved', async () => {
    const given = await givenTrained(asking, 'train');
    const request = await givenChampion(asking, given);
    expect(await effectOf(asking, request)).toBe('CONTINUE');

    const datasetVersionId = await givenData(asking, given.datasetId);
    await asking.drainJobs();

    const shown = await evidenceOf(asking, given);
    expect(shown).toHaveLength(3);
    for (const one of shown) {
      expect(one).toMatchObject({ verdict: 'STALE', staleCause: 'DATA_VERSION' });
      expect(one.staleReason).toMatch(/^The data set .* has version 2; the model was trained on version 1$/);
    }
    expect(await effectOf(asking, request)).toBe('STOP');
    const again = asking.run(requestPromotion, given.engineer, {
      versionId: given.versionId,
      alias: 'champion',
      useCaseId: given.useCaseId,
      reason: 'Once more',
    });
    await expect(again).rejects.toMatchObject({ details: { rule: 'nothing-to-change' } });
    const { data } = await asking.graphql(
      given.engineer,
      `query ($id: ID!) { changeRequest(id: $id) { divergence { entry } } }`,
      { id: request },
    );
    expect(data).toMatchObject({
      changeRequest: { divergence: expect.arrayContaining([{ entry: 'evidence.FAIRNESS' }]) as unknown },
    });

    // New evidence stands; the same event, delivered again, does not touch it, whether by its key or by its date.
    await givenEvidence(asking, given, { PERFORMANCE: 'PASS', FAIRNESS: 'PASS', ATTRIBUTION: 'PASS' });
    const system = asking.system('job:approvals.ageByData');
    const about = { versionId: given.versionId, datasetVersionId };
    const effectKey = `stale:${datasetVersionId}:${given.versionId}`;
    expect((await asking.run(staleByData, system, about, { effectKey })).evidenceIds).toHaveLength(3);
    expect((await asking.run(staleByData, system, about)).evidenceIds).toEqual([]);
    expect((await evidenceOf(asking, given)).filter(({ verdict }) => verdict === 'PASS')).toHaveLength(3);
    expect(await effectOf(asking, request)).toBe('CONTINUE');
  });

  test('is in the trail with its cause, by the job that did it', async () => {
    const given = await givenTrained(asking, 'training');
    await givenData(asking, given.datasetId);
    await asking.drainJobs();

    const { data } = await asking.graphql<{ evidence: { nodes: { id: string }[] } }>(
      given.engineer,
      `query ($v: ID!) { evidence(versionId: $v) { nodes { id } } }`,
      { v: given.versionId },
    );
    const [first] = data?.evidence.nodes ?? [];
    expect(await asking.trail(first?.id ?? '')).toMatchObject([
      { command: 'evidence.staleByData', outcome: 'done' },
    ]);
  });

  test('says nothing of what was only tested on it, of a version without content, nor where no policy asks', async () => {
    const tested = await givenTrained(asking, 'heldout');
    await givenData(asking, tested.datasetId);
    const waiting = await givenTrained(asking, 'train');
    await asking.run(createDatasetVersion, waiting.engineer, { datasetId: waiting.datasetId });
    const unasked = await givenTrained(silent, 'train');
    const request = await givenChampion(silent, unasked);
    await givenData(silent, unasked.datasetId);
    await Promise.all([asking.drainJobs(), silent.drainJobs()]);

    for (const [app, given] of [
      [asking, tested],
      [asking, waiting],
      [silent, unasked],
    ] as const) {
      expect((await evidenceOf(app, given)).map(({ verdict }) => verdict)).toEqual(['PASS', 'PASS', 'PASS']);
    }
    expect(await effectOf(silent, request)).toBe('CONTINUE');
  });
});

/** A version whose fairness this person had measured, and the rest somebody else. */
const givenMeasured = async (app: TestApp, person: UserActor): Promise<Given> => {
  const bare = await givenPromotable(app, { bare: true });
  const { id: versionId } = await app.run(createModelVersion, bare.engineer, { modelId: bare.modelId });
  await putArtifact(app, bare.engineer, versionId, 'data/heldout.csv', 'a,b\n1,2\n');
  await app.run(submitModelVersion, bare.engineer, { versionId });
  await app.drainJobs();
  const given = { ...bare, versionId };
  const about = { versionId, useCaseId: bare.useCaseId, datasetPath: 'data/heldout.csv' };
  const { id, jobId } = await app.run(startEvaluation, person, about);
  await givenEvidence(app, given, { FAIRNESS: 'PASS', PERFORMANCE: 'PASS' });
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test');
     delete from outbox where id = '${jobId}';
     update evaluation set state = 'DONE', finished_at = now() where id = '${id}';
     update evidence set evaluation_id = '${id}' where version_id = '${versionId}' and kind = 'FAIRNESS'`,
  );
  return given;
};

const memberOf = async (app: TestApp, userId: string): Promise<string> => {
  const { data } = await app.graphql<{ members: { nodes: { id: string; userId: string }[] } }>(
    await app.actor('administrator'),
    '{ members(first: 200) { nodes { id userId } } }',
  );
  return data?.members.nodes.find((member) => member.userId === userId)?.id ?? '';
};

describe('a member', () => {
  test('who leaves makes evidence stale that they had measured, and no other', async () => {
    const person = await asking.actor('engineer', { name: freshName('leaving') });
    const given = await givenMeasured(asking, person);
    const administrator = await asking.actor('administrator');

    await asking.run(removeMember, administrator, { memberId: await memberOf(asking, person.id) });
    await asking.drainJobs();

    const shown = await evidenceOf(asking, given);
    expect(shown).toHaveLength(2);
    expect(shown).toContainEqual({
      kind: 'FAIRNESS',
      verdict: 'STALE',
      staleCause: 'REVOKED_MEMBER',
      staleReason: `The person ${person.id}, who had it measured, is no longer in the workspace`,
    });
    expect(shown).toContainEqual(expect.objectContaining({ kind: 'PERFORMANCE', verdict: 'PASS' }));
  });

  test('who loses the role does so too; who only gets another, or where no policy asks, does not', async () => {
    const lost = await asking.actor('engineer', { name: freshName('losing') });
    const kept = await asking.actor('engineer', { name: freshName('keeping') });
    const unasked = await silent.actor('engineer', { name: freshName('unasked') });
    const [first, second] = [await givenMeasured(asking, lost), await givenMeasured(asking, kept)];
    const third = await givenMeasured(silent, unasked);
    // The roles of these people come from a rule; it does not give them any more.
    await runStatement(
      asking.databaseUrl,
      `select audited_repair('a test'); update member set roles_by_rule = '{}' where user_id = '${lost.id}'`,
    );
    const administrator = await asking.actor('administrator');
    const set = async (person: UserActor, roles: string[]): Promise<void> => {
      const memberId = await memberOf(asking, person.id);
      await asking.run(setMemberRoles, administrator, { memberId, roles });
    };

    await set(lost, ['reviewer']);
    await set(kept, ['reviewer']);
    await silent.run(removeMember, await silent.actor('administrator'), {
      memberId: await memberOf(silent, unasked.id),
    });
    await Promise.all([asking.drainJobs(), silent.drainJobs()]);

    expect(await evidenceOf(asking, first)).toContainEqual(
      expect.objectContaining({
        verdict: 'STALE',
        staleReason: `The person ${lost.id}, who had it measured, holds no role any more that may have evidence measured`,
      }),
    );
    for (const [app, given] of [
      [asking, second],
      [silent, third],
    ] as const) {
      expect((await evidenceOf(app, given)).map(({ verdict }) => verdict)).toEqual(['PASS', 'PASS']);
    }
  });
});
