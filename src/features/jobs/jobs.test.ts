import { beforeAll, expect, test } from 'vitest';
import { giveUpJob } from '../../kernel/give-up.js';
import { newId } from '../../kernel/id.js';
import { asSystem } from '../../kernel/system.js';
import { testApp, type TestApp } from '../../testing/test-app.js';

let app: TestApp;
let other: string;

beforeAll(async () => {
  app = await testApp();
  other = await app.otherWorkspace();
});

const subject = newId();

const write = async (state: string, workspaceId = app.workspaceId): Promise<string> => {
  const id = newId();
  await asSystem(app.db, (tx) =>
    tx.sql(
      `insert into job (id, workspace_id, name, subject_kind, subject_id, state, progress, message)
       values ($1, $2, 'registry.intake', 'modelVersion', $3, $4, 0.5, 'Reading')`,
      [id, workspaceId, subject, state],
    ),
  );
  return id;
};

const JOB =
  'query ($id: ID!) { job(id: $id) { id name subjectId state progress message attempts finishedAt } }';
const JOBS = `query ($subjectId: String, $state: JobState, $first: Int, $after: String) {
  jobs(subjectId: $subjectId, state: $state, first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }`;

interface List {
  readonly jobs: { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

test('people see how far work is that somebody asked for', async () => {
  const id = await write('RUNNING');
  const { data } = await app.graphql(await app.actor('auditor'), JOB, { id });
  expect(data?.['job']).toEqual({
    id,
    name: 'registry.intake',
    subjectId: subject,
    state: 'RUNNING',
    progress: 0.5,
    message: 'Reading',
    attempts: 0,
    finishedAt: null,
  });
});

test('work of another workspace is not there', async () => {
  const id = await write('RUNNING', other);
  const { code } = await app.graphql(await app.actor('auditor'), JOB, { id });
  expect(code).toBe('NOT_FOUND');
});

test('the list is of one subject and state, the latest first, page by page', async () => {
  const about = { subjectId: subject, state: 'QUEUED' };
  const ids = [await write('QUEUED'), await write('QUEUED'), await write('QUEUED')];
  await write('QUEUED', other);
  const actor = await app.actor('engineer');
  const first = await app.graphql<List>(actor, JOBS, { ...about, first: 2 });
  expect(first.data?.jobs.nodes.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
  const after = first.data?.jobs.pageInfo.endCursor;
  const rest = await app.graphql<List>(actor, JOBS, { ...about, first: 2, after });
  expect(rest.data?.jobs).toMatchObject({ nodes: [{ id: ids[0] }], pageInfo: { hasNextPage: false } });
});

test('nobody but the product and an administrator ends a job as failed, and the attempt leaves a trail', async () => {
  const id = await write('RUNNING');
  const input = { id, name: 'registry.intake', attempts: 1, reason: 'Enough', code: 'INTERNAL' };
  await expect(app.run(giveUpJob, await app.actor('engineer'), input)).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  expect(await app.trail(id)).toMatchObject([{ command: 'job.giveUp', outcome: 'refused' }]);
});

test('giving up does not reach into another workspace', async () => {
  const id = await write('RUNNING', other);
  await app.run(giveUpJob, app.system('job:registry.intake'), {
    id,
    name: 'registry.intake',
    attempts: 1,
    reason: 'Enough',
    code: 'INTERNAL',
  });
  const [row] = await asSystem(app.db, (tx) =>
    tx.sql<{ state: string }>('select state from job where id = $1', [id]),
  );
  expect(row?.state).toBe('RUNNING');
});
