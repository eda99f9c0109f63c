import { beforeAll, describe, expect, test } from 'vitest';
import { randomStream } from '../../analysis/index.js';
import { systemActor, type Role } from '../../kernel/actor.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { asSystem } from '../../kernel/system.js';
import { freshName, givenUseCase, givenVersion } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createDataset, createDatasetVersion, recordDatasetContent } from '../datasets/index.js';
import { digestOf } from './evaluation-policy.js';

const START = `mutation ($input: EvaluationStartInput!) { startEvaluation(input: $input) { id jobId } }`;
const EVALUATION = `query ($id: ID!) { evaluation(id: $id) { state failure progress suite dataset { name path sha256 } } }`;
const EVIDENCE = `query ($versionId: ID!, $useCaseId: ID) { evidence(versionId: $versionId, useCaseId: $useCaseId, newest: true) {
  nodes { kind verdict provenance submittedBy inputSha256 resultSha256 document
    result { rows basis notes figures { name value low high n reason } checks { figure verdict mode }
      groups { attribute group metric value } reliability { n }
      drift { column kind psi psiThreshold adjustedPValue kolmogorovLow kolmogorovHigh wasserstein drifted reason } } } } }`;
const BASELINES = `query ($versionId: ID!, $useCaseId: ID!) { driftBaselines(versionId: $versionId, useCaseId: $useCaseId) {
  id rows calibrated sha256 columns { name kind bins } } }`;
const SERIES = `query ($id: ID!, $from: DateTimeISO, $columns: [String!]) { driftSeries(baselineId: $id, from: $from, columns: $columns) {
  points { observedAt rows columns { column psi drifted } } whole { rows columns { column psi } } } }`;

interface Figure {
  readonly name: string;
  readonly value: number | null;
  readonly n: number | null;
  readonly reason: string | null;
}
interface Shown {
  readonly kind: string;
  readonly verdict: string;
  readonly provenance: string;
  readonly submittedBy: string | null;
  readonly inputSha256: string;
  readonly resultSha256: string;
  readonly document: object;
  readonly result: {
    readonly rows: number;
    readonly basis: Readonly<Record<string, unknown>>;
    readonly notes: readonly string[];
    readonly figures: readonly Figure[];
    readonly checks: readonly { readonly figure: string; readonly verdict: string }[];
    readonly groups: readonly { readonly group: string }[];
    readonly reliability: readonly unknown[];
    readonly drift: readonly {
      readonly column: string;
      readonly psi: number | null;
      readonly drifted: boolean;
    }[];
  };
}

let app: TestApp;
let versionId: string;
let useCaseId: string;
beforeAll(async () => {
  app = await testApp();
  // A model that is somewhere else: nothing here could score it.
  ({ versionId } = await givenVersion(app));
  useCaseId = await givenUseCase(app);
  await app.drainJobs();
}, 60_000);

const bytesOf = async function* (content: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(content));
};

/** A table in the store, as an uploaded version of a data set. */
const uploaded = async (content: string): Promise<string> => {
  const engineer = await app.actor('engineer');
  const { id: datasetId } = await app.run(createDataset, engineer, { name: freshName('predictions') });
  const { id } = await app.run(createDatasetVersion, engineer, { datasetId });
  const { sha256, bytes } = await app.outside.artifacts.put(bytesOf(content), { maxBytes: 100_000_000 });
  await app.run(recordDatasetContent, engineer, { datasetVersionId: id, sha256, bytes });
  return id;
};

const { uniform } = randomStream(77);
const tableOf = (rows: number, shift = 0, isKnown = true): string => {
  const lines = Array.from({ length: rows }, (_, row) => {
    const score = Math.round(uniform() * 1000) / 1000;
    const outcome = isKnown ? (uniform() < score ? 'repaid' : 'lost') : '';
    const age = Math.floor(18 + shift + uniform() * 50);
    return `${String(score)},${outcome},${row % 2 === 0 ? 'f' : 'm'},${String(age)},${row % 3 === 0 ? 'rent' : 'own'}`;
  });
  return ['score,outcome,sex,age,home', ...lines].join('\n');
};

const read = {
  score: 'score',
  outcome: 'outcome',
  groups: ['sex'],
  positive: 'repaid',
};

const start = async (predictions: object, role: Role = 'engineer', about: object = {}) =>
  app.graphql<{ startEvaluation: { id: string; jobId: string } }>(await app.actor(role), START, {
    input: { versionId, useCaseId, predictions, ...about },
  });

