import { beforeAll, expect, test } from 'vitest';
import type { Compute } from '../../kernel/ports.js';
import { asSystem } from '../../kernel/system.js';
import { runStatement } from '../../testing/databases.js';
import { givenEndpoint, poor, rich, type GivenEndpoint } from '../../testing/given-endpoint.js';
import { testApp, type TestApp } from '../../testing/test-app.js';
import { perform } from '../../worker/perform.js';
import { decisionById, requestDecisions, runDecisions } from './index.js';

let app: TestApp;
let endpoint: GivenEndpoint;
beforeAll(async () => {
  app = await testApp();
  endpoint = await givenEndpoint(app);
});

let keys = 0;

/** Asks for decisions in one call; one job carries them. */
const ask = async (...applications: (typeof rich)[]) => {
  const requests = applications.map((application) => {
    keys += 1;
    return { idempotencyKey: `case-${String(keys)}`, application, consent: true };
  });
  const asked = requestDecisions.of(app.service(), { endpoint: endpoint.slug, requests });
  return (await app.record(app.service(), asked)).map(({ id }) => id);
};

const read = async (id = '') => app.ask(decisionById, await app.actor('reviewer'), { id });

test('a decision whose sealed request was changed fails alone, and its reader learns that it was changed', async () => {
  const [bad, good] = await ask(rich, rich);
  const forged = `'v1.' || repeat('A', 80)`;
  await runStatement(
    app.databaseUrl,
    `update decision set sealed_request = ${forged} where id = '${bad ?? ''}'`,
  );

  await app.drainJobs();

  expect((await read(good)).state).toBe('DONE');
  expect(await read(bad)).toMatchObject({
    state: 'FAILED',
    failure: { rule: 'sealed-data-unreadable' },
    request: null,
    isErased: false,
  });
});

test('a sealed output that was changed is found out by whoever reads the decision', async () => {
  const [id = ''] = await ask(rich);
  await app.drainJobs();
  await runStatement(
    app.databaseUrl,
    `alter table agent_step disable trigger append_only;
     update agent_step set sealed_output = 'v1.' || repeat('A', 80) where decision_id = '${id}' and agent = 'scoring';
     alter table agent_step enable always trigger append_only`,
  );

  const { verification, steps } = await read(id);

  expect(verification).toMatchObject({
    isChainIntact: false,
    fault: 'Step 2 (scoring): its output is not the one that was sealed',
  });
  expect(steps.filter(({ agent, output }) => agent === 'scoring' && output !== null)).toEqual([]);
});

/** Jobs that one process carries at the same time; what they calculate fails as often as it meets the poor. */
const carryAll = async (): Promise<PromiseSettledResult<void>[]> => {
  const rows = await asSystem(app.db, (tx) =>
    tx.sql<{ id: string; payload: unknown }>(
      'with taken as (delete from outbox where job = $1 returning *) select id, payload from taken order by id',
      [runDecisions.name],
    ),
  );
  const { workspaceId, organizationId } = app;
  const run: Compute['run'] = (task, input, options) => {
    const { values } = (input as { input: { values: Float32Array } }).input;
    if (values.includes(poor.age)) return Promise.reject(new Error('The thread ended'));
    return app.outside.compute.run(task, input, options);
  };
  const outside = { ...app.outside, compute: { ...app.outside.compute, run } };
  return Promise.allSettled(
    rows.map(({ id, payload }) => {
      const delivery = { id, job: runDecisions.name, payload, requestId: null, attempt: 1 };
      const { signal } = new AbortController();
      return perform({ ...app, outside }, { ...delivery, workspaceId, organizationId }, signal);
    }),
  );
};

test('a job that fails does not take with it those that were carried together with it', async () => {
  const ids = [];
  for (const application of [rich, poor, rich]) ids.push(...(await ask(application)));

  const results = await carryAll();

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const states = [];
  for (const id of ids) states.push((await read(id)).state);
  expect(states).toEqual(['DONE', 'RUNNING', 'DONE']);
});
