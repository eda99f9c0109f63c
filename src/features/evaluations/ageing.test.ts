import { beforeAll, describe, expect, test } from 'vitest';
import { lookOnce } from '../../worker/clock.js';
import {
  champion,
  decide,
  givenChampion,
  givenEvidence,
  givenNextVersion,
  givenPromotable,
  givenRequest,
  type Given,
} from '../../testing/given-change.js';
import { runStatement } from '../../testing/databases.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { putArtifact } from '../../testing/given-version.js';
import { createModelVersion, submitModelVersion } from '../registry/index.js';
import { updateCard } from '../cards/index.js';
import { ageingTick } from './ageing.js';
import { invalidateEvidence, startEvaluation } from './index.js';

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const day = 86_400_000;

const tick = async (): Promise<void> => {
  await lookOnce({ db: app.db, clock: app.clock, log: app.log }, ageingTick);
  await app.drainJobs();
};

interface Warned {
  readonly days_ahead: number;
  readonly kind: string;
}

const warnings = async (given: Given): Promise<string[]> => {
  const session = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const rows = await app.db.transact('app_reader', session, (db) =>
    db.sql<Warned>(
      `select w.days_ahead, e.kind from evidence_warning w join evidence e on e.id = w.evidence_id
        where e.version_id = $1 and e.use_case_id = $2 order by w.days_ahead desc, e.kind`,
      [given.versionId, given.useCaseId],
    ),
  );
  return rows.map((row) => `${row.kind} ${String(row.days_ahead)}`);
};

const shown = async (given: Given, id: string) => {
  const { data } = await app.graphql<{
    changeRequest: { divergedAt: string | null; divergence: { entry: string }[] | null };
    model: { aliases: { name: string; diverged: boolean }[] };
  }>(
    given.engineer,
    `query ($id: ID!, $model: ID!) { changeRequest(id: $id) { divergedAt divergence { entry from to } }
       model(id: $model) { aliases { name diverged } } }`,
    { id, model: given.modelId },
  );
  if (!data) throw new Error('no answer');
  return data;
};

/** As if the request had been carried out: the policy would not have let it. */
const putInForce = (given: Given, request: string): Promise<void> =>
  runStatement(
    app.databaseUrl,
    `select audited_repair('a test');
     update change_request set state = 'EXECUTED', executed_at = now(), closed_at = now() where id = '${request}';
     insert into model_alias (id, workspace_id, model_id, name, folded, version_id, use_case_id, moved_at, moved_by,
                              change_request_id)
     values (uuidv7(), '${app.workspaceId}', '${given.modelId}', 'champion', 'champion', '${given.versionId}',
             '${given.useCaseId}', now(), 'test', '${request}')`,
  );

test('a version behind a protected alias is measured again by itself, a week ahead, by the product', async () => {
  const bare = await givenPromotable(app, { bare: true });
  const { id: versionId } = await app.run(createModelVersion, bare.engineer, { modelId: bare.modelId });
  await putArtifact(app, bare.engineer, versionId, 'data/heldout.csv', 'a,b\n1,2\n');
  await app.run(submitModelVersion, bare.engineer, { versionId });
  await app.drainJobs();
  const given = { ...bare, versionId };
  const { useCaseId } = given;
  const about = { versionId, useCaseId, datasetPath: 'data/heldout.csv' };
  const first = await app.run(startEvaluation, given.engineer, about);
  await runStatement(app.databaseUrl, `delete from outbox where id = '${first.jobId}'`);
  await givenEvidence(app, given, { FAIRNESS: 'PASS' }, 6 * day);
  await runStatement(
    app.databaseUrl,
    `select audited_repair('a test');
     update evaluation set state = 'DONE', finished_at = now() where id = '${first.id}';
     update evidence set evaluation_id = '${first.id}', provenance = 'COMPUTED' where version_id = '${versionId}'`,
  );
  await putInForce(given, await givenRequest(app, given));

  await lookOnce({ db: app.db, clock: app.clock, log: app.log }, ageingTick);
  await app.drainJobs({ only: ['evaluations.warnOfAge'] });
  const { data } = await app.graphql(
    given.engineer,
    `query ($v: ID!) { evaluations(versionId: $v) { nodes { state requestedBy dataset { path } } } }`,
    { v: versionId },
  );

  expect(data).toMatchObject({
    evaluations: {
      nodes: [
        { state: 'QUEUED', requestedBy: 'job:evaluations.warnOfAge', dataset: { path: 'data/heldout.csv' } },
        { state: 'DONE', requestedBy: given.engineer.id },
      ],
    },
  });
  await app.drainJobs({ tolerant: true });
});

test('people are warned 30, 7 and 1 days ahead and at the end, once each, and nothing moves', async () => {
  const given = await givenPromotable(app, { bare: true });
  await givenEvidence(app, given, { FAIRNESS: 'PASS' }, 40 * day);
  const request = await givenRequest(app, given);
  expect(await warnings(given)).toEqual([]);
  // Only what stands behind a protected alias is watched: so it is put there.
  await putInForce(given, request);

  const { data } = await app.graphql<{ model: { name: string } }>(
    given.engineer,
    `query ($id: ID!) { model(id: $id) { name } }`,
    { id: given.modelId },
  );
  const name = data?.model.name ?? '';
  const seen: string[][] = [];
  for (const days of [5, 6, 24, 4, 1]) {
    app.clock.advance(days * day);
    await tick();
    await tick();
    seen.push(await warnings(given));
  }

  expect(seen).toEqual([
    [],
    ['FAIRNESS 30'],
    ['FAIRNESS 30', 'FAIRNESS 7'],
    ['FAIRNESS 30', 'FAIRNESS 7', 'FAIRNESS 1'],
    ['FAIRNESS 30', 'FAIRNESS 7', 'FAIRNESS 1', 'FAIRNESS 0'],
  ]);
  expect(await champion(app, given.modelId)).toBe(given.versionId);
  const told = app.outside.sent
    .map((message) => message.title)
    .filter((title) => title.startsWith(`Evidence of fairness about ${name} `));
  expect(told).toEqual([
    expect.stringMatching(/version 1 ends in 30 days$/),
    expect.stringMatching(/ends in 7 days$/),
    expect.stringMatching(/ends in 1 day$/),
    expect.stringMatching(/is out of date$/),
  ]);
});