/** The worker gives up as its last try fails; what follows is ours. */
const giveUp = async (id: string, error: unknown): Promise<void> => {
  const { workspaceId, organizationId } = app;
  const actor = systemActor('job:evaluations.run', { workspaceId, organizationId });
  const reason = error instanceof Error ? error.message : '';
  await app.run(giveUpJob, actor, {
    id,
    name: 'evaluations.run',
    attempts: 1,
    reason,
    code: 'INVALID_INPUT',
  });
  await app.drainJobs({ tolerant: true });
};

const evaluated = async (predictions: object, about: object = {}) => {
  const { data, errors } = await start(predictions, 'engineer', about);
  expect(errors).toEqual([]);
  const id = data?.startEvaluation.id ?? '';
  const { failed } = await app.drainJobs({ tolerant: true });
  for (const { error } of failed) await giveUp(data?.startEvaluation.jobId ?? '', error);
  const answer = await app.graphql<{
    evaluation: { state: string; failure: string | null; suite: string; dataset: { sha256: string } };
  }>(await app.actor('auditor'), EVALUATION, { id });
  return { id, ...answer.data?.evaluation };
};

const evidence = async (
  about: { versionId?: string; useCaseId?: string } = {},
): Promise<Map<string, Shown>> => {
  const { data, errors } = await app.graphql<{ evidence: { nodes: Shown[] } }>(
    await app.actor('auditor'),
    EVIDENCE,
    {
      versionId,
      useCaseId,
      ...about,
    },
  );
  expect(errors).toEqual([]);
  return new Map((data?.evidence.nodes ?? []).map((one) => [one.kind, one]));
};
const figure = (shown: Shown | undefined, name: string): Figure | undefined =>
  shown?.result.figures.find((one) => one.name === name);

describe('predictions with scores, outcomes and groups', () => {
  let id: string;
  beforeAll(async () => {
    const datasetVersionId = await uploaded(tableOf(3000));
    const features = [
      { name: 'age', kind: 'NUMERIC' },
      { name: 'home', kind: 'CATEGORICAL' },
    ];
    const done = await evaluated({ ...read, datasetVersionId, features, freezeBaseline: true });
    expect(done).toMatchObject({ state: 'DONE', failure: null, suite: 'predictions-binary/1' });
    ({ id } = done);
  }, 60_000);

  test('leave evidence that says who sent them and is never called computed', async () => {
    const found = await evidence();
    const engineer = await app.actor('engineer');

    expect([...found.keys()].toSorted()).toEqual(['FAIRNESS', 'PERFORMANCE']);
    for (const shown of found.values()) {
      expect(shown).toMatchObject({ provenance: 'SUBMITTED', submittedBy: engineer.id });
      expect(shown.result.basis).toMatchObject({ provenance: 'SUBMITTED', submittedBy: engineer.id });
      expect(shown.result.notes[0]).toContain('SUBMITTED');
      expect(digestOf(shown.document)).toBe(shown.resultSha256);
    }
    const performance = found.get('PERFORMANCE');
    expect(performance).toMatchObject({ verdict: 'PASS', result: { rows: 3000 } });
    expect(figure(performance, 'accuracy')?.value).toBeGreaterThan(0.7);
    expect(figure(performance, 'areaUnderCurve')?.value).toBeGreaterThan(0.8);
    expect(figure(found.get('FAIRNESS'), 'truePositiveRate.difference.largest')?.value).toBeLessThan(0.1);
    expect(found.get('FAIRNESS')?.result.groups.map(({ group }) => group)).toContain('f');
  });

  test('the trail says who asked, how the table is read, and what was frozen', async () => {
    expect((await app.trail(id)).map((line) => [line.command, line.actorId.startsWith('job:')])).toEqual([
      ['evaluation.start', false],
      ['evaluation.begin', true],
      ['evaluation.record', true],
    ]);
    const { data } = await app.graphql<{ driftBaselines: { id: string; columns: { name: string }[] }[] }>(
      await app.actor('auditor'),
      BASELINES,
      { versionId, useCaseId },
    );
    expect(data?.driftBaselines).toMatchObject([{ rows: 3000, calibrated: true }]);
    expect(data?.driftBaselines[0]?.columns.map(({ name }) => name)).toEqual(['age', 'home', 'score']);
    const [line] = await app.trail(data?.driftBaselines[0]?.id ?? '');
    expect(line?.command).toBe('evaluation.record');
  });

  test('evidence, baseline and window cannot be edited, not even inside of a command', async () => {
    const set = { drift_baseline: 'row_count = 1', drift_window: 'row_count = 1' };
    for (const [table, change] of Object.entries(set)) {
      await expect(asSystem(app.db, (tx) => tx.sql(`update ${table} set ${change}`))).rejects.toThrow(
        'permission denied',
      );
    }
  });
});

