import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { asSystem } from '../../kernel/system.js';
import { perform } from '../../worker/perform.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { systemActor } from '../../kernel/actor.js';
import { givenEnsemble, givenUseCase, referenceFiles } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { digestOf } from './evaluation-policy.js';
import { evidenceFor } from './evidence-for.js';

const heldout = 'data/adult-heldout.csv.gz';
const START = `mutation ($input: EvaluationStartInput!) { startEvaluation(input: $input) { id jobId } }`;
const EVALUATION = `query ($id: ID!) { evaluation(id: $id) { state failure progress finishedAt dataset { sha256 } } }`;
const EVIDENCE = `query ($versionId: ID!, $useCaseId: ID) {
  evidence(versionId: $versionId, useCaseId: $useCaseId, newest: true) { nodes {
    id kind verdict judgedVerdict provenance inputSha256 resultSha256 engineVersion seed document createdAt expiresAt
    result { rows basis figures { name value low high n reason } checks { figure value limit mode verdict }
      reliability { n predicted observed } groups { attribute group metric value n reason }
      comparisons { adjustedPValue } fourFifths { group verdict } attribution { player mean standardError share n } notes }
  } } }`;

interface Check {
  figure: string;
  verdict: string;
  mode: string;
}
interface Shown {
  kind: string;
  verdict: string;
  judgedVerdict: string;
  inputSha256: string;
  resultSha256: string;
  document: object;
  result: {
    rows: number;
    figures: {
      name: string;
      value: number | null;
      low: number | null;
      high: number | null;
      n: number | null;
    }[];
    checks: Check[];
    reliability: { n: number }[];
    groups: {
      attribute: string;
      group: string;
      metric: string;
      value: number | null;
      n: number | null;
      reason: string | null;
    }[];
    attribution: { player: string; mean: number; standardError: number; share: number; n: number }[];
    notes: string[];
  };
}

let app: TestApp;
let versionId: string;
let useCaseId: string;
beforeAll(async () => {
  app = await testApp();
  // One version for the whole file: full held-out data, and smaller tables to be refused or to fall short.
  const files = await referenceFiles('1.0.0', { data: true });
  const [header = '', ...lines] = gunzipSync(files.get(heldout) ?? Buffer.of())
    .toString()
    .trim()
    .split('\n');
  const withoutSex = (line: string): string => line.split(',').toSpliced(12, 1).join(',');
  const table = (rows: readonly string[]): string => rows.join('\n');
  files.set('data/small.csv', Buffer.from(table([header, ...lines.slice(0, 300)])));
  files.set('data/no-sex.csv.gz', gzipSync(table([header, ...lines.slice(0, 1500)].map(withoutSex))));
  files.set(
    'data/no-label.csv',
    Buffer.from(table([header.replace('income_above_50k', 'income'), ...lines.slice(0, 5)])),
  );
  files.set(
    'data/strange.csv',
    Buffer.from(table([header, lines[0] ?? '', (lines[1] ?? '').replace('Self-emp-not-inc', 'Pirate')])),
  );
  files.set('data/broken.csv.gz', Buffer.from('this is not gzip'));
  files.set('data/empty.csv', Buffer.from(`${header}\n`));
  // The worst model there is says the opposite: labels turned over.
  const turned = [
    header,
    ...lines.slice(0, 2000).map((line) => line.replace(/[01]$/, (label) => String(1 - Number(label)))),
  ];
  files.set('data/turned.csv', Buffer.from(table(turned)));
  ({ versionId } = await givenEnsemble(app, { files }));
  useCaseId = await givenUseCase(app);
  await app.drainJobs();
}, 120_000);

const start = async (datasetPath: string, role: 'engineer' | 'validator' = 'engineer', intoUse = useCaseId) =>
  app.graphql<{ startEvaluation: { id: string; jobId: string } }>(await app.actor(role), START, {
    input: { versionId, useCaseId: intoUse, datasetPath },
  });

const evidence = async (intoUse = useCaseId): Promise<Map<string, Shown>> => {
  const { data, errors } = await app.graphql<{ evidence: { nodes: Shown[] } }>(
    await app.actor('auditor'),
    EVIDENCE,
    {
      versionId,
      useCaseId: intoUse,
    },
  );
  expect(errors).toEqual([]);
  return new Map((data?.evidence.nodes ?? []).map((one) => [one.kind, one]));
};

const figure = (shown: Shown | undefined, name: string) =>
  shown?.result.figures.find((one) => one.name === name);