describe('evidence that an event made stale', () => {
  const INVALIDATE = `mutation ($input: EvidenceInvalidateInput!) { invalidateEvidence(input: $input) { evidenceIds } }`;

  test('blocks new promotions until it is made anew, and leaves its trail', async () => {
    const given = await givenPromotable(app);
    const id = await givenRequest(app, given);
    await decide(app, given.validator, id);
    const { versionId, useCaseId } = given;
    const input = { versionId, useCaseId, kinds: ['FAIRNESS'], cause: 'DRIFT', reason: 'Ages have moved' };

    const answer = await app.graphql<{ invalidateEvidence: { evidenceIds: string[] } }>(
      given.validator,
      INVALIDATE,
      { input },
    );
    await app.drainJobs();
    const { data } = await app.graphql(
      given.engineer,
      `query ($v: ID!, $u: ID!) { evidence(versionId: $v, newest: true) { nodes { kind verdict staleCause staleReason } }
         promotionCheck(versionId: $v, alias: "champion", useCaseId: $u) { requirements { rule state } } }`,
      { v: versionId, u: useCaseId },
    );

    expect(answer.code).toBeUndefined();
    expect(data).toMatchObject({
      evidence: {
        nodes: expect.arrayContaining([
          { kind: 'FAIRNESS', verdict: 'STALE', staleCause: 'DRIFT', staleReason: 'Ages have moved' },
          { kind: 'PERFORMANCE', verdict: 'PASS', staleCause: null, staleReason: null },
        ]) as unknown,
      },
      promotionCheck: {
        requirements: expect.arrayContaining([{ rule: 'evidence.FAIRNESS', state: 'STALE' }]) as unknown,
      },
    });
    expect(await app.trail(answer.data?.invalidateEvidence.evidenceIds[0] ?? '')).toMatchObject([
      { command: 'evidence.invalidate', outcome: 'done', actorId: given.validator.id },
    ]);
    // The required verdict has worsened, so the approval is void.
    expect((await decide(app, given.compliance, id)).state).toBe('OPEN');
    await givenEvidence(app, given, { FAIRNESS: 'PASS' });
    expect((await decide(app, given.validator, id)).state).toBe('EXECUTED');
  });

  test.each([
    ['by an engineer', 'engineer', {}, 'FORBIDDEN'],
    ['for no reason', 'validator', { reason: '' }, 'INVALID_INPUT'],
    ['about a version of nowhere', 'validator', { versionId: crypto.randomUUID() }, 'NOT_FOUND'],
    ['when there is none', 'validator', {}, 'CONFLICT'],
  ] as const)('is refused %s', async (_, role, part, code) => {
    const { versionId, useCaseId } = await givenPromotable(app, { bare: true });
    const input = { versionId, useCaseId, cause: 'ADVISORY', reason: 'CVE', ...part } as const;

    const run = app.run(invalidateEvidence, await app.actor(role), input);

    await expect(run).rejects.toMatchObject({ code });
  });
});

describe('after a change was carried out', () => {
  test('a card edit, worse evidence and a stale one mark the approval and the alias as diverged', async () => {
    const given = await givenPromotable(app);
    const id = await givenChampion(app, given);
    const before = await shown(given, id);
    const { versionId, useCaseId } = given;
    const edit = (value: string): Promise<unknown> =>
      app.run(updateCard, given.engineer, { versionId, useCaseId, fields: [{ name: 'limitations', value }] });

    await edit('other than agreed');
    await app.drainJobs();
    const edited = await shown(given, id);
    await edit('as agreed');
    await app.drainJobs();
    const back = await shown(given, id);
    const about = {
      versionId,
      useCaseId,
      kinds: ['FAIRNESS' as const],
      cause: 'DRIFT' as const,
      reason: 'Ages',
    };
    await app.run(invalidateEvidence, given.validator, about);
    await app.drainJobs();
    const stale = await shown(given, id);

    expect(before).toMatchObject({
      changeRequest: { divergedAt: null },
      model: { aliases: [{ name: 'champion', diverged: false }] },
    });
    expect(edited.changeRequest.divergence).toMatchObject([{ entry: 'card.limitations' }]);
    expect(edited.model.aliases).toEqual([{ name: 'champion', diverged: true }]);
    expect(back.changeRequest).toEqual({ divergedAt: null, divergence: null });
    expect(stale.changeRequest.divergence).toMatchObject([{ entry: 'evidence.FAIRNESS' }]);
    expect((await app.trail(id)).at(-1)).toMatchObject({ command: 'changeRequest.refresh', outcome: 'done' });
  });

  test('newer evidence that is no worse marks nothing, and what gave way is history', async () => {
    const given = await givenPromotable(app);
    const id = await givenChampion(app, given);
    await givenEvidence(app, given, { FAIRNESS: 'PASS' });
    const versionId = await givenNextVersion(app, given.engineer, given.modelId);
    await app.run(updateCard, given.engineer, {
      versionId,
      useCaseId: given.useCaseId,
      fields: [{ name: 'limitations', value: 'of another version' }],
    });
    await app.drainJobs();

    expect((await shown(given, id)).changeRequest.divergedAt).toBeNull();
  });
});