const newestBaseline = async (): Promise<string> => {
  const { data } = await app.graphql<{ driftBaselines: { id: string }[] }>(
    await app.actor('auditor'),
    BASELINES,
    { versionId, useCaseId },
  );
  return data?.driftBaselines[0]?.id ?? '';
};
const psiOfFirst = (point: { columns: { psi: number }[] } | undefined): number =>
  point?.columns[0]?.psi ?? -1;

describe('later predictions', () => {
  test('whose outcomes nobody knows yet: what is expected, and how far the columns have moved', async () => {
    const still = await uploaded(tableOf(1500, 0, false));
    expect(
      await evaluated({ ...read, datasetVersionId: still, observedAt: '2026-10-01T00:00:00Z' }),
    ).toMatchObject({
      state: 'DONE',
    });
    const calm = (await evidence()).get('DRIFT');
    expect(calm).toMatchObject({ verdict: 'PASS', provenance: 'SUBMITTED' });
    expect(calm?.result.drift.map(({ column, drifted }) => [column, drifted])).toEqual([
      ['age', false],
      ['home', false],
      ['score', false],
    ]);

    const moved = await uploaded(tableOf(1500, 25, false));
    await evaluated({ ...read, datasetVersionId: moved, observedAt: '2026-11-01T00:00:00Z' });
    const found = await evidence();
    expect(found.get('DRIFT')?.verdict).toBe('FAIL');
    expect(found.get('DRIFT')?.result.drift.find(({ drifted }) => drifted)?.column).toBe('age');

    const performance = found.get('PERFORMANCE');
    expect(performance?.verdict).toBe('MISSING');
    expect(figure(performance, 'accuracy')).toMatchObject({ value: null, reason: 'No outcome is known.' });
    expect(figure(performance, 'expected.accuracy')?.value).toBeGreaterThan(0.7);
    expect(figure(performance, 'expected.sex.f.truePositiveRate')?.value).toBeGreaterThan(0.5);
  }, 60_000);

  test('are a series that a chart can take, and add up to the whole of it', async () => {
    const auditor = await app.actor('auditor');
    const id = await newestBaseline();
    const { data, errors } = await app.graphql<{
      driftSeries: {
        points: { observedAt: string; columns: { column: string; psi: number }[] }[];
        whole: { rows: number; columns: { psi: number }[] };
      };
    }>(auditor, SERIES, { id, columns: ['age'] });

    expect(errors).toEqual([]);
    const [first, second] = data?.driftSeries.points ?? [];
    expect(first?.columns.map(({ column }) => column)).toEqual(['age']);
    const sizes = [first, data?.driftSeries.whole, second].map(psiOfFirst);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(new Set(sizes).size).toBe(3);
    expect(data?.driftSeries.whole.rows).toBe(3000);
    const since = await app.graphql<{ driftSeries: { points: unknown[] } }>(auditor, SERIES, {
      id,
      from: '2026-10-15T00:00:00Z',
    });
    expect(since.data?.driftSeries.points).toHaveLength(1);
  });

  test('the same table read in the same way has the same digests', async () => {
    const other = await givenUseCase(app);
    const datasetVersionId = await uploaded(tableOf(200));
    const seen = new Set<string>();
    for (let time = 0; time < 2; time += 1) {
      await evaluated({ ...read, datasetVersionId }, { useCaseId: other });
      const shown = (await evidence({ useCaseId: other })).get('PERFORMANCE');
      seen.add(`${shown?.inputSha256 ?? ''} ${shown?.resultSha256 ?? ''}`);
    }
    expect(seen.size).toBe(1);
  }, 60_000);
});