describe('evidence of the reference ensemble on its held-out data', () => {
  let id: string;
  beforeAll(async () => {
    const { data, errors } = await start(heldout);
    expect(errors).toEqual([]);
    id = data?.startEvaluation.id ?? '';
    await app.drainJobs();
  }, 120_000);

  test('is there when the evaluation is done, and the trail says who asked and what was found', async () => {
    const { data } = await app.graphql(await app.actor('engineer'), EVALUATION, { id });

    expect(data).toMatchObject({ evaluation: { state: 'DONE', failure: null, progress: 1 } });
    expect((await app.trail(id)).map((line) => [line.command, line.actorId.startsWith('job:')])).toEqual([
      ['evaluation.start', false],
      ['evaluation.begin', true],
      ['evaluation.record', true],
    ]);
  });

  test('states the figures that the manifest states, which Python computed', async () => {
    const shown = (await evidence()).get('PERFORMANCE');
    const manifest = JSON.parse((await referenceFiles()).get('manifest.json')?.toString() ?? '') as {
      metrics: { heldout: Record<string, { value: number; low: number; high: number }> };
    };
    const names = {
      accuracy: 'accuracy',
      auc: 'areaUnderCurve',
      brier: 'brier',
      logLoss: 'logLoss',
      ece: 'calibrationError',
    };

    for (const [theirs, ours] of Object.entries(names)) {
      const expected = manifest.metrics.heldout[theirs];
      expect(figure(shown, ours)?.value, ours).toBeCloseTo(expected?.value ?? Number.NaN, 5);
      expect(figure(shown, ours)?.n).toBe(12_211);
    }
    expect(figure(shown, 'runtimeGap')?.value).toBeLessThan(1e-5);
    expect(shown?.result.reliability.reduce((sum, bin) => sum + bin.n, 0)).toBe(12_211);
  });

  test('passes within the documented limits, and says plainly which watched limits it breaks', async () => {
    const found = await evidence();

    expect([...found].map(([kind, { verdict }]) => [kind, verdict]).sort()).toEqual([
      ['ATTRIBUTION', 'PASS'],
      ['FAIRNESS', 'PASS'],
      ['PERFORMANCE', 'PASS'],
    ]);
    const watched = found.get('FAIRNESS')?.result.checks.filter(({ verdict }) => verdict === 'FAIL');
    expect(watched?.map(({ figure: name, mode }) => [name, mode])).toContainEqual([
      'sex.selectionRate.ratio',
      'WARN',
    ]);
  });

  test('shows groups with n, suppresses what is too small, and covers the intersections', async () => {
    const groups = (await evidence()).get('FAIRNESS')?.result.groups ?? [];
    const women = groups.find(({ group, metric }) => group === 'Female' && metric === 'rows');

    expect(new Set(groups.map(({ attribute }) => attribute))).toEqual(new Set(['sex', 'race', 'sex & race']));
    expect(women?.value).toBe(4064);
    const suppressed = groups.filter(({ value, reason }) => value === null && reason !== null);
    expect(suppressed.length).toBeGreaterThan(0);
    expect(groups.filter(({ value, reason }) => value === null && reason === null)).toEqual([]);
  });

  test('names what drives the output, with standard errors over the stated sample', async () => {
    const rows = (await evidence()).get('ATTRIBUTION')?.result.attribution ?? [];

    expect(rows.map(({ player }) => player).sort()).toEqual(
      [
        'age',
        'capital_gain',
        'capital_loss',
        'education_num',
        'hours_per_week',
        'occupation',
        'workclass',
      ].sort(),
    );
    expect(rows.every(({ n, standardError }) => n === 400 && standardError > 0)).toBe(true);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  test('has a digest that anyone can compute from what is shown', async () => {
    for (const shown of (await evidence()).values())
      expect(digestOf(shown.document)).toBe(shown.resultSha256);
  });

  test('has the same digests when it is computed again from the same inputs, and other ones from other data', async () => {
    const before = await evidence();
    const elsewhere = await givenUseCase(app);
    await start(heldout, 'validator', elsewhere);
    await app.drainJobs();
    const again = await evidence(elsewhere);
    await start('data/small.csv', 'validator', elsewhere);
    await app.drainJobs();
    const other = await evidence(elsewhere);

    for (const [kind, { inputSha256, resultSha256 }] of before) {
      expect(again.get(kind)).toMatchObject({ inputSha256, resultSha256 });
      expect(other.get(kind)?.inputSha256).not.toBe(inputSha256);
      expect(other.get(kind)?.resultSha256).not.toBe(resultSha256);
    }
  }, 60_000);

  test('cannot be edited, not even inside of a command', async () => {
    const scope = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
    const edit = app.db.transact('app_writer', scope, (tx) => tx.sql(`update evidence set verdict = 'PASS'`));

    await expect(edit).rejects.toThrow('permission denied');
  });
});

test('a model that is wrong fails, and the failing figures are named', async () => {
  const use = await givenUseCase(app);
  await start('data/turned.csv', 'engineer', use);
  await app.drainJobs();

  const shown = (await evidence(use)).get('PERFORMANCE');

  expect(shown?.verdict).toBe('FAIL');
  expect(
    shown?.result.checks.filter(({ verdict }) => verdict === 'FAIL').map((check) => check.figure),
  ).toEqual(expect.arrayContaining(['accuracy', 'areaUnderCurve', 'brier']));
}, 60_000);

test('data without a protected attribute leave the fairness missing, never passed', async () => {
  const use = await givenUseCase(app);
  await start('data/no-sex.csv.gz', 'engineer', use);
  await app.drainJobs();

  const shown = (await evidence(use)).get('FAIRNESS');

  expect(shown?.verdict).toBe('MISSING');
  expect(shown?.result.notes).toContain(
    'The data set has no column sex: nothing is known about these groups.',
  );
}, 60_000);

test('evidence grows stale by itself when its time is over', async () => {
  const later = new Date(app.clock.now().getTime() + 91 * 86_400_000);
  const scope = { workspaceId: app.workspaceId, organizationId: app.organizationId, commandId: null };
  const standing = (now: Date) =>
    app.db.transact('app_reader', scope, (db) => evidenceFor(db, versionId, useCaseId, now));

  expect((await standing(app.clock.now())).map(({ verdict }) => verdict)).toEqual([
    ...['PASS', 'PASS', 'PASS'],
    'MISSING',
  ]);
  expect((await standing(later)).map(({ verdict }) => verdict)).toEqual([
    ...['STALE', 'STALE', 'STALE'],
    'MISSING',
  ]);
  expect(
    (
      await app.db.transact('app_reader', scope, (db) => evidenceFor(db, versionId, app.workspaceId, later))
    ).map(({ verdict }) => verdict),
  ).toEqual(['MISSING', 'MISSING', 'MISSING', 'MISSING']);
});

describe('a data set that cannot be measured ends the evaluation with a sentence', () => {
  test.each([
    ['without the outcome', 'data/no-label.csv', 'no column income_above_50k'],
    [
      'with a category that the manifest does not know',
      'data/strange.csv',
      'Line 3 of the data set: workclass is not one of the categories',
    ],
    ['that is damaged', 'data/broken.csv.gz', 'damaged'],
    ['without rows', 'data/empty.csv', 'has a header and no rows'],
  ])('%s', async (_, path, sentence) => {
    const { data } = await start(path);
    const { jobId, id } = data?.startEvaluation ?? { jobId: '', id: '' };
    const { failed } = await app.drainJobs({ tolerant: true });
    const reason = failed[0]?.error instanceof Error ? failed[0].error.message : '';
    expect(reason).toContain(sentence);

    // The worker gives up as its last try fails; what follows is ours.
    const actor = systemActor('job:evaluations.run', {
      workspaceId: app.workspaceId,
      organizationId: app.organizationId,
    });
    await app.run(giveUpJob, actor, {
      id: jobId,
      name: 'evaluations.run',
      attempts: 1,
      reason,
      code: 'INVALID_INPUT',
    });
    await app.drainJobs();

    const { data: shown } = await app.graphql(await app.actor('engineer'), EVALUATION, { id });
    expect(shown).toMatchObject({ evaluation: { state: 'FAILED', failure: reason } });
  });
});

describe('an evaluation whose worker ended', () => {
  const waiting = () =>
    asSystem(app.db, (tx) =>
      tx.sql<Record<string, unknown>>(`select * from outbox where job = 'evaluations.run'`),
    );
  const deliver = async (signal: AbortSignal): Promise<void> => {
    const [row] = await waiting();
    if (!row) throw new Error('Nothing waits');
    await perform(
      { ...app, outside: app.outside },
      {
        id: String(row['id']),
        job: 'evaluations.run',
        payload: row['payload'],
        workspaceId: app.workspaceId,
        organizationId: app.organizationId,
        requestId: null,
        attempt: 1,
      },
      signal,
    );
  };

  test('while it computed leaves nothing half done, and the next worker finishes it', async () => {
    const use = await givenUseCase(app);
    await start(heldout, 'engineer', use);
    const stop = new AbortController();
    setTimeout(() => {
      stop.abort(new Error('The worker stops'));
    }, 300);

    await expect(deliver(stop.signal)).rejects.toThrow('The worker stops');
    expect((await evidence(use)).size).toBe(0);
    await app.drainJobs();
    expect([...(await evidence(use)).values()].map(({ verdict }) => verdict)).toEqual([
      'PASS',
      'PASS',
      'PASS',
    ]);
  }, 60_000);

  test('after it recorded records nothing twice', async () => {
    const use = await givenUseCase(app);
    await start('data/small.csv', 'engineer', use);
    await deliver(new AbortController().signal);
    const before = await evidence(use);
    await app.drainJobs();

    expect([...(await evidence(use)).values()]).toEqual([...before.values()]);
    expect(before.size).toBe(3);
  }, 60_000);
});

test('asking again while it waits gives the same evaluation', async () => {
  const first = await start('data/small.csv');
  const second = await start('data/small.csv', 'validator');

  expect(second.data).toEqual(first.data);
  await app.drainJobs();
}, 60_000);
