import { parse, validate } from 'graphql';
import { beforeAll, expect, test } from 'vitest';
import { createRoleRule } from './features/identity/index.js';
import { renderReport } from './features/reports/index.js';
import { givenEnsemble } from './testing/given-version.js';
import { openTestDoor, type TestDoor } from './testing/http-door.js';
import { testApp, type TestApp } from './testing/test-app.js';

const person = (sub: string, ...groups: string[]) => ({
  sub,
  name: `${sub} Example`,
  email: `${sub}@example.test`,
  groups,
});

let app: TestApp;
let door: TestDoor;
beforeAll(async () => {
  app = await testApp();
  door = await openTestDoor(app, { people: [person('eve', 'engineers'), person('stranger', 'strangers')] });
  await app.run(createRoleRule, app.system(), { group: 'engineers', role: 'engineer' });
});

const startPage = async (
  subject: string,
): Promise<{ shown: string; read: (path: string) => Promise<Response> }> => {
  const browser = door.browser();
  await browser.signIn(subject);
  return { shown: await (await browser.send('/')).text(), read: (path) => browser.send(path) };
};

test('the start page offers the finished reports of the workspace to those who may read them', async () => {
  const empty = await startPage('eve');
  expect(empty.shown).toContain('None yet. <a href="/docs/reports.md">');
  expect((await empty.read('/docs/reports.md')).status).toBe(200);
  const { versionId } = await givenEnsemble(app);
  await app.drainJobs();
  const engineer = await app.actor('engineer');
  const { id } = await app.run(renderReport, engineer, { template: 'model-version', subjectId: versionId });
  expect((await startPage('eve')).shown).toContain('None yet.');
  await app.drainJobs();

  const { shown, read } = await startPage('eve');

  expect(shown).toContain('Newest reports');
  expect(shown).not.toContain('None yet.');
  expect((await startPage('stranger')).shown).not.toContain('Newest reports');
  for (const [file, type] of [
    ['pdf', 'application/pdf'],
    ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ]) {
    const path = `/v1/reports/${id}.${String(file)}`;
    expect(shown).toContain(`href="${path}"`);
    const answer = await read(path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
  }
});

test('the start page leads to the metrics of the worker too, where jobs and decisions are measured', async () => {
  const shown = async (environment: Record<string, string>): Promise<string> => {
    const { url } = await openTestDoor(app, { environment });
    return (await fetch(url)).text();
  };
  expect(await shown({ WORKER_METRICS_PORT: '14999' })).toContain('href="http://127.0.0.1:14999/metrics"');
  expect(await shown({})).not.toContain('Metrics of the worker');
});

test('where a message about a change request leads, a page says how to look and how to decide', async () => {
  const { read } = await startPage('eve');
  const answer = await read('/changes/11');
  const shown = await answer.text();

  expect(answer.status).toBe(200);
  expect(shown).toContain('Change request #11');
  const question = /<pre><code>([\s\S]*?)<\/code>/.exec(shown)?.[1] ?? '';
  expect(validate(app.schema, parse(question))).toEqual([]);
  const document = /href="(\/docs\/[^"]+)"/.exec(shown)?.[1] ?? '';
  expect((await read(document)).status).toBe(200);
  expect((await read('/changes/none')).status).toBe(404);
});