test('labels only, as a language model or a vendor gives them, are enough', async () => {
  const other = await givenUseCase(app);
  const lines = Array.from({ length: 1200 }, (_, row) => {
    const truth = ['approve', 'decline', 'refer'][row % 3] ?? 'refer';
    return `${row % 10 === 0 ? 'refer' : truth},${truth}`;
  });
  const datasetVersionId = await uploaded(['said,truth', ...lines].join('\n'));
  const spec = { prediction: 'said', outcome: 'truth', positive: 'approve', datasetVersionId };
  expect(await evaluated(spec, { useCaseId: other })).toMatchObject({ state: 'DONE' });

  const found = await evidence({ useCaseId: other });
  expect([...found.keys()]).toEqual(['PERFORMANCE']);
  const shown = found.get('PERFORMANCE');
  expect(shown?.verdict).toBe('PASS');
  expect(figure(shown, 'exactMatch')?.value).toBeCloseTo(1120 / 1200, 10);
  expect(figure(shown, 'areaUnderCurve')).toMatchObject({
    value: null,
    reason: 'There are no scores, only predictions.',
  });
});

describe('a table that cannot be measured ends the evaluation with a sentence', () => {
  test.each([
    ['a score that is infinite', 'score,outcome,sex\ninf,repaid,f\n', 'missing, infinite or no number'],
    ['no such column', 'points,outcome,sex\n1,repaid,f\n', 'no column score'],
    ['no rows', 'score,outcome,sex\n', 'no rows'],
    ['bytes that are no table', 'PAR1', 'cannot be measured'],
  ])('%s', async (_, content, sentence) => {
    const other = await givenUseCase(app);
    const done = await evaluated(
      { ...read, datasetVersionId: await uploaded(content) },
      { useCaseId: other },
    );

    expect(done).toMatchObject({ state: 'FAILED', failure: expect.stringContaining(sentence) as string });
    expect(await evidence({ useCaseId: other })).toEqual(new Map());
  });
});

describe('an evaluation from predictions is not started', () => {
  let datasetVersionId: string;
  beforeAll(async () => {
    datasetVersionId = await uploaded(tableOf(10));
  });

  test.each([
    ['by an auditor', 'auditor', {}, {}, 'FORBIDDEN'],
    ['without prediction and score', 'engineer', { score: null }, {}, 'INVALID_INPUT'],
    ['with one column twice', 'engineer', { outcome: 'score' }, {}, 'INVALID_INPUT'],
    ['from two tables', 'engineer', { artifactPath: 'a.csv' }, {}, 'INVALID_INPUT'],
    ['and a data set at once', 'engineer', {}, { datasetPath: 'a.csv' }, 'INVALID_INPUT'],
    [
      'on features that nothing is frozen of',
      'engineer',
      { features: [{ name: 'age', kind: 'NUMERIC' }] },
      {},
      'INVALID_INPUT',
    ],
    ['against a baseline that is not here', 'engineer', { baselineId: crypto.randomUUID() }, {}, 'NOT_FOUND'],
    ['on an upload that is not here', 'engineer', { datasetVersionId: crypto.randomUUID() }, {}, 'NOT_FOUND'],
  ] as const)('%s', async (_, role, change, about, code) => {
    expect((await start({ ...read, datasetVersionId, ...change }, role, about)).code).toBe(code);
  });

  test('on the table of another workspace, or a table that stands elsewhere', async () => {
    const engineer = await app.actor('engineer');
    const { id: datasetId } = await app.run(createDataset, engineer, { name: freshName('elsewhere') });
    const reference = { uri: 's3://data/x.csv', sha256: 'a'.repeat(64) };
    const { id } = await app.run(createDatasetVersion, engineer, { datasetId, reference });
    expect((await start({ ...read, datasetVersionId: id })).code).toBe('PRECONDITION_FAILED');

    const workspaceId = await app.otherWorkspace();
    const stranger = await app.actor('engineer', { name: 'stranger', workspaceId });
    const answer = await app.graphql(stranger, START, {
      input: { versionId, useCaseId, predictions: { ...read, datasetVersionId } },
    });
    expect(answer.code).toBe('NOT_FOUND');
  });

  test('twice at a time: the same question is the same evaluation, another one waits', async () => {
    const other = await givenUseCase(app);
    const ask = (change: object) =>
      start({ ...read, datasetVersionId, ...change }, 'engineer', { useCaseId: other });
    const [first, second, third] = [await ask({}), await ask({}), await ask({ threshold: 0.7 })];

    expect(second.data?.startEvaluation.id).toBe(first.data?.startEvaluation.id);
    expect(third.code).toBe('CONFLICT');
    await app.drainJobs();
  });
});
