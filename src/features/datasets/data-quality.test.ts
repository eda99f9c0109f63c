import { beforeAll, describe, expect, test } from 'vitest';
import { systemActor, type Role } from '../../kernel/actor.js';
import { giveUpJob } from '../../kernel/give-up.js';
import { freshName } from '../../testing/given-version.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { createDataset, createDatasetVersion, recordDatasetContent } from './index.js';

const CHECK = `mutation ($input: DatasetVersionCheckInput!) { checkDataQuality(input: $input) { id jobId } }`;
const READ = `query ($id: ID!) { dataQualityChecks(datasetVersionId: $id) { nodes { id state message verdict sha256
  report { rows engine results { kind column verdict observed failing rows reason } } } } }`;

let app: TestApp;
beforeAll(async () => {
  app = await testApp();
});

const uploaded = async (content: string): Promise<string> => {
  const engineer = await app.actor('engineer');
  const { id: datasetId } = await app.run(createDataset, engineer, { name: freshName('quality') });
  const { id } = await app.run(createDatasetVersion, engineer, { datasetId });
  const bytes = (async function* () {
    yield await Promise.resolve(Buffer.from(content));
  })();
  const stored = await app.outside.artifacts.put(bytes, { maxBytes: 1_000_000 });
  await app.run(recordDatasetContent, engineer, { datasetVersionId: id, ...stored });
  await app.drainJobs({ tolerant: true });
  return id;
};

const check = async (datasetVersionId: string, expectations: readonly object[], role: Role = 'engineer') =>
  app.graphql<{ checkDataQuality: { id: string; jobId: string } }>(await app.actor(role), CHECK, {
    input: { datasetVersionId, expectations },
  });

interface Shown {
  readonly state: string;
  readonly verdict: string | null;
  readonly message: string;
  readonly report: { readonly rows: number; readonly results: readonly object[] } | null;
}

const newest = async (id: string): Promise<Shown | undefined> => {
  const { data } = await app.graphql<{ dataQualityChecks: { nodes: Shown[] } }>(
    await app.actor('auditor'),
    READ,
    {
      id,
    },
  );
  return data?.dataQualityChecks.nodes[0];
};

const table = 'age,mail\n30,a@x.org\n,b@x.org\n200,secret\n';

test('expectations are checked in a job; counts and row numbers are shown, values are not', async () => {
  const id = await uploaded(table);
  const { data, errors } = await check(id, [
    { kind: 'ROWS', atLeast: 1 },
    { kind: 'RANGE', column: 'age', atMost: 120 },
    { kind: 'REGEX', column: 'mail', pattern: '.+@x\\.org' },
    { kind: 'COLUMN', column: 'name' },
  ]);
  expect(errors).toEqual([]);
  await app.drainJobs();

  const shown = await newest(id);
  expect(shown).toMatchObject({ state: 'DONE', verdict: 'FAIL', report: { rows: 3 } });
  expect(shown?.report?.results).toMatchObject([
    { verdict: 'PASS', observed: 3 },
    { verdict: 'FAIL', failing: 1, rows: [3] },
    { verdict: 'FAIL', failing: 1, rows: [3] },
    { verdict: 'FAIL', reason: 'The data have no column name.' },
  ]);
  expect(JSON.stringify(shown)).not.toContain('secret');
  expect((await app.trail(data?.checkDataQuality.id ?? '')).map(({ command }) => command)).toEqual([
    'datasetVersion.check',
    'datasetVersion.recordQuality',
  ]);
});

describe('a check', () => {
  test.each([
    ['by an auditor', 'auditor', [{ kind: 'COLUMN', column: 'age' }], 'FORBIDDEN'],
    ['of nothing', 'engineer', [], 'INVALID_INPUT'],
    ['of what no expectation is', 'engineer', [{ kind: 'SQL', column: '1; drop table' }], 'INVALID_INPUT'],
    ['without a limit', 'engineer', [{ kind: 'MEAN', column: 'age' }], 'INVALID_INPUT'],
  ] as const)('%s is refused', async (_, role, expectations, code) => {
    expect((await check(await uploaded(table), expectations, role)).code).toBe(code);
  });

  test('of data that stand elsewhere, or in another workspace, is refused', async () => {
    const engineer = await app.actor('engineer');
    const { id: datasetId } = await app.run(createDataset, engineer, { name: freshName('elsewhere') });
    const reference = { uri: 's3://data/x.csv', sha256: 'b'.repeat(64) };
    const { id } = await app.run(createDatasetVersion, engineer, { datasetId, reference });
    const expectations = [{ kind: 'COLUMN', column: 'age' }];
    expect((await check(id, expectations)).code).toBe('PRECONDITION_FAILED');

    const workspaceId = await app.otherWorkspace();
    const stranger = await app.actor('engineer', { name: 'stranger', workspaceId });
    const input = { datasetVersionId: await uploaded(table), expectations };
    expect((await app.graphql(stranger, CHECK, { input })).code).toBe('NOT_FOUND');
  });

  test('of a file that is no table fails and says so', async () => {
    const id = await uploaded('PAR1');
    await check(id, [{ kind: 'COLUMN', column: 'age' }]);
    await app.drainJobs({ tolerant: true });
    expect(await newest(id)).toMatchObject({
      state: 'FAILED',
      verdict: null,
      message: expect.stringContaining('cannot be checked') as string,
    });
  });

  test('whose worker gave up does not wait for ever', async () => {
    const id = await uploaded(table);
    const { data } = await check(id, [{ kind: 'COLUMN', column: 'age' }]);
    const { workspaceId, organizationId } = app;
    const actor = systemActor('job:datasets.check', { workspaceId, organizationId });
    const about = { id: data?.checkDataQuality.jobId ?? '', name: 'datasets.check', attempts: 3 };
    await app.run(giveUpJob, actor, { ...about, reason: 'The worker was gone', code: 'INTERNAL' });
    await app.drainJobs({ only: ['datasets.noteFailedCheck'] });
    expect(await newest(id)).toMatchObject({ state: 'FAILED' });
  });
});
